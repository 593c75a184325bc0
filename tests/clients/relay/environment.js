import { Environment, Network, RecordSource, Store } from "relay-runtime";

export function environment(url, token) {
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${token}` };
  // With `persistConfig`, the compiler lists the documents in a file, and each has an `id` in the place of its text.
  const network = Network.create(async ({ id, name, text }, variables) => {
    const body = JSON.stringify({ documentId: id, operationName: name, query: text, variables });
    return (await fetch(url, { method: "POST", headers, body })).json();
  });
  return new Environment({ network, store: new Store(new RecordSource()) });
}

// For an answer without `data`, Relay throws an error that has the answer as its `source`.
export const extensionsOf = (error) => error.source.errors[0].extensions;
