// Subscriptions by graphql-sse and by graphql-ws: `node feed.mjs URL TOKEN` follows changes, leaves, and comes again after the last one.
import { createClient as createEventClient } from "graphql-sse";
import { createClient as createSocketClient } from "graphql-ws";
import WebSocket from "ws";

const [url, token] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${token}` };

const CHANGES = `subscription Follow($after: String) {
  changes(after: $after) { nodes { node { ... on Customer { firstName } } } pageInfo { endCursor } }
}`;
const CREATE = `mutation($name: String!) { createCustomer(input: { firstName: $name }) { userErrors { code } } }`;

async function create(name) {
  const body = JSON.stringify({ query: CREATE, variables: { name } });
  await fetch(url, { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body });
}

async function next(events) {
  const { value } = await events.next();
  const { nodes, pageInfo } = value.data.changes;
  return { names: nodes.map(({ node }) => node.firstName), after: pageInfo.endCursor };
}

async function follow(client, name) {
  const events = client.iterate({ query: CHANGES });
  const first = await next(events);
  await create(`${name} 1`);
  const second = await next(events);
  await events.return();
  await create(`${name} 2`);
  const again = client.iterate({ query: CHANGES, variables: { after: second.after } });
  const third = await next(again);
  return { names: [first, second, third].map(({ names }) => names), again };
}

// The connection is lost, and the library makes another one and sends the first variables once more.
async function reconnect(client, { names, again }) {
  client.terminate();
  const repeated = await next(again);
  await create("socket 3");
  const last = await next(again);
  await again.return();
  return [...names, repeated.names, last.names];
}

const eventClient = createEventClient({ url, headers });
const sse = await follow(eventClient, "event");
await sse.again.return();
eventClient.dispose();

const socketClient = createSocketClient({
  url: url.replace("http", "ws"),
  connectionParams: headers,
  webSocketImpl: WebSocket,
});
const socket = await reconnect(socketClient, await follow(socketClient, "socket"));
await socketClient.dispose();

console.log(JSON.stringify({ events: sse.names, socket }));
