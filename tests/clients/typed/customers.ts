// graphql-codegen: `npm run typed` makes the types, checks them and makes `typed/customers.mjs`, and then
// `node typed/customers.mjs URL TOKEN READ_TOKEN` pages through a list, changes it, and reads errors by their codes.
import { connect } from "./execute";
import { graphql } from "./graphql";
import type { CustomersQuery } from "./graphql/graphql";

const [url = "", token = "", readToken = ""] = process.argv.slice(2);
const execute = connect(url, token);

const CUSTOMERS = graphql(`
  query Customers($after: String) {
    customers(sortKey: NAME, sortDir: ASC, first: 100, after: $after) {
      nodes { id databaseId name notes createdAt charges(first: 1) { nodes { amount chargedAt } } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

type Customer = CustomersQuery["customers"]["nodes"][number];

async function everyone(after: string | null = null): Promise<Customer[]> {
  const { data } = await execute(CUSTOMERS, { after });
  if (!data) throw new Error("no page");
  const { nodes, pageInfo } = data.customers;
  return pageInfo.hasNextPage ? [...nodes, ...(await everyone(pageInfo.endCursor))] : nodes;
}
const listed = await everyone();

const UPDATE_NOTES = graphql(`
  mutation UpdateNotes($id: ID!, $notes: String) {
    updateCustomerNotes(id: $id, notes: $notes) { customer { id notes } userErrors { field code message } }
  }
`);
const [customer] = listed;
if (!customer) throw new Error("no customer");
const changed = await execute(UPDATE_NOTES, { id: customer.id, notes: "Called back" });
const missing = await execute(UPDATE_NOTES, { id: "0", notes: null });
const refused = await connect(url, readToken)(UPDATE_NOTES, { id: customer.id, notes: null });

console.log(
  JSON.stringify({
    listed: listed.map(({ name }) => name),
    notes: changed.data?.updateCustomerNotes?.customer?.notes,
    userErrors: missing.data?.updateCustomerNotes?.userErrors.map(({ code }) => code),
    refusals: { readToken: refused.errors?.[0]?.extensions },
    // The types say what arrives: numbers for BigInt, and text for times.
    amounts: listed.flatMap(({ charges }) => charges.nodes.map(({ amount }) => amount)),
    types: [typeof customer.databaseId, typeof customer.createdAt],
  }),
);

// What `tsc --strict` finds before anything is sent: without these mistakes, it would complain of the comments.
export function mistakes(customer: Customer) {
  // @ts-expect-error The query does not select this field.
  customer.email;
  // @ts-expect-error Notes may be null.
  customer.notes.length;
  // @ts-expect-error A time is text.
  customer.createdAt.getTime();
  // @ts-expect-error An amount is a number.
  customer.charges.nodes[0]?.amount.startsWith("1");
  // @ts-expect-error The mutation has the variable `notes`.
  return execute(UPDATE_NOTES, { id: customer.id, note: "Called back" });
}
