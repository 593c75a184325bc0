"""The mutations on one customer: what all of them promise, and what archiving and unsubscribing do (section 5)."""

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

# One message of each kind that an act must leave as it is.
DECIDED: tuple[dict[str, Any], ...] = (
    {"processed_at": at(1)},
    {"sent_at": at(1)},
    {"failed_at": at(1), "failed_reason": "no such address"},
    {"canceled_at": at(1)},
    {"processed_at": at(1), "sent_at": at(2), "clicked_at": at(3)},
)


def payload_of(client: GraphQLClient, name: str, id_: object, selection: str | None = None) -> Any:
    return client.data(on_customer(name, selection), id=id_)[name]


def done(client: GraphQLClient, name: str, id_: object, selection: str = STATE) -> Any:
    counted = f"{selection} {COUNT}" if name in CANCELING else selection
    payload = payload_of(client, name, id_, counted)
    assert payload["userErrors"] == []
    return payload


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_every_form_of_an_id_names_the_customer(acme: Tenant, client: GraphQLClient, name: str) -> None:
    forms = "databaseId id uuid"
    for form in range(5):
        customer = client.data(f"query($id: ID!) {{ customer(id: $id) {{ {forms} }} }}", id=acme.add_customer())[
            "customer"
        ]
        given: list[object] = [
            customer["databaseId"],
            str(customer["databaseId"]),
            customer["id"],
            customer["uuid"],
            customer["uuid"].upper(),
        ]
        payload = payload_of(client, name, given[form])
        assert payload["userErrors"] == []
        if name == "deleteCustomer":
            assert payload["deletedCustomerId"] == customer["id"]
        else:
            assert payload["customer"]["databaseId"] == customer["databaseId"]


