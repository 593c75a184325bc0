"""updateCustomer (contract, sections 6 and 9)."""

from typing import Any

import pytest

from at_once import at_once
from factories import Tenant, at
from graphql_client import GraphQLClient

UPDATE = """
mutation($id: ID!, $input: UpdateCustomerInput!) {
  updateCustomer(id: $id, input: $input) {
    customer {
      firstName lastName email phone company hasSubscription notes address1 address2 city state postalCode
      signedUpAt archivedAt updatedAt location { slug } tags { slug }
    }
    userErrors { field message code }
  }
}
"""
VALUES: dict[str, Any] = {
    "firstName": "Grace",
    "lastName": "Hopper",
    "email": "Grace@Example.com",
    "phone": "+14155550124",
    "company": "Navy",
    "hasSubscription": True,
    "notes": "a\nb",
    "address1": "1 Main St",
    "address2": "Flat 2",
    "city": "New York",
    "state": "NY",
    "postalCode": "10004",
    "signedUpAt": "2020-01-01T00:00:00Z",
}


def payload_of(client: GraphQLClient, id_: Any, **values: Any) -> Any:
    return client.data(UPDATE, id=id_, input=values)["updateCustomer"]


def updated(client: GraphQLClient, id_: Any, **values: Any) -> Any:
    payload = payload_of(client, id_, **values)
    assert payload["userErrors"] == []
    return payload["customer"]


def mistakes(client: GraphQLClient, id_: Any, **values: Any) -> set[tuple[str, str]]:
    payload = payload_of(client, id_, **values)
    assert payload["customer"] is None
    return {(".".join(error["field"]), error["code"]) for error in payload["userErrors"]}


def test_each_value_is_changed_kept_where_it_is_absent_and_cleared_by_null(acme: Tenant, client: GraphQLClient) -> None:
    acme.add_locations("north")
    acme.add_tags("gold", "vip")
    id_ = acme.add_customer(updated_at=at(0))

    customer = updated(client, id_, **VALUES, locationSlug="north", tagSlugs=["vip", "gold", "vip"])
    links = {"location": {"slug": "north"}, "tags": [{"slug": "gold"}, {"slug": "vip"}]}
    assert {name: customer[name] for name in (*VALUES, *links)} == VALUES | links
    assert customer["updatedAt"] > "2026-03-02"

    kept = updated(client, id_, lastName="H.")
    assert {**kept, "updatedAt": None} == {**customer, "lastName": "H.", "updatedAt": None}

    cleared = updated(client, id_, **dict.fromkeys([*VALUES, "locationSlug", "tagSlugs"]) | {"firstName": "Grace"})
    nulls = dict.fromkeys(VALUES) | {"firstName": "Grace", "hasSubscription": False, "location": None, "tags": []}
    assert {name: cleared[name] for name in nulls} == nulls


def test_a_blank_text_clears_as_null_does(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer(company="Orbit", email="a@example.com", phone="+14155550123")

    customer = updated(client, id_, company=" ", email="", phone="\t", locationSlug=" ")

    assert [customer[name] for name in ("company", "email", "phone", "location")] == [None] * 4


def test_the_same_call_again_changes_nothing(acme: Tenant, client: GraphQLClient) -> None:
    acme.add_locations("north")
    acme.add_tags("vip")
    id_ = acme.add_customer()
    values = VALUES | {"locationSlug": "north", "tagSlugs": ["vip"]}
    updated(client, id_, **values)
    before = acme.rows()

    updated(client, id_, **values)
    updated(client, id_)

    assert acme.rows() == before


def test_search_and_sorts_follow_the_new_texts(acme: Tenant, client: GraphQLClient) -> None:
    id_, _ = acme.add_customers({"first_name": "Zoe", "company": "Old"}, {"first_name": "Bob"})

    updated(client, id_, firstName="Ann", email="ann@new.example")

    query = '{ found: customers(q: "ann new.ex") { totalCount } customers(sortKey: NAME, sortDir: ASC) %s }'
    data = client.data(query % "{ nodes { firstName } }")
    assert data["found"]["totalCount"] == 1
    assert [node["firstName"] for node in data["customers"]["nodes"]] == ["Ann", "Bob"]


def test_an_archived_customer_is_changed_and_stays_archived(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer(archived_at=at(1))

    customer = updated(client, id_, company="Orbit")

    assert (customer["company"], customer["archivedAt"]) == ("Orbit", "2026-03-01T12:01:00Z")


@pytest.mark.parametrize("blank", [None, "", " "])
def test_the_first_name_cannot_be_cleared(acme: Tenant, client: GraphQLClient, blank: str | None) -> None:
    assert mistakes(client, acme.add_customer(), firstName=blank) == {("input.firstName", "BLANK")}


def test_a_contact_of_another_customer_is_taken_and_ones_own_is_not(acme: Tenant, client: GraphQLClient) -> None:
    id_, _ = acme.add_customers(
        {"email": "ann@example.com", "phone": "+14155550123"},
        {"email": "bob@example.com", "phone": "+14155550124", "archived_at": at(0)},
    )

    wrong = mistakes(client, id_, email="BOB@example.com", phone="+1 415 555 0124")

    assert wrong == {("input.email", "TAKEN"), ("input.phone", "TAKEN")}
    assert updated(client, id_, email="ANN@example.com", phone="+1 415 555 0123")["email"] == "ANN@example.com"


def test_all_mistakes_are_returned_together_and_nothing_changes(acme: Tenant, client: GraphQLClient) -> None:
    acme.add_customer(email="bob@example.com")
    before = acme.rows()

    wrong = mistakes(
        client,
        404,
        firstName=None,
        email="bob@example.com",
        phone="1",
        notes="n" * 5001,
        locationSlug="nowhere",
        tagSlugs=["", "none"],
    )

    assert wrong == {
        ("id", "NOT_FOUND"),
        ("input.firstName", "BLANK"),
        ("input.email", "TAKEN"),
        ("input.phone", "INVALID"),
        ("input.notes", "TOO_LONG"),
        ("input.locationSlug", "NOT_FOUND"),
        ("input.tagSlugs.0", "BLANK"),
        ("input.tagSlugs.1", "NOT_FOUND"),
    }
    assert acme.rows() == before


def test_an_unknown_customer_is_not_found_whatever_is_asked(client: GraphQLClient) -> None:
    assert mistakes(client, 404) == mistakes(client, "x", company="Orbit") == {("id", "NOT_FOUND")}


def test_a_variable_that_is_absent_in_the_input_keeps_the_value(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer(company="Orbit", notes="old")
    document = """mutation($id: ID!, $company: String, $notes: String) {
      updateCustomer(id: $id, input: { company: $company, notes: $notes }) { customer { company notes } }
    }"""

    customer = client.data(document, id=id_, notes=None)["updateCustomer"]["customer"]

    assert customer == {"company": "Orbit", "notes": None}


def test_changes_of_different_values_at_once_are_all_kept(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer()
    names = ["company", "notes", "city", "state", "address1"]

    at_once(*[lambda name=name: updated(client, id_, **{name: "new"}) for name in names])

    assert [updated(client, id_)[name] for name in names] == ["new"] * len(names)
