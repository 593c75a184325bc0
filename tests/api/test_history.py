"""Nested history: newest first, page by page, in as many statements for fifty customers as for one."""

from threading import Thread
from typing import Any

import pytest

from factories import Tenant, at
from graphql_client import GraphQLClient
from statements import recorded

NESTED = {
    "location": "location { displayName }",
    "tags": "tags { slug }",
    "messages": "messages(first: 2) { nodes { status } pageInfo { hasNextPage } }",
    "messages of a status": "messages(status: [SCHEDULED], channel: EMAIL) { nodes { id } totalCount }",
    "reviews": "reviews(first: 2) { nodes { score location { slug } } }",
    "charges": "charges(first: 2) { nodes { amount location { slug } } }",
    "counts": "messages { totalCount } reviews { totalCount } charges { totalCount }",
    "back": "messages { nodes { customer { name tags { slug } } } }",
}


@pytest.mark.parametrize("field", NESTED.values(), ids=NESTED.keys())
def test_each_nested_list_takes_the_same_statements_for_1_10_and_50_parents(
    acme: Tenant, client: GraphQLClient, field: str
) -> None:
    acme.add_histories(50)
    counts = {}

    for parents in (1, 10, 50):
        with recorded() as statements:
            client.data(f"{{ customers(first: {parents}) {{ nodes {{ {field} }} }} }}")
        counts[parents] = statements

    assert len({len(statements) for statements in counts.values()}) == 1, counts


def test_messages_are_newest_first_by_schedule_then_id(acme: Tenant, client: GraphQLClient) -> None:
    customer = acme.add_customer()
    ids = acme.add_messages(*({"customer_id": customer, "scheduled_at": at(m)} for m in (5, 1, 5, 9)))

    data = client.data("{ customers { nodes { messages { totalCount nodes { databaseId } } } } }")

    messages = data["customers"]["nodes"][0]["messages"]
    assert [node["databaseId"] for node in messages["nodes"]] == [ids[3], ids[2], ids[0], ids[1]]
    assert messages["totalCount"] == 4


@pytest.mark.parametrize("field", ["messages", "reviews", "charges"])
def test_history_is_paged_by_cursor(acme: Tenant, client: GraphQLClient, field: str) -> None:
    customer = acme.add_histories(1, each=7)[0]
    query = """
      query Page($id: ID!, $first: Int, $after: String) {
        customer(id: $id) { %s(first: $first, after: $after) {
          edges { cursor node { databaseId } } pageInfo { hasNextPage hasPreviousPage endCursor }
        } }
      }
    """

    def page(**arguments: Any) -> dict[str, Any]:
        connection: dict[str, Any] = client.data(query % field, id=customer, **arguments)["customer"][field]
        return connection

    everything = [edge["node"]["databaseId"] for edge in page(first=100)["edges"]]
    first = page(first=3)
    second = page(first=4, after=first["pageInfo"]["endCursor"])

    assert [edge["node"]["databaseId"] for edge in first["edges"] + second["edges"]] == everything
    assert everything == sorted(everything, reverse=True)
    assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)
    assert (first["pageInfo"]["hasPreviousPage"], second["pageInfo"]["hasPreviousPage"]) == (False, True)
    codes = [client.code(query % field, id=customer, first=size) for size in (0, 101, -3)]
    assert codes == ["BAD_USER_INPUT"] * 3
    assert len(page(first=None)["edges"]) == 7


TIMES = ["sent_at", "opened_at", "clicked_at", "failed_at", "complained_at", "canceled_at"]
STATUSES = ["SENT", "OPENED", "CLICKED", "FAILED", "COMPLAINED", "CANCELED"]


