"""Python's gql: `python python_gql.py URL TOKEN READ_TOKEN` pages through a list, changes it, and reads codes."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gql import Client, GraphQLRequest
from gql.client import SyncClientSession
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXTransport

URL, TOKEN, READ_TOKEN = sys.argv[1:]
# With the schema, gql refuses a wrong document before it is sent.
SCHEMA = (Path(__file__).parents[2] / "schema.graphql").read_text("utf-8")

CUSTOMERS = """
  query Customers($after: String) {
    customers(sortKey: NAME, sortDir: ASC, first: 100, after: $after) {
      nodes { id name notes }
      pageInfo { hasNextPage endCursor }
    }
  }
"""
UPDATE_NOTES = """
  mutation UpdateNotes($id: ID!, $notes: String) {
    updateCustomerNotes(id: $id, notes: $notes) { customer { id notes } userErrors { field code message } }
  }
"""
LARGE = "query Large { customers(first: 100) { nodes { messages(first: 100) { nodes { id } } } } }"
COUNT = "query Count($q: String) { customers(q: $q) { totalCount } }"


def connect(token: str) -> Client:
    return Client(transport=HTTPXTransport(URL, headers={"Authorization": f"Bearer {token}"}), schema=SCHEMA)


def every_customer(session: SyncClientSession) -> Iterator[dict[str, Any]]:
    """Page to the end of the list."""
    page = {"pageInfo": {"hasNextPage": True, "endCursor": None}}
    while page["pageInfo"]["hasNextPage"]:
        request = GraphQLRequest(CUSTOMERS, variable_values={"after": page["pageInfo"]["endCursor"]})
        page = session.execute(request)["customers"]
        yield from page["nodes"]


def refusal(client: Client, document: str, **variables: str) -> dict[str, Any] | None:
    """Return the code of an error and what comes with it."""
    try:
        client.execute(GraphQLRequest(document, variable_values=variables))
    except TransportQueryError as error:
        return error.errors[0]["extensions"] if error.errors else None
    return None


with connect(TOKEN) as session:
    listed = list(every_customer(session))
    notes = GraphQLRequest(UPDATE_NOTES, variable_values={"id": listed[0]["id"], "notes": "Called back"})
    changed = session.execute(notes)["updateCustomerNotes"]
    missing = session.execute(GraphQLRequest(UPDATE_NOTES, variable_values={"id": "0"}))["updateCustomerNotes"]

reader = connect(READ_TOKEN)
report = {
    "listed": [customer["name"] for customer in listed],
    "notes": changed["customer"]["notes"],
    "userErrors": [mistake["code"] for mistake in missing["userErrors"]],
    "refusals": {
        "unknownToken": refusal(connect("unknown"), CUSTOMERS),
        "readToken": refusal(reader, UPDATE_NOTES, id=listed[0]["id"]),
        "large": refusal(reader, LARGE),
        "first": refusal(reader, COUNT, q="one"),
        "second": refusal(reader, COUNT, q="two"),
    },
}
sys.stdout.write(json.dumps(report))
