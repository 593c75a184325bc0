// A list of customers that grows by pages, with a button for each change.
import { useState } from "react";
import { ConnectionHandler, graphql, useLazyLoadQuery, useMutation, usePaginationFragment } from "react-relay";

export function Customers() {
  const query = graphql`
    query CustomersQuery {
      ...Customers_list
    }
  `;
  return <List query={useLazyLoadQuery(query, {})} />;
}

function List({ query }) {
  const { data, hasNext, loadNext } = usePaginationFragment(
    graphql`
      fragment Customers_list on Query
      @argumentDefinitions(first: { type: "Int", defaultValue: 100 }, after: { type: "String" })
      @refetchable(queryName: "CustomersPageQuery") {
        customers(sortKey: NAME, sortDir: ASC, first: $first, after: $after) @connection(key: "Customers_customers") {
          __id
          edges { node { id name notes } }
        }
      }
    `,
    query,
  );
  const { __id, edges } = data.customers;
  return (
    <section>
      <ul>{edges.map(({ node }) => <Row key={node.id} customer={node} list={__id} />)}</ul>
      {hasNext && <button name="more" onClick={() => loadNext(100)}>More</button>}
      <Add list={__id} />
    </section>
  );
}

// Relay finds a changed customer by its id. Which list a customer enters or leaves is for `@deleteEdge` and `updater` to say.
function Row({ customer: { id, name, notes }, list }) {
  const [updateNotes] = useMutation(graphql`
    mutation CustomersUpdateNotesMutation($id: ID!, $notes: String) {
      updateCustomerNotes(id: $id, notes: $notes) { customer { id notes } userErrors { field code message } }
    }
  `);
  const [archive] = useMutation(graphql`
    mutation CustomersArchiveMutation($id: ID!, $lists: [ID!]!) {
      archiveCustomer(id: $id) {
        customer { id @deleteEdge(connections: $lists) }
        userErrors { field code message }
      }
    }
  `);
  return (
    <li>
      <b>{name}</b> <i>{notes}</i>
      <button name="notes" onClick={() => updateNotes({ variables: { id, notes: "Called back" } })}>Called</button>
      <button name="archive" onClick={() => archive({ variables: { id, lists: [list] } })}>Archive</button>
    </li>
  );
}

function Add({ list }) {
  const [mistakes, setMistakes] = useState([]);
  const [create] = useMutation(graphql`
    mutation CustomersCreateMutation($input: CreateCustomerInput!) {
      createCustomer(input: $input) { customer { id name notes } userErrors { field code message } }
    }
  `);
  const input = { firstName: "Zoe", email: "zoe@example.com" };
  const onCompleted = ({ createCustomer }) => setMistakes(createCustomer?.userErrors ?? []);
  // `@prependNode` would do the same, but warns when the payload has no customer.
  const updater = (store) => {
    const customer = store.getRootField("createCustomer")?.getLinkedRecord("customer");
    if (!customer) return;
    const edge = ConnectionHandler.createEdge(store, store.get(list), customer, "CustomerEdge");
    ConnectionHandler.insertEdgeBefore(store.get(list), edge);
  };
  return (
    <p>
      <button name="add" onClick={() => create({ variables: { input }, onCompleted, updater })}>Add</button>
      {mistakes.map(({ code, message }) => <output key={message} title={message}>{code}</output>)}
    </p>
  );
}
