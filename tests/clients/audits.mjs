// Runs every audit of graphql-http against a server, and prints the results as JSON.
import { serverAudits } from "graphql-http";

const [url, token] = process.argv.slice(2);

function fetchFn(address, options = {}) {
  const headers = { ...options.headers, authorization: `Bearer ${token}` };
  return fetch(address, { ...options, headers });
}

const results = [];
for (const audit of serverAudits({ url, fetchFn })) {
  const { status, reason = null } = await audit.fn();
  results.push({ id: audit.id, name: audit.name, status, reason });
}
console.log(JSON.stringify(results));
