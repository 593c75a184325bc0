// Notes each request of a script: `node --import ./requests.mjs SCRIPT` with the name of a file in REQUESTS.
import { appendFileSync } from "node:fs";

const { fetch } = globalThis;

function parametersOf(address, body) {
  return body ? JSON.parse(body) : Object.fromEntries(new URL(address).searchParams);
}

globalThis.fetch = async (address, options = {}) => {
  const response = await fetch(address, options);
  const { operationName, query } = parametersOf(address, options.body);
  const note = [operationName, options.method ?? "GET", response.status, query ? "document" : "hash"];
  appendFileSync(process.env.REQUESTS, `${JSON.stringify(note)}\n`);
  return response;
};
