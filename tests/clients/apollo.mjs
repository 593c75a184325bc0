// Apollo Client 4: `node apollo.mjs URL TOKEN READ_TOKEN` pages through a list, changes it, and reads errors by their codes.
import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { relayStylePagination } from "@apollo/client/utilities";
import { first, firstValueFrom } from "rxjs";

const [uri, token, readToken] = process.argv.slice(2);

// The cache keeps a list for each set of these arguments. `first` and `after` are not among them: pages join one list.
const conditions = ["q", "email", "tagSlug", "tagSlugs", "locationSlug", "includeArchived", "filter", "dateKey", "dateFrom", "dateTo", "sortKey", "sortDir"];

const connect = (token) =>
  new ApolloClient({
    link: new HttpLink({ uri, headers: { Authorization: `Bearer ${token}` } }),
    cache: new InMemoryCache({ typePolicies: { Query: { fields: { customers: relayStylePagination(conditions) } } } }),
  });
const client = connect(token);

// A page: `relayStylePagination` joins `edges`, but not `nodes`.
const CUSTOMERS = gql`
  query Customers($after: String) {
    customers(sortKey: NAME, sortDir: ASC, first: 100, after: $after) {
      edges { node { id name notes } }
      pageInfo { hasNextPage endCursor }
    }
  }
`;

// To the last page. React's `useQuery(CUSTOMERS)` gives the same `data` and `fetchMore`.
const query = client.watchQuery({ query: CUSTOMERS });
await firstValueFrom(query.pipe(first(({ dataState }) => dataState === "complete")));
const list = () => query.getCurrentResult().data.customers;
while (list().pageInfo.hasNextPage) {
  await query.fetchMore({ variables: { after: list().pageInfo.endCursor } });
}
const listed = list().edges.map(({ node }) => node);

// The cache finds the customer by its id, and takes what the mutation selects.
const UPDATE_NOTES = gql`
  mutation UpdateNotes($id: ID!, $notes: String) {
    updateCustomerNotes(id: $id, notes: $notes) { customer { id notes } userErrors { field code message } }
  }
`;
await client.mutate({ mutation: UPDATE_NOTES, variables: { id: listed[0].id, notes: "Called back" } });

// Which list a customer enters or leaves is for `update` to say.
const updateList = (cache, change) =>
  cache.updateQuery({ query: CUSTOMERS }, ({ customers }) => ({
    customers: { ...customers, edges: change(customers.edges) },
  }));

const ARCHIVE = gql`
  mutation Archive($id: ID!) {
    archiveCustomer(id: $id) { customer { id isArchived } userErrors { field code message } }
  }
`;
await client.mutate({
  mutation: ARCHIVE,
  variables: { id: listed[1].id },
  update: (cache, { data }) =>
    updateList(cache, (edges) => edges.filter(({ node }) => node.id !== data.archiveCustomer?.customer?.id)),
});

const CREATE = gql`
  mutation Create($input: CreateCustomerInput!) {
    createCustomer(input: $input) { customer { id name notes } userErrors { field code message } }
  }
`;
const create = (input) =>
  client.mutate({
    mutation: CREATE,
    variables: { input },
    update: (cache, { data }) => {
      const node = data.createCustomer?.customer;
      if (node) updateList(cache, (edges) => [{ __typename: "CustomerEdge", node }, ...edges]);
    },
  });
await create({ firstName: "Zoe", email: "zoe@example.com" });
const taken = await create({ firstName: "Zoe", email: "zoe@example.com" });

// What is not a mistake in the input is an error with a code.
const LARGE = gql`query Large { customers(first: 100) { nodes { messages(first: 100) { nodes { id } } } } }`;
const COUNT = gql`query Count($q: String) { customers(q: $q) { totalCount } }`;

const refusal = (promise) =>
  promise.then(
    () => null,
    (error) => (CombinedGraphQLErrors.is(error) ? error.errors[0].extensions : { code: error.message }),
  );
const reader = connect(readToken);
const refusals = {
  unknownToken: await refusal(connect("unknown").query({ query: CUSTOMERS })),
  readToken: await refusal(reader.mutate({ mutation: ARCHIVE, variables: { id: listed[0].id } })),
  large: await refusal(reader.query({ query: LARGE })),
  first: await refusal(reader.query({ query: COUNT, variables: { q: "one" } })),
  second: await refusal(reader.query({ query: COUNT, variables: { q: "two" } })),
};

console.log(
  JSON.stringify({
    listed: listed.map(({ name }) => name),
    shown: list().edges.map(({ node }) => [node.name, node.notes]),
    userErrors: taken.data.createCustomer.userErrors.map(({ code }) => code),
    refusals,
  }),
);
