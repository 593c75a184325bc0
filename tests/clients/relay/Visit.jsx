// Relay with React: `npm run relay` makes `relay/visit.mjs`, and `node relay/visit.mjs URL TOKEN READ_TOKEN` opens the list,
// clicks its buttons, and reads errors by their codes.
import "./dom.js";
import { Suspense, act } from "react";
import { createRoot } from "react-dom/client";
import { RelayEnvironmentProvider, commitMutation, fetchQuery, graphql } from "react-relay";
import { Customers } from "./Customers.jsx";
import { environment, extensionsOf } from "./environment.js";

const [url, token, readToken] = process.argv.slice(2);
const page = document.querySelector("main");

const rows = () => [...page.querySelectorAll("li")];
const names = () => rows().map((row) => row.querySelector("b").textContent);
const button = (name, within = page) => within.querySelector(`button[name=${name}]`);

async function until(condition) {
  while (!condition()) await act(() => new Promise((resolve) => setTimeout(resolve, 10)));
}

async function click(name, condition, within) {
  await act(() => button(name, within).click());
  await until(condition);
}

await act(() =>
  createRoot(page).render(
    <RelayEnvironmentProvider environment={environment(url, token)}>
      <Suspense>
        <Customers />
      </Suspense>
    </RelayEnvironmentProvider>,
  ),
);
await until(() => rows().length > 0);

while (button("more")) {
  const before = rows().length;
  await click("more", () => rows().length > before);
}
const listed = names();

await click("notes", () => rows()[0].querySelector("i").textContent !== "", rows()[0]);
await click("archive", () => rows().length < listed.length, rows()[1]);
await click("add", () => rows().length === listed.length);
await click("add", () => page.querySelector("output"));

const LARGE = graphql`
  query VisitLargeQuery($first: Int = 1) {
    customers(first: 100) { nodes { messages(first: $first) { nodes { id } } } }
  }
`;
const COUNT = graphql`
  query VisitCountQuery($q: String) {
    customers(q: $q) { totalCount }
  }
`;
const ARCHIVE = graphql`
  mutation VisitArchiveMutation($id: ID!) {
    archiveCustomer(id: $id) { customer { id } }
  }
`;
const reader = environment(url, readToken);
const refusalOf = (promise) => promise.then(() => null, extensionsOf);
const query = (environment, document, variables) =>
  refusalOf(fetchQuery(environment, document, variables).toPromise());
const mutate = (environment, mutation, variables) =>
  refusalOf(
    new Promise((onCompleted, onError) => commitMutation(environment, { mutation, variables, onCompleted, onError })),
  );
const refusals = {
  unknownToken: await query(environment(url, "unknown"), COUNT, {}),
  readToken: await mutate(reader, ARCHIVE, { id: "1" }),
  large: await query(reader, LARGE, { first: 100 }),
  first: await query(reader, COUNT, { q: "one" }),
  second: await query(reader, COUNT, { q: "two" }),
};

console.log(
  JSON.stringify({
    listed,
    shown: rows().map((row) => [row.querySelector("b").textContent, row.querySelector("i").textContent || null]),
    userErrors: [...page.querySelectorAll("output")].map(({ textContent }) => textContent),
    refusals,
  }),
);
// React's `act` leaves a message channel open, and Node.js would wait for it.
process.exit();
