// Notes each request of a script: `node --import ./requests.mjs SCRIPT` with the name of a file in REQUESTS.
import { appendFileSync } from "node:fs";

const { fetch } = globalThis;

function operationName(address, body) {
  return body ? JSON.parse(body).operationName : new URL(address).searchParams.get("operationName");
}

globalThis.fetch = async (address, options = {}) => {
  const response = await fetch(address, options);
  const note = [operationName(address, options.body), options.method ?? "GET", response.status];
  appendFileSync(process.env.REQUESTS, `${JSON.stringify(note)}\n`);
  return response;
};
