"""recordCharges (contract, section 9)."""

from typing import Any
from uuid import UUID, uuid5

import pytest

from at_once import at_once
from factories import Tenant
from graphql_client import GraphQLClient

RECORD = """
mutation($input: [RecordChargeInput!]!) {
  recordCharges(input: $input) {
    charges { databaseId uuid customer { databaseId } amount currency chargedAt createdAt location { slug } }
    userErrors { field message code }
  }
}
"""
LETTERS = UUID("6ba7b813-9dad-11d1-80b4-00c04fd430c8")
T1 = "2026-03-02T00:00:00Z"


def uuid(number: int) -> str:
    return str(uuid5(LETTERS, str(number)))


def new(number: int, customer: Any, **values: Any) -> dict[str, Any]:
    return {"uuid": uuid(number), "customerId": customer, "amount": 100, "currency": "USD", **values}


def payload_of(client: GraphQLClient, *items: dict[str, Any]) -> Any:
    return client.data(RECORD, input=items)["recordCharges"]


def recorded(client: GraphQLClient, *items: dict[str, Any]) -> list[Any]:
    payload = payload_of(client, *items)
    assert payload["userErrors"] == []
    return list(payload["charges"])


def mistakes(client: GraphQLClient, *items: dict[str, Any]) -> set[tuple[str, str]]:
    payload = payload_of(client, *items)
    assert payload["charges"] is None
    return {(".".join(error["field"]), error["code"]) for error in payload["userErrors"]}


def test_every_value_is_stored_and_kept_where_it_is_absent(acme: Tenant, client: GraphQLClient) -> None:
    acme.add_locations("north")
    id_ = acme.add_customer(email="ann@example.com")
    values = {"amount": -(2**63), "currency": " eur ", "chargedAt": T1, "locationSlug": "north"}

    [charge] = recorded(client, {"uuid": uuid(1), "email": "ANN@example.com", **values})
    assert (charge["amount"], charge["currency"], charge["chargedAt"]) == (-(2**63), "EUR", T1)
    assert (charge["location"], charge["customer"]) == ({"slug": "north"}, {"databaseId": id_})

    assert recorded(client, {"uuid": uuid(1), "amount": "7"}) == [charge | {"amount": 7}]
    assert recorded(client, {"uuid": uuid(1), "locationSlug": None})[0]["location"] is None


def test_a_new_charge_is_made_now_unless_it_says_otherwise(acme: Tenant, client: GraphQLClient) -> None:
    [charge] = recorded(client, new(1, acme.add_customer()))

    assert charge["chargedAt"] == charge["createdAt"]


def test_what_is_needed_is_neither_absent_nor_cleared(acme: Tenant, client: GraphQLClient) -> None:
    recorded(client, new(1, acme.add_customer()))
    names = ("amount", "currency", "chargedAt")

    needed = {(f"input.0.{name}", "BLANK") for name in ("customerId", "amount", "currency")}
    assert mistakes(client, {"uuid": uuid(2)}) == needed
    assert mistakes(client, {"uuid": uuid(1), **dict.fromkeys(names)}) == {
        (f"input.0.{name}", "BLANK") for name in names
    }


@pytest.mark.parametrize(("currency", "code"), [("DEM", "INVALID"), ("\ufb00x", "INVALID"), ("", "BLANK")])
def test_what_is_no_currency_is_refused(acme: Tenant, client: GraphQLClient, currency: str, code: str) -> None:
    wrong = mistakes(client, new(1, acme.add_customer(), currency=currency))

    assert wrong == {("input.0.currency", code)}
    assert acme.rows()["charge"] == []


def test_the_same_call_again_and_calls_at_once_have_one_effect(acme: Tenant, client: GraphQLClient) -> None:
    items = [new(number, acme.add_customer()) for number in range(20)]

    at_once(*[lambda: recorded(client, *items), lambda: recorded(client, *reversed(items))] * 2)
    before = acme.rows()
    assert len(before["charge"]) == 20
    recorded(client, *items)

    assert acme.rows() == before
    with_charges = client.data("{ customers(filter: HAS_CHARGES) { totalCount } }")
    assert with_charges["customers"]["totalCount"] == 20


def test_a_uuid_that_is_missing_or_null_is_bad_input(acme: Tenant, client: GraphQLClient) -> None:
    item = new(1, acme.add_customer())
    for bad in (item | {"uuid": None}, {name: value for name, value in item.items() if name != "uuid"}):
        assert client.code(RECORD, input=[bad]) == "BAD_USER_INPUT"