def test_the_status_follows_from_the_times_first_match_wins(acme: Tenant, client: GraphQLClient) -> None:
    customer = acme.add_customer()
    acme.add_messages(
        {"customer_id": customer, "scheduled_at": at(0)},
        *(
            {"customer_id": customer, "scheduled_at": at(number), **dict.fromkeys(TIMES[:number], at(0))}
            for number in range(1, 7)
        ),
    )
    query = (
        "query Q($status: [MessageStatus!])"
        " { customers { nodes { messages(status: $status) { nodes { status } totalCount } } } }"
    )

    def statuses(argument: list[str] | None) -> list[str]:
        messages = client.data(query, status=argument)["customers"]["nodes"][0]["messages"]
        assert messages["totalCount"] == len(messages["nodes"])
        return [node["status"] for node in messages["nodes"]]

    assert statuses(None) == [*STATUSES[::-1], "SCHEDULED"]
    for status in [*STATUSES, "SCHEDULED"]:
        assert statuses([status]) == [status]
    assert statuses(["SENT", "CANCELED"]) == ["CANCELED", "SENT"]
    assert statuses([]) == []


def test_messages_are_filtered_by_channel(acme: Tenant, client: GraphQLClient) -> None:
    customer = acme.add_customer()
    acme.add_messages(*({"customer_id": customer, "channel": channel} for channel in ("SMS", "EMAIL", "SMS")))

    query = "{ customers { nodes { messages(channel: SMS) { totalCount nodes { channel } } } } }"

    messages = client.data(query)["customers"]["nodes"][0]["messages"]
    assert messages == {"totalCount": 2, "nodes": [{"channel": "SMS"}] * 2}


def test_the_same_field_with_other_arguments_is_another_list(acme: Tenant, client: GraphQLClient) -> None:
    acme.add_histories(2, each=3)

    data = client.data(
        "{ customers { nodes { one: messages(first: 1) { nodes { id } } all: messages { nodes { id } }"
        " none: messages(channel: SMS) { nodes { id } } } } }"
    )

    for node in data["customers"]["nodes"]:
        assert [len(node[alias]["nodes"]) for alias in ("one", "all", "none")] == [1, 3, 0]


def test_history_leads_back_to_an_archived_customer(acme: Tenant, client: GraphQLClient) -> None:
    customer = acme.add_customer(first_name="Ann", archived_at=at(0))
    acme.add_reviews({"customer_id": customer}, {"customer_id": None})

    data = client.data(
        "{ customers(filter: ARCHIVED) { nodes { reviews { nodes { customer { firstName isArchived } } } } } }"
    )

    assert data["customers"]["nodes"][0]["reviews"]["nodes"] == [{"customer": {"firstName": "Ann", "isArchived": True}}]


def test_every_value_has_the_form_of_the_contract(acme: Tenant, client: GraphQLClient) -> None:
    customer = acme.add_customer(last_name="B", created_at=at(0), signed_up_at=at(0).replace(microsecond=50))
    acme.add_charges({"customer_id": customer, "amount": -(2**62), "currency": "JPY"})

    node = client.data(
        "{ customers { nodes { name createdAt signedUpAt askedAt databaseId uuid charges { nodes { amount } } } } }"
    )["customers"]["nodes"][0]

    assert node["createdAt"] == "2026-03-01T12:00:00Z"
    assert node["signedUpAt"] == "2026-03-01T12:00:00.000050Z"
    assert node["askedAt"] is None
    assert node["databaseId"] == customer
    assert len(node["uuid"]) == 36
    assert node["charges"]["nodes"] == [{"amount": -(2**62)}]


def test_one_operation_reads_one_snapshot(acme: Tenant, client: GraphQLClient) -> None:
    """No answer has an archived customer with a scheduled message, since archiving cancels its messages."""
    customer = acme.add_customer()
    states = set()
    for _ in range(15):
        acme.add_messages({"customer_id": customer})
        archive = _in_background(acme, customer)
        is_archived = False
        while not is_archived:
            answer = client.data(
                "query Q($id: ID!) { customer(id: $id) { isArchived messages(status: [SCHEDULED]) { totalCount } } }",
                id=customer,
            )["customer"]
            is_archived = answer["isArchived"]
            states.add((is_archived, answer["messages"]["totalCount"]))
        archive.join()
        client.data("mutation U($id: ID!) { unarchiveCustomer(id: $id) { customer { id } } }", id=customer)

    assert states == {(False, 1), (True, 0)}


def _in_background(acme: Tenant, customer: int) -> Thread:
    thread = Thread(
        target=acme.client.data,
        args=("mutation A($id: ID!) { archiveCustomer(id: $id) { canceledMessagesCount } }",),
        kwargs={"id": customer},
    )
    thread.start()
    return thread
