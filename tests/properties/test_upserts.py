"""Any sequence of upserts leaves what a dict would hold (contract, section 9)."""

from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factories import Tenant
from graphql_client import GraphQLClient

UPSERT = """
mutation($input: [UpsertCustomerInput!]!) {
  upsertCustomers(input: $input) { customers { uuid } userErrors { field code } }
}
"""
LIST = """{ customers(first: 100) { nodes {
  uuid firstName email phone company hasSubscription signedUpAt tags { slug }
} } }"""
LETTERS = UUID("6ba7b813-9dad-11d1-80b4-00c04fd430c8")
UUIDS = [str(uuid5(LETTERS, name)) for name in "abcd"]
NEW = {"email": None, "phone": None, "company": None, "hasSubscription": None, "tagSlugs": None}

ITEM = st.fixed_dictionaries(
    {"uuid": st.sampled_from(UUIDS)},
    optional={
        "firstName": st.sampled_from(["Ann", "Bob", None]),
        "email": st.sampled_from(["a@example.com", "b@example.com", None]),
        "phone": st.sampled_from(["+14155550123", "+14155550124", None]),
        "company": st.sampled_from(["Orbit", " ", None]),
        "hasSubscription": st.sampled_from([True, False, None]),
        "signedUpAt": st.sampled_from(["2020-01-01T00:00:00Z", None]),
        "tagSlugs": st.sampled_from([["vip"], ["gold", "vip"], [], None]),
    },
)
CALLS = st.lists(st.lists(ITEM, min_size=1, max_size=4), min_size=1, max_size=5)


def applied(model: dict[str, dict[str, Any]], items: list[dict[str, Any]]) -> tuple[dict[str, Any], set[Any]]:
    """Return what the call makes of the model, and the mistakes that it has."""
    model, wrong, seen = {uuid: dict(row) for uuid, row in model.items()}, set(), set()
    for place, item in enumerate(items):
        uuid, known = item["uuid"], item["uuid"] in model
        if uuid in seen:
            wrong.add((place, "uuid", "TAKEN"))
        if item.get("firstName", "" if known else None) is None:
            wrong.add((place, "firstName", "BLANK"))
        for name in ("email", "phone"):
            owner = next((other for other, row in model.items() if row[name] == item.get(name, "")), None)
            if item.get(name) is not None and owner not in {None, uuid}:
                wrong.add((place, name, "TAKEN"))
        if not any(mistake[0] == place and mistake[1:] != ("uuid", "TAKEN") for mistake in wrong):
            model[uuid] = {**(model[uuid] if known else NEW), **item}
        seen.add(uuid)
    return model, wrong


def shown(row: dict[str, Any]) -> dict[str, Any]:
    shown = {**row, "hasSubscription": bool(row["hasSubscription"]), "company": (row["company"] or "").strip() or None}
    return shown | {"tagSlugs": sorted(row["tagSlugs"] or [])}


def stored(client: GraphQLClient, model: dict[str, Any]) -> dict[str, Any]:
    nodes = client.data(LIST)["customers"]["nodes"]
    rows = {node["uuid"]: node | {"tagSlugs": sorted(tag["slug"] for tag in node.pop("tags"))} for node in nodes}
    # A new customer has signed up now, unless it says otherwise.
    return {
        uuid: {name: value for name, value in row.items() if name in model.get(uuid, row)} for uuid, row in rows.items()
    }


@pytest.mark.slow
@given(calls=CALLS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_sequence_of_upserts_leaves_what_a_dict_would_hold(acme: Tenant, calls: list[list[dict[str, Any]]]) -> None:
    for customer in acme.client.data("{ customers(first: 100) { nodes { id } } }")["customers"]["nodes"]:
        acme.client.data("mutation($id: ID!) { deleteCustomer(id: $id) { deletedCustomerId } }", id=customer["id"])
    if not acme.rows()["tag"]:
        acme.add_tags("vip", "gold")
    model: dict[str, dict[str, Any]] = {}

    for items in calls:
        after, wrong = applied(model, items)
        payload = acme.client.data(UPSERT, input=items)["upsertCustomers"]

        told = {(int(error["field"][1]), error["field"][2], error["code"]) for error in payload["userErrors"]}
        assert told == wrong
        assert (payload["customers"] is None) == bool(wrong)
        model = model if wrong else after
        assert stored(acme.client, model) == {uuid: shown(row) for uuid, row in model.items()}

        before = acme.rows()
        acme.client.data(UPSERT, input=items)
        assert acme.rows() == before
