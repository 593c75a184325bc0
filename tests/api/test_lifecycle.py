"""The mutations on one customer: the promises of all of them, and archiving and unsubscribing (section 5)."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from factories import Tenant, at
from graphql_client import GraphQLClient
from mutations import ARGUMENTS, CANCELING, REPEATABLE, STAMPING, on_customer

CLEARING = {"unarchiveCustomer": "archivedAt", "resubscribeCustomer": "unsubscribedAt"}
STATE = """
customer {
  archivedAt unsubscribedAt isArchived isUnsubscribed updatedAt askedAt messagedAt
  messages { nodes { status canceledAt } totalCount }
}
"""
COUNT = "canceledMessagesCount"
STATUSES = "query($id: ID!) { customer(id: $id) { messages { nodes { status } } updatedAt } }"

# One message of each kind that a mutation must not change.
NOT_CANCELABLE: tuple[dict[str, Any], ...] = (
    {"processed_at": at(1)},
    {"sent_at": at(1)},
    {"failed_at": at(1), "failed_reason": "no such address"},
    {"canceled_at": at(1)},
    {"processed_at": at(1), "sent_at": at(2), "clicked_at": at(3)},
)


def payload_of(client: GraphQLClient, name: str, id_: object, selection: str | None = None) -> Any:
    return client.data(on_customer(name, selection), id=id_)[name]


def succeed(client: GraphQLClient, name: str, id_: object, selection: str = STATE) -> Any:
    fields = f"{selection} {COUNT}" if name in CANCELING else selection
    payload = payload_of(client, name, id_, fields)
    assert payload["userErrors"] == []
    return payload


def parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text)


FORMS: tuple[Callable[[dict[str, Any]], object], ...] = (
    lambda customer: customer["databaseId"],
    lambda customer: str(customer["databaseId"]),
    lambda customer: customer["id"],
    lambda customer: customer["uuid"],
    lambda customer: customer["uuid"].upper(),
)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_every_form_of_an_id_names_the_customer(acme: Tenant, client: GraphQLClient, name: str) -> None:
    acme.add_customers(*({} for _ in FORMS))
    customers = client.data("{ customers { nodes { databaseId id uuid } } }")["customers"]["nodes"]

    payloads = [payload_of(client, name, form(customer)) for form, customer in zip(FORMS, customers, strict=True)]

    assert [payload["userErrors"] for payload in payloads] == [[]] * len(FORMS)
    if name == "deleteCustomer":
        assert [payload["deletedCustomerId"] for payload in payloads] == [customer["id"] for customer in customers]
    else:
        expected = [{"databaseId": customer["databaseId"]} for customer in customers]
        assert [payload["customer"] for payload in payloads] == expected


@pytest.mark.parametrize("name", ARGUMENTS)
def test_an_id_of_no_customer_is_not_found(acme: Tenant, client: GraphQLClient, name: str) -> None:
    customer = acme.add_customer()
    acme.add_messages({"customer_id": customer})
    location = acme.add_locations("north")[0]
    project_id, location_id = client.data("query { project { id } locations { id databaseId } }").values()
    assert location_id[0]["databaseId"] == location
    before = acme.rows()
    unknown: list[Any] = [
        customer + 1, 0, -1, 2**63, 10**30, f"0{customer}", f"+{customer}", f" {customer}", f"{customer}.0", "", "\x00",
        "\u0661", "Customer:1", "00000000-0000-4000-8000-000000000000", "{%s}" % ("0" * 32), "x" * 100_000,
        project_id["id"], location_id[0]["id"],
    ]  # fmt: skip
    answers = [payload_of(client, name, id_) for id_ in unknown]
    error = {"field": ["id"], "message": answers[0]["userErrors"][0]["message"], "code": "NOT_FOUND"}
    assert all(answer["userErrors"] == [error] for answer in answers)
    assert all(set(map(str, answer.values())) == {"None", str([error])} for answer in answers)
    assert acme.rows() == before


@pytest.mark.parametrize("name", CANCELING)
def test_a_failure_cancels_no_message(client: GraphQLClient, name: str) -> None:
    payload = payload_of(client, name, 1, f"customer {{ id }} {COUNT}")
    assert (payload["customer"], payload[COUNT]) == (None, 0)
    assert [error["code"] for error in payload["userErrors"]] == ["NOT_FOUND"]


@pytest.mark.parametrize("name", ARGUMENTS)
def test_an_id_that_is_neither_text_nor_an_integer_is_bad_input(client: GraphQLClient, name: str) -> None:
    ids: tuple[object, ...] = (1.5, True, None, ["1"], {"id": "1"})
    assert [client.code(on_customer(name), id=id_) for id_ in ids] == ["BAD_USER_INPUT"] * len(ids)


@pytest.mark.parametrize("name", REPEATABLE)
def test_archived_customers_are_changed_like_others(acme: Tenant, client: GraphQLClient, name: str) -> None:
    id_ = acme.add_customer(archived_at=at(0), unsubscribed_at=at(0))
    assert payload_of(client, name, id_)["customer"] == {"databaseId": id_}


@pytest.mark.parametrize("name", CANCELING)
def test_unsent_messages_are_canceled_in_the_payload_already(acme: Tenant, client: GraphQLClient, name: str) -> None:
    id_ = acme.add_customer()
    acme.add_messages(*({"customer_id": id_, "scheduled_at": at(day)} for day in (0, 1, 10_000_000)))
    before = datetime.now(UTC)
    payload = succeed(client, name, id_)
    assert payload[COUNT] == 3
    messages = payload["customer"]["messages"]["nodes"]
    assert [message["status"] for message in messages] == ["CANCELED"] * 3
    (canceled_at,) = {message["canceledAt"] for message in messages}
    assert before <= parse_time(canceled_at) <= datetime.now(UTC)


@pytest.mark.parametrize("name", CANCELING)
def test_messages_that_are_processed_or_canceled_do_not_change(acme: Tenant, client: GraphQLClient, name: str) -> None:
    id_, other = acme.add_customers({}, {})
    acme.add_messages(*({"customer_id": id_, **times} for times in NOT_CANCELABLE), {"customer_id": other})
    before = acme.rows()["message"]
    assert succeed(client, name, id_)[COUNT] == 0
    assert acme.rows()["message"] == before


@pytest.mark.parametrize("name", CANCELING)
def test_more_messages_than_a_page_are_canceled(acme: Tenant, client: GraphQLClient, name: str) -> None:
    id_ = acme.add_customer()
    acme.add_messages(*({"customer_id": id_} for _ in range(250)))
    assert succeed(client, name, id_)[COUNT] == 250
    assert succeed(client, name, id_)[COUNT] == 0


@pytest.mark.parametrize(("name", "stamp"), STAMPING.items())
def test_the_stamp_is_set_once_and_moves_updated_at(acme: Tenant, client: GraphQLClient, name: str, stamp: str) -> None:
    id_ = acme.add_customer()
    before = datetime.now(UTC)
    customer = succeed(client, name, id_)["customer"]
    assert before <= parse_time(customer[stamp]) <= datetime.now(UTC)
    assert customer["updatedAt"] == customer[stamp]
    assert (customer["isArchived"], customer["isUnsubscribed"]) == (
        stamp == "archivedAt",
        stamp == "unsubscribedAt",
    )
    assert succeed(client, name, id_)["customer"] == customer


@pytest.mark.parametrize(("name", "stamp"), STAMPING.items())
def test_a_repeat_cancels_what_was_scheduled_since_and_changes_nothing_else(
    acme: Tenant, client: GraphQLClient, name: str, stamp: str
) -> None:
    id_ = acme.add_customer()
    first = succeed(client, name, id_)["customer"]
    acme.add_messages({"customer_id": id_}, {"customer_id": id_})
    again = succeed(client, name, id_)
    assert again[COUNT] == 2
    assert [node["status"] for node in again["customer"]["messages"]["nodes"]] == ["CANCELED"] * 2
    assert again["customer"][stamp] == first[stamp]
    assert again["customer"]["updatedAt"] == first["updatedAt"]


@pytest.mark.parametrize(("name", "stamp"), CLEARING.items())
def test_clearing_a_stamp_keeps_canceled_messages_canceled(
    acme: Tenant, client: GraphQLClient, name: str, stamp: str
) -> None:
    setting = next(act for act, stamped in STAMPING.items() if stamped == stamp)
    id_ = acme.add_customer()
    acme.add_messages({"customer_id": id_})
    stamped = succeed(client, setting, id_)["customer"]
    cleared = succeed(client, name, id_)["customer"]
    assert cleared[stamp] is None
    assert cleared["messages"] == stamped["messages"]
    assert parse_time(cleared["updatedAt"]) > parse_time(stamped["updatedAt"])
    assert (cleared["isArchived"], cleared["isUnsubscribed"]) == (False, False)
    assert succeed(client, name, id_)["customer"] == cleared


@pytest.mark.parametrize(("name", "stamp"), CLEARING.items())
def test_clearing_an_absent_stamp_changes_nothing(acme: Tenant, client: GraphQLClient, name: str, stamp: str) -> None:
    id_ = acme.add_customer()
    acme.add_messages({"customer_id": id_})
    before = acme.rows()
    assert succeed(client, name, id_)["customer"][stamp] is None
    assert acme.rows() == before


def test_archiving_and_unsubscribing_are_independent(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer()
    succeed(client, "archiveCustomer", id_)
    succeed(client, "unsubscribeCustomer", id_)
    customer = succeed(client, "unarchiveCustomer", id_)["customer"]
    assert (customer["isArchived"], customer["isUnsubscribed"]) == (False, True)
    succeed(client, "archiveCustomer", id_)
    customer = succeed(client, "resubscribeCustomer", id_)["customer"]
    assert (customer["isArchived"], customer["isUnsubscribed"]) == (True, False)


def test_archiving_again_after_unarchiving_sets_a_new_stamp(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer()
    first = succeed(client, "archiveCustomer", id_)["customer"]["archivedAt"]
    succeed(client, "unarchiveCustomer", id_)
    assert parse_time(succeed(client, "archiveCustomer", id_)["customer"]["archivedAt"]) > parse_time(first)


def test_an_archived_customer_leaves_lists_and_comes_back(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer()
    lists = "{ shown: customers { totalCount } archived: customers(filter: ARCHIVED) { totalCount } }"

    def counts() -> list[int]:
        return [connection["totalCount"] for connection in client.data(lists).values()]

    assert counts() == [1, 0]
    succeed(client, "archiveCustomer", id_)
    assert counts() == [0, 1]
    succeed(client, "unarchiveCustomer", id_)
    assert counts() == [1, 0]


def test_canceling_changes_only_the_messages(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer()
    acme.add_messages({"customer_id": id_}, {"customer_id": id_, "sent_at": at(5)})
    before = acme.rows_beside_the_feed()
    assert succeed(client, "cancelCustomerUnsentMessages", id_)[COUNT] == 1
    after = acme.rows_beside_the_feed()
    assert after["message"] != before["message"]
    assert {**after, "message": None} == {**before, "message": None}


@pytest.mark.parametrize("name", CANCELING)
def test_asked_at_stays_when_the_request_is_canceled(acme: Tenant, client: GraphQLClient, name: str) -> None:
    id_ = acme.add_customer()
    acme.add_messages({"customer_id": id_, "scheduled_at": at(7)})
    assert succeed(client, name, id_)["customer"]["askedAt"] == "2026-03-01T12:07:00Z"


def test_mutations_of_one_operation_run_in_order_and_each_payload_sees_its_own_state(
    acme: Tenant, client: GraphQLClient
) -> None:
    id_ = acme.add_customer(notes="old")
    acme.add_messages({"customer_id": id_})
    acme.add_tags("vip")
    state = "customer { isArchived isUnsubscribed notes tags { slug } messages { nodes { status } } }"
    operation = f"""
    mutation($id: ID!) {{
      a: updateCustomerNotes(id: $id, notes: "new") {{ {state} }}
      b: archiveCustomer(id: $id) {{ canceledMessagesCount {state} }}
      c: unsubscribeCustomer(id: 0) {{ canceledMessagesCount customer {{ id }} userErrors {{ code }} }}
      d: unarchiveCustomer(id: $id) {{ {state} }}
      e: updateCustomerTags(id: $id, tagSlugs: ["vip"]) {{ {state} }}
      f: unsubscribeCustomer(id: $id) {{ canceledMessagesCount {state} }}
      g: deleteCustomer(id: $id) {{ deletedCustomerId }}
      h: deleteCustomer(id: $id) {{ userErrors {{ code }} }}
    }}
    """
    data = client.data(operation, id=id_)
    assert list(data) == list("abcdefgh")

    def customer_after(alias: str) -> tuple[Any, ...]:
        customer = data[alias]["customer"]
        slugs = [tag["slug"] for tag in customer["tags"]]
        statuses = [message["status"] for message in customer["messages"]["nodes"]]
        return customer["isArchived"], customer["isUnsubscribed"], customer["notes"], slugs, statuses

    assert customer_after("a") == (False, False, "new", [], ["SCHEDULED"])
    assert customer_after("b") == (True, False, "new", [], ["CANCELED"])
    assert data["c"] == {COUNT: 0, "customer": None, "userErrors": [{"code": "NOT_FOUND"}]}
    assert customer_after("d") == (False, False, "new", [], ["CANCELED"])
    assert customer_after("e") == (False, False, "new", ["vip"], ["CANCELED"])
    assert customer_after("f") == (False, True, "new", ["vip"], ["CANCELED"])
    assert (data["b"][COUNT], data["f"][COUNT]) == (1, 0)
    assert data["g"]["deletedCustomerId"] is not None
    assert data["h"] == {"userErrors": [{"code": "NOT_FOUND"}]}


@pytest.mark.parametrize("name", CANCELING)
def test_a_payload_equals_what_the_next_query_reads(acme: Tenant, client: GraphQLClient, name: str) -> None:
    id_ = acme.add_customer()
    acme.add_messages({"customer_id": id_})
    payload = succeed(client, name, id_)["customer"]
    customer = client.data(STATUSES, id=id_)["customer"]
    assert customer["updatedAt"] == payload["updatedAt"]
    assert customer["messages"]["nodes"] == [{"status": "CANCELED"}]
