"""Timestamps are exact to the microsecond in values, sorts and cursors, from the earliest to the latest."""

from datetime import UTC, datetime

import stores
from conftest import MakeServer
from customergraph.domain.timestamps import MICROSECOND
from customergraph.settings import Settings
from factories import NOON, Tenant, at
from graphql_client import GraphQLClient

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
ANSWERED = {
    FIRST: "0001-01-01T00:00:00Z",
    FIRST + MICROSECOND: "0001-01-01T00:00:00.000001Z",
    NOON: "2026-03-01T12:00:00Z",
    NOON + MICROSECOND: "2026-03-01T12:00:00.000001Z",
    at(0.5): "2026-03-01T12:00:30Z",
    LAST - MICROSECOND: "9999-12-31T23:59:59.999998Z",
    LAST: "9999-12-31T23:59:59.999999Z",
}

PAGE = """query($after: String) { customers(first: 1, after: $after, sortKey: SIGNED_UP_AT, sortDir: ASC) {
  nodes { databaseId signedUpAt } pageInfo { endCursor hasNextPage } } }"""


def paged(client: GraphQLClient) -> list[tuple[int, str]]:
    """Read all customers in pages of one; return their ids and signup times."""
    customers, after = [], None
    while True:
        page = client.data(PAGE, after=after)["customers"]
        customers += [(node["databaseId"], node["signedUpAt"]) for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return customers
        after = page["pageInfo"]["endCursor"]


def test_timestamps_are_exact_to_the_microsecond_in_values_and_cursors(acme: Tenant) -> None:
    ids = acme.add_customers(*({"signed_up_at": time} for time in ANSWERED))

    assert paged(acme.client) == list(zip(ids, ANSWERED.values(), strict=True))


def test_timestamps_have_the_same_form_everywhere(acme: Tenant) -> None:
    id_ = acme.add_customer(signed_up_at=at(0.5))
    acme.add_messages(*({"customer_id": id_, "scheduled_at": time} for time in ANSWERED))
    query = """query($id: ID!) { customer(id: $id) { id signedUpAt sent: messagedAt
      messages(first: 9) { edges { node { id scheduledAt sentAt } } nodes { scheduledAt } } } }"""

    customer = acme.client.data(query, id=id_)["customer"]
    node = acme.client.data(
        "query($id: ID!) { node(id: $id) { ... on Message { scheduledAt } ... on Customer { signedUpAt } } }",
        id=customer["messages"]["edges"][0]["node"]["id"],
    )["node"]

    newest = list(reversed(ANSWERED.values()))
    assert (customer["signedUpAt"], customer["sent"]) == ("2026-03-01T12:00:30Z", None)
    assert [message["scheduledAt"] for message in customer["messages"]["nodes"]] == newest
    assert [edge["node"]["scheduledAt"] for edge in customer["messages"]["edges"]] == newest
    assert {edge["node"]["sentAt"] for edge in customer["messages"]["edges"]} == {None}
    assert node == {"scheduledAt": newest[0]}


def test_infinite_timestamps_of_older_versions_are_the_earliest_and_the_latest(
    postgresql_url: str, serve: MakeServer
) -> None:
    acme = Tenant(serve(Settings(database_url=postgresql_url)), postgresql_url, "acme")
    times = [FIRST, FIRST, NOON, LAST, LAST]
    ids = acme.add_customers(*({"signed_up_at": time} for time in times))
    for id_, infinity in ((ids[0], "-infinity"), (ids[-1], "infinity")):
        stores.execute(
            postgresql_url,
            "UPDATE customer SET signed_up_at = CAST(:at AS text)::timestamptz WHERE id = :id",
            at=infinity,
            id=id_,
        )

    assert paged(acme.client) == [(id_, ANSWERED[time]) for id_, time in zip(ids, times, strict=True)]
    acme.close()


def test_a_foreign_value_in_the_file_is_read_if_it_is_a_time_and_is_an_error_of_its_field_if_not(
    sqlite_url: str, serve: MakeServer
) -> None:
    acme = Tenant(serve(Settings(database_url=sqlite_url)), sqlite_url, "acme")
    for value in ("2026-03-01 12:00:00", "2026-03-01T14:00:00+02:00", "soon"):
        id_ = acme.add_customer()
        stores.execute(sqlite_url, "UPDATE customer SET signed_up_at = :value WHERE id = :id", value=value, id=id_)

    query = (
        "query($count: Int) { customers(first: $count, sortKey: CREATED_AT, sortDir: ASC) { nodes { signedUpAt } } }"
    )
    times = [{"signedUpAt": ANSWERED[NOON]}] * 2
    answer = acme.client.answer(query, count=3)

    assert acme.client.data(query, count=2) == {"customers": {"nodes": times}}
    assert answer["data"] == {"customers": {"nodes": [*times, {"signedUpAt": None}]}}
    (fault,) = answer["errors"]
    assert fault["path"] == ["customers", "nodes", 2, "signedUpAt"]
    assert fault["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert "soon" not in str(fault)
    acme.close()