@pytest.mark.parametrize("name", ARGUMENTS)
def test_what_names_no_customer_is_not_found(acme: Tenant, client: GraphQLClient, name: str) -> None:
    known = acme.add_customer()
    acme.add_messages({"customer_id": known})
    location = acme.add_locations("north")[0]
    project_id, location_id = client.data("query { project { id } locations { id databaseId } }").values()
    assert location_id[0]["databaseId"] == location
    before = acme.rows()
    unknown: list[Any] = [
        known + 1, 0, -1, 2**63, 10**30, f"0{known}", f"+{known}", f" {known}", f"{known}.0", "", "\x00", "\u0661",
        "Customer:1", "00000000-0000-4000-8000-000000000000", "{%s}" % ("0" * 32), "x" * 100_000,
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
def test_an_id_that_is_no_text_and_no_whole_number_is_bad_input(client: GraphQLClient, name: str) -> None:
    for given in (1.5, True, None, ["1"], {"id": "1"}):
        assert client.code(on_customer(name), id=given) == "BAD_USER_INPUT"


@pytest.mark.parametrize("name", REPEATABLE)
def test_archived_customers_are_changed_like_others(acme: Tenant, client: GraphQLClient, name: str) -> None:
    id_ = acme.add_customer(archived_at=at(0), unsubscribed_at=at(0))
    assert payload_of(client, name, id_)["customer"] == {"databaseId": id_}


@pytest.mark.parametrize("name", CANCELING)
def test_unsent_messages_are_canceled_and_shown_so_at_once(acme: Tenant, client: GraphQLClient, name: str) -> None:
    id_ = acme.add_customer()
    acme.add_messages(*({"customer_id": id_, "scheduled_at": at(day)} for day in (0, 1, 10_000_000)))
    before = datetime.now(UTC)
    payload = done(client, name, id_)
    assert payload[COUNT] == 3
    messages = payload["customer"]["messages"]["nodes"]
    assert [message["status"] for message in messages] == ["CANCELED"] * 3
    (canceled_at,) = {message["canceledAt"] for message in messages}
    assert before <= moment(canceled_at) <= datetime.now(UTC)


@pytest.mark.parametrize("name", CANCELING)
def test_messages_that_are_decided_stay_as_they_are(acme: Tenant, client: GraphQLClient, name: str) -> None:
    id_, other = acme.add_customers({}, {})
    acme.add_messages(*({"customer_id": id_, **times} for times in DECIDED), {"customer_id": other})
    before = acme.rows()["message"]
    assert done(client, name, id_)[COUNT] == 0
    assert acme.rows()["message"] == before


@pytest.mark.parametrize("name", CANCELING)
def test_more_messages_than_a_page_are_canceled(acme: Tenant, client: GraphQLClient, name: str) -> None:
    id_ = acme.add_customer()
    acme.add_messages(*({"customer_id": id_} for _ in range(250)))
    assert done(client, name, id_)[COUNT] == 250
    assert done(client, name, id_)[COUNT] == 0


@pytest.mark.parametrize(("name", "stamp"), STAMPING.items())
def test_the_stamp_is_set_once_and_moves_updated_at(acme: Tenant, client: GraphQLClient, name: str, stamp: str) -> None:
    id_ = acme.add_customer()
    before = datetime.now(UTC)
    customer = done(client, name, id_)["customer"]
    assert before <= moment(customer[stamp]) <= datetime.now(UTC)
    assert customer["updatedAt"] == customer[stamp]
    assert (customer["isArchived"], customer["isUnsubscribed"]) == (
        stamp == "archivedAt",
        stamp == "unsubscribedAt",
    )
    assert done(client, name, id_)["customer"] == customer


@pytest.mark.parametrize(("name", "stamp"), STAMPING.items())
def test_a_repeat_cancels_what_was_scheduled_since_and_changes_nothing_else(
    acme: Tenant, client: GraphQLClient, name: str, stamp: str
) -> None:
    id_ = acme.add_customer()
    first = done(client, name, id_)["customer"]
    acme.add_messages({"customer_id": id_}, {"customer_id": id_})
    again = done(client, name, id_)
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
    stamped = done(client, setting, id_)["customer"]
    cleared = done(client, name, id_)["customer"]
    assert cleared[stamp] is None
    assert cleared["messages"] == stamped["messages"]
    assert moment(cleared["updatedAt"]) > moment(stamped["updatedAt"])
    assert (cleared["isArchived"], cleared["isUnsubscribed"]) == (False, False)
    assert done(client, name, id_)["customer"] == cleared


@pytest.mark.parametrize(("name", "stamp"), CLEARING.items())
def test_clearing_what_is_not_set_changes_nothing_and_cancels_nothing(
    acme: Tenant, client: GraphQLClient, name: str, stamp: str
) -> None:
    id_ = acme.add_customer()
    acme.add_messages({"customer_id": id_})
    before = acme.rows()
    assert done(client, name, id_)["customer"][stamp] is None
    assert acme.rows() == before


def test_archiving_and_unsubscribing_are_two_things(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer()
    done(client, "archiveCustomer", id_)
    done(client, "unsubscribeCustomer", id_)
    customer = done(client, "unarchiveCustomer", id_)["customer"]
    assert (customer["isArchived"], customer["isUnsubscribed"]) == (False, True)
    done(client, "archiveCustomer", id_)
    customer = done(client, "resubscribeCustomer", id_)["customer"]
    assert (customer["isArchived"], customer["isUnsubscribed"]) == (True, False)


def test_archiving_again_after_unarchiving_sets_a_new_stamp(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer()
    first = done(client, "archiveCustomer", id_)["customer"]["archivedAt"]
    done(client, "unarchiveCustomer", id_)
    assert moment(done(client, "archiveCustomer", id_)["customer"]["archivedAt"]) > moment(first)


def test_an_archived_customer_leaves_lists_and_comes_back(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer()
    lists = "{ shown: customers { totalCount } archived: customers(filter: ARCHIVED) { totalCount } }"

    def counts() -> list[int]:
        return [found["totalCount"] for found in client.data(lists).values()]

    assert counts() == [1, 0]
    done(client, "archiveCustomer", id_)
    assert counts() == [0, 1]
    done(client, "unarchiveCustomer", id_)
    assert counts() == [1, 0]


def test_canceling_touches_nothing_but_the_messages(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer()
    acme.add_messages({"customer_id": id_}, {"customer_id": id_, "sent_at": at(5)})
    before = acme.rows()
    assert done(client, "cancelCustomerUnsentMessages", id_)[COUNT] == 1
    after = acme.rows()
    assert after["message"] != before["message"]
    assert {**after, "message": None} == {**before, "message": None}


@pytest.mark.parametrize("name", CANCELING)
def test_a_customer_was_asked_whatever_came_of_it(acme: Tenant, client: GraphQLClient, name: str) -> None:
    id_ = acme.add_customer()
    acme.add_messages({"customer_id": id_, "scheduled_at": at(7)})
    assert done(client, name, id_)["customer"]["askedAt"] == "2026-03-01T12:07:00Z"


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

    def seen(alias: str) -> tuple[Any, ...]:
        customer = data[alias]["customer"]
        slugs = [tag["slug"] for tag in customer["tags"]]
        statuses = [message["status"] for message in customer["messages"]["nodes"]]
        return customer["isArchived"], customer["isUnsubscribed"], customer["notes"], slugs, statuses

    assert seen("a") == (False, False, "new", [], ["SCHEDULED"])
    assert seen("b") == (True, False, "new", [], ["CANCELED"])
    assert data["c"] == {COUNT: 0, "customer": None, "userErrors": [{"code": "NOT_FOUND"}]}
    assert seen("d") == (False, False, "new", [], ["CANCELED"])
    assert seen("e") == (False, False, "new", ["vip"], ["CANCELED"])
    assert seen("f") == (False, True, "new", ["vip"], ["CANCELED"])
    assert (data["b"][COUNT], data["f"][COUNT]) == (1, 0)
    assert data["g"]["deletedCustomerId"] is not None
    assert data["h"] == {"userErrors": [{"code": "NOT_FOUND"}]}


@pytest.mark.parametrize("name", CANCELING)
def test_what_a_payload_says_is_what_the_next_query_reads(acme: Tenant, client: GraphQLClient, name: str) -> None:
    id_ = acme.add_customer()
    acme.add_messages({"customer_id": id_})
    payload = done(client, name, id_)["customer"]
    customer = client.data(STATUSES, id=id_)["customer"]
    assert customer["updatedAt"] == payload["updatedAt"]
    assert customer["messages"]["nodes"] == [{"status": "CANCELED"}]
