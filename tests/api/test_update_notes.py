"""updateCustomerNotes (contract, sections 5 and 6)."""

from datetime import datetime
from typing import Any

import pytest

from factories import Tenant, at
from graphql_client import GraphQLClient

UPDATE = """
mutation($id: ID!, $notes: String) {
  updateCustomerNotes(id: $id, notes: $notes) {
    customer { notes updatedAt } userErrors { field message code }
  }
}
"""


def payload_of(client: GraphQLClient, id_: int, notes: str | None) -> Any:
    return client.data(UPDATE, id=id_, notes=notes)["updateCustomerNotes"]


def mistakes(payload: Any) -> list[tuple[list[str], str]]:
    assert payload["customer"] is None
    return [(error["field"], error["code"]) for error in payload["userErrors"]]


@pytest.mark.parametrize(
    ("argument", "stored"),
    [
        (" new\r\nnotes\t! ", "new\nnotes\t!"),
        ("caf\u0065\u0301", "caf\u00e9"),
        ("n" * 5000, "n" * 5000),
        ("\r\n".join("n" * 2500), "\n".join("n" * 2500)),
        (None, None),
        ("", None),
        (" \r\n\t ", None),
    ],
)
def test_notes_are_replaced(acme: Tenant, client: GraphQLClient, argument: str | None, stored: str | None) -> None:
    id_ = acme.add_customer(notes="old", updated_at=at(0))
    payload = payload_of(client, id_, argument)
    assert payload["userErrors"] == []
    assert payload["customer"]["notes"] == stored
    assert datetime.fromisoformat(payload["customer"]["updatedAt"]) > at(0)


def test_absent_notes_clear_them(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer(notes="old")
    mutation = "mutation($id: ID!) { updateCustomerNotes(id: $id) { customer { notes } } }"
    assert client.data(mutation, id=id_)["updateCustomerNotes"]["customer"] == {"notes": None}


def test_the_same_notes_again_change_nothing(acme: Tenant, client: GraphQLClient) -> None:
    with_notes, without_notes = acme.add_customers({"notes": "a\nb"}, {"notes": None})
    acme.add_messages({"customer_id": with_notes})
    before = acme.rows()
    assert payload_of(client, with_notes, " a\r\nb ")["customer"]["notes"] == "a\nb"
    assert payload_of(client, without_notes, " ")["customer"]["notes"] is None
    assert acme.rows() == before


@pytest.mark.parametrize(
    ("notes", "code"), [("n" * 5001, "TOO_LONG"), ("a\x00b", "INVALID"), ("a\x0cb", "INVALID"), ("\x85", "INVALID")]
)
def test_invalid_notes_are_refused(acme: Tenant, client: GraphQLClient, notes: str, code: str) -> None:
    id_ = acme.add_customer(notes="old")
    before = acme.rows()
    assert mistakes(payload_of(client, id_, notes)) == [(["notes"], code)]
    assert acme.rows() == before


def test_both_mistakes_are_returned_together(client: GraphQLClient) -> None:
    errors = mistakes(payload_of(client, 404, "\x00"))
    assert sorted(errors) == [(["id"], "NOT_FOUND"), (["notes"], "INVALID")]
