// urql 6 with its normalized cache: `node urql.mjs URL TOKEN READ_TOKEN` pages through a list, changes it, and reads
// errors by their codes.
import { Client, fetchExchange, gql } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import { relayPagination } from "@urql/exchange-graphcache/extras";

const [url, token, readToken] = process.argv.slice(2);

// The pages of the cached list, each with its customers. With more than one list, look at `arguments` too.
const pages = (cache) =>
  cache
    .inspectFields("Query")
    .filter(({ fieldName }) => fieldName === "customers")
    .map(({ fieldKey }) => cache.resolve("Query", fieldKey))
    .map((page) => [page, cache.resolve(page, "nodes")]);

// Which list a customer enters or leaves is for the updates to say.
const updates = {
  Mutation: {
    archiveCustomer({ archiveCustomer: payload }, _arguments, cache) {
      const archived = payload?.customer && cache.keyOfEntity(payload.customer);
      for (const [page, nodes] of pages(cache)) cache.link(page, "nodes", nodes.filter((node) => node !== archived));
    },
    createCustomer({ createCustomer: payload }, _arguments, cache) {
      const [[page, nodes]] = pages(cache);
      if (payload?.customer) cache.link(page, "nodes", [cache.keyOfEntity(payload.customer), ...nodes]);
    },
  },
};

const connect = (token, options) =>
  new Client({
    url,
    ...options,
    fetchOptions: { headers: { Authorization: `Bearer ${token}` } },
    exchanges: [
      cacheExchange({ resolvers: { Query: { customers: relayPagination() } }, updates, keys: { UserError: () => null } }),
      fetchExchange,
    ],
  });
const client = connect(token);

const CUSTOMERS = gql`
  query Customers($after: String) {
    customers(sortKey: NAME, sortDir: ASC, first: 100, after: $after) {
      nodes { id name notes }
      pageInfo { hasNextPage endCursor }
    }
  }
`;

// To the last page: the result of a page has the pages before it too.
let list;
do {
  const after = list?.pageInfo.endCursor;
  const { data } = await client.query(CUSTOMERS, { after }).toPromise();
  list = data.customers;
} while (list.pageInfo.hasNextPage);
const listed = list.nodes;

// The cache finds the customer by its id, and takes what the mutation selects.
const UPDATE_NOTES = gql`
  mutation UpdateNotes($id: ID!, $notes: String) {
    updateCustomerNotes(id: $id, notes: $notes) { customer { id notes } userErrors { field code message } }
  }
`;
await client.mutation(UPDATE_NOTES, { id: listed[0].id, notes: "Called back" }).toPromise();

const ARCHIVE = gql`
  mutation Archive($id: ID!) {
    archiveCustomer(id: $id) { customer { id isArchived } userErrors { field code message } }
  }
`;
await client.mutation(ARCHIVE, { id: listed[1].id }).toPromise();

const CREATE = gql`
  mutation Create($input: CreateCustomerInput!) {
    createCustomer(input: $input) { customer { id name notes } userErrors { field code message } }
  }
`;
const zoe = { firstName: "Zoe", email: "zoe@example.com" };
await client.mutation(CREATE, { input: zoe }).toPromise();
const taken = await client.mutation(CREATE, { input: zoe }).toPromise();

const cached = client.readQuery(CUSTOMERS, {}).data.customers;

// What is not a mistake in the input is an error with a code.
const LARGE = gql`query Large { customers(first: 100) { nodes { messages(first: 100) { nodes { id } } } } }`;
const COUNT = gql`query Count($q: String) { customers(q: $q) { totalCount } }`;

const refusal = async (result) => (await result.toPromise()).error?.graphQLErrors[0].extensions ?? null;
// urql sends queries by GET. By POST, what people search for stays out of the logs of proxies.
const reader = connect(readToken, { preferGetMethod: false });
const refusals = {
  unknownToken: await refusal(connect("unknown").query(CUSTOMERS, {})),
  readToken: await refusal(reader.mutation(ARCHIVE, { id: listed[0].id })),
  large: await refusal(reader.query(LARGE, {})),
  first: await refusal(reader.query(COUNT, { q: "one" })),
  second: await refusal(reader.query(COUNT, { q: "two" })),
};

console.log(
  JSON.stringify({
    listed: listed.map(({ name }) => name),
    shown: cached.nodes.map(({ name, notes }) => [name, notes]),
    userErrors: taken.data.createCustomer.userErrors.map(({ code }) => code),
    refusals,
  }),
);
