"""recordMessages (contract, section 9)."""

from typing import Any
from uuid import UUID, uuid5

import pytest

from at_once import at_once
from factories import Tenant, at
from graphql_client import GraphQLClient
from mutations import on_customer
from statements import recorded

RECORD = """
mutation($input: [RecordMessageInput!]!) {
  recordMessages(input: $input) {
    messages {
      databaseId uuid customer { databaseId askedAt messagedAt } askId channel template status scheduledAt processedAt
      sentAt deliveredAt openedAt clickedAt failedAt failedReason complainedAt canceledAt createdAt
    }
    userErrors { field message code }
  }
}
"""
LETTERS = UUID("6ba7b813-9dad-11d1-80b4-00c04fd430c8")
NEW = {"channel": "EMAIL", "template": "REQUEST", "scheduledAt": "2026-03-01T12:00:00Z"}
T1, T2 = "2026-03-02T00:00:00Z", "2026-03-03T00:00:00.000001Z"


def uuid(number: int) -> str:
    return str(uuid5(LETTERS, str(number)))


def payload_of(client: GraphQLClient, *items: dict[str, Any]) -> Any:
    return client.data(RECORD, input=items)["recordMessages"]


def recorded_messages(client: GraphQLClient, *items: dict[str, Any]) -> list[Any]:
    payload = payload_of(client, *items)
    assert payload["userErrors"] == []
    return list(payload["messages"])


def mistakes(client: GraphQLClient, *items: dict[str, Any]) -> set[tuple[str, str]]:
    payload = payload_of(client, *items)
    assert payload["messages"] is None
    assert all(error["message"] for error in payload["userErrors"])
    return {(".".join(error["field"]), error["code"]) for error in payload["userErrors"]}


def new(number: int, customer: Any, **values: Any) -> dict[str, Any]:
    return {"uuid": uuid(number), "customerId": customer, **NEW, **values}


def test_every_value_is_stored_kept_where_it_is_absent_and_cleared_by_null(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer()
    times = "sentAt deliveredAt openedAt clickedAt failedAt complainedAt".split()
    values = {"askId": str(2**63 - 1), "failedReason": "a\nb", **dict.fromkeys(times, T1)}

    [message] = recorded_messages(client, new(1, id_, **values))
    assert {name: message[name] for name in values} == values | {"askId": 2**63 - 1}
    assert (message["status"], message["customer"]["databaseId"]) == ("COMPLAINED", id_)

    [changed] = recorded_messages(client, {"uuid": uuid(1), "channel": "SMS", "openedAt": T2})
    assert changed == message | {"channel": "SMS", "openedAt": T2}

    [cleared] = recorded_messages(client, {"uuid": uuid(1), **dict.fromkeys(values)})
    assert {cleared[name] for name in values} == {None}


def test_the_customer_is_named_by_any_of_its_ids_or_contacts(acme: Tenant, client: GraphQLClient) -> None:
    customer = uuid(99)
    id_ = acme.add_customer(uuid=UUID(customer), email="ann@example.com", phone="+14155550123")
    contacts = [{"email": "ANN@example.com"}, {"phone": "+1 415 555 0123"}]
    items = [new(number, name) for number, name in enumerate([id_, str(id_), customer])]
    items += [new(9 + place, None, **contact) for place, contact in enumerate(contacts)]
    items.append(new(20, id_, **contacts[0], **contacts[1]))

    messages = recorded_messages(client, *items)

    assert {message["customer"]["databaseId"] for message in messages} == {id_}
    assert [message["uuid"] for message in messages] == [item["uuid"] for item in items]


def test_names_that_lead_to_nobody_or_to_two_customers_are_refused(acme: Tenant, client: GraphQLClient) -> None:
    ann, _bob = acme.add_customers({"email": "ann@example.com"}, {"phone": "+14155550123"})
    before = acme.rows()

    assert mistakes(
        client,
        new(0, 404),
        new(1, "what"),
        new(2, None, email="nobody@example.com", phone="+1 415 555 0199"),
        new(3, ann, email="nobody@example.com"),
        new(4, ann, phone="+1 415 555 0123"),
        new(5, None, email="ann@example.com", phone="+1 415 555 0123"),
        new(6, None),
        new(7, None, email=" "),
        new(8, ann, email="x"),
    ) == {
        ("input.0.customerId", "NOT_FOUND"),
        ("input.1.customerId", "NOT_FOUND"),
        ("input.2.email", "NOT_FOUND"),
        ("input.2.phone", "NOT_FOUND"),
        ("input.3.email", "NOT_FOUND"),
        ("input.4.phone", "INVALID"),
        ("input.5.phone", "INVALID"),
        ("input.6.customerId", "BLANK"),
        ("input.7.customerId", "BLANK"),
        ("input.8.email", "INVALID"),
    }
    assert acme.rows() == before


def test_a_known_message_belongs_to_its_own_customer(acme: Tenant, client: GraphQLClient) -> None:
    ann, bob = acme.add_customers({"email": "ann@example.com"}, {"email": "bob@example.com"})
    recorded_messages(client, new(1, ann))

    assert mistakes(client, {"uuid": uuid(1), "customerId": bob}) == {("input.0.uuid", "TAKEN")}
    assert mistakes(client, {"uuid": uuid(1), "email": "bob@example.com"}) == {("input.0.uuid", "TAKEN")}
    [same] = recorded_messages(client, {"uuid": uuid(1), "email": "ANN@example.com", "askId": 1})
    assert same["customer"]["databaseId"] == ann


def test_a_new_message_needs_its_values_and_they_cannot_be_cleared(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer()
    recorded_messages(client, new(1, id_))
    names = ("channel", "template", "scheduledAt")

    blank = {(f"input.0.{name}", "BLANK") for name in names}
    assert mistakes(client, {"uuid": uuid(2), "customerId": id_}) == blank
    assert mistakes(client, {"uuid": uuid(1), **dict.fromkeys(names)}) == blank


def test_the_same_call_again_changes_nothing(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer()
    items = [new(1, id_, processedAt=T1, sentAt=T2), new(2, id_, canceledAt=T1, askId=None), new(3, id_, clickedAt=T1)]
    first = recorded_messages(client, *items)
    before = acme.rows()

    assert recorded_messages(client, *items) == first

    assert acme.rows() == before


def test_calls_at_once_have_one_effect(acme: Tenant, client: GraphQLClient) -> None:
    ids = acme.add_customers(*({} for _ in range(4)))
    items = [new(number, ids[number % 4], sentAt=T1) for number in range(40)]

    at_once(*[lambda: recorded_messages(client, *items), lambda: recorded_messages(client, *reversed(items))] * 2)

    assert len(acme.rows()["message"]) == 40


def test_customers_remember_what_is_recorded(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer()

    _, last = recorded_messages(client, new(1, id_, sentAt=T2), new(2, id_, template="REMINDER", sentAt=T1))
    assert last["customer"] == {"databaseId": id_, "askedAt": NEW["scheduledAt"], "messagedAt": T2}
    assert client.data("{ customers(filter: MISSED) { totalCount } }")["customers"]["totalCount"] == 0

    [less] = recorded_messages(client, {"uuid": uuid(1), "sentAt": None, "template": "REMINDER", "clickedAt": T1})
    assert less["customer"] == {"databaseId": id_, "askedAt": None, "messagedAt": T1}
    assert client.data("{ customers(filter: MISSED) { totalCount } }")["customers"]["totalCount"] == 1


def test_recording_leaves_updated_at_of_the_customer(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer(updated_at=at(1))

    recorded_messages(client, new(1, id_, sentAt=T1))

    answer = client.data("query($id: ID!) { customer(id: $id) { updatedAt } }", id=id_)
    assert answer["customer"]["updatedAt"] == "2026-03-01T12:01:00Z"


@pytest.mark.parametrize("name", ["processedAt", "sentAt"])
def test_a_canceled_message_is_neither_claimed_nor_sent(acme: Tenant, client: GraphQLClient, name: str) -> None:
    id_ = acme.add_customer()
    recorded_messages(client, new(1, id_), new(2, id_, canceledAt=T1))
    client.data(on_customer("cancelCustomerUnsentMessages"), id=id_)
    before = acme.rows()

    assert mistakes(
        client,
        {"uuid": uuid(1), name: T1},
        {"uuid": uuid(2), name: T1, "canceledAt": None},
        new(3, id_, canceledAt=T1, **{name: T1}),
    ) == {(f"input.{place}.{name}", "INVALID") for place in range(3)}
    assert acme.rows() == before
    recorded_messages(client, {"uuid": uuid(1), name: None})


@pytest.mark.parametrize("other", [T2, None])
def test_a_claim_takes_no_other_value(acme: Tenant, client: GraphQLClient, other: str | None) -> None:
    id_ = acme.add_customer()
    recorded_messages(client, new(1, id_, processedAt=T1))

    assert mistakes(client, {"uuid": uuid(1), "processedAt": other}) == {("input.0.processedAt", "TAKEN")}
    same, _ = recorded_messages(client, {"uuid": uuid(1), "processedAt": T1, "sentAt": T2}, new(2, id_))
    assert (same["processedAt"], same["sentAt"]) == (T1, T2)


def test_of_claims_at_once_one_wins(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer()
    for number in range(8):
        recorded_messages(client, new(number, id_))
        times = [f"2026-03-02T00:00:0{second}Z" for second in range(4)]

        payloads = at_once(
            *[lambda time=time: payload_of(client, {"uuid": uuid(number), "processedAt": time}) for time in times]  # noqa: B023
        )

        assert sorted(len(payload["userErrors"]) for payload in payloads) == [0, 1, 1, 1]


@pytest.mark.parametrize("name", ["archiveCustomer", "cancelCustomerUnsentMessages"])
def test_a_message_is_claimed_or_canceled_at_the_same_moment_and_never_both(
    acme: Tenant, client: GraphQLClient, name: str
) -> None:
    for number, id_ in enumerate(acme.add_customers(*({} for _ in range(8)))):
        items = [new(number * 10 + place, id_) for place in range(5)]
        recorded_messages(client, *items)
        claims = [lambda item=item: payload_of(client, {"uuid": item["uuid"], "processedAt": T1}) for item in items]

        *claimed, canceled = at_once(*claims, lambda: client.data(on_customer(name, "canceledMessagesCount"), id=id_))  # noqa: B023

        won = sum(not payload["userErrors"] for payload in claimed)
        assert won + canceled[name]["canceledMessagesCount"] == 5
        rows = recorded_messages(client, *({"uuid": item["uuid"]} for item in items))
        assert [bool(row["processedAt"]) + bool(row["canceledAt"]) for row in rows] == [1] * 5


def test_one_uuid_twice_is_taken_at_the_second(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer()

    assert mistakes(client, new(1, id_), new(2, id_), new(1, id_)) == {("input.2.uuid", "TAKEN")}


def test_a_hundred_items_are_allowed_and_one_more_is_not_and_none_is_nothing(
    acme: Tenant, client: GraphQLClient
) -> None:
    items = [new(number, acme.add_customer()) for number in range(101)]

    assert mistakes(client, *items) == {("input", "TOO_MANY")}
    assert len(recorded_messages(client, *items[:100])) == 100
    assert recorded_messages(client) == []


def test_the_number_of_statements_does_not_depend_on_the_number_of_items(acme: Tenant, client: GraphQLClient) -> None:
    ids = acme.add_customers(*({"email": f"c{number}@example.com"} for number in range(100)))
    names = ["openedAt", "sentAt", "clickedAt", "failedAt"]
    counts = []
    for count, start in ((1, 0), (10, 100), (100, 200)):
        numbers = range(count)
        with recorded() as statements:
            recorded_messages(client, *(new(start + number, ids[number]) for number in numbers))
            recorded_messages(client, *({"uuid": uuid(start + number), names[number % 4]: T1} for number in numbers))
        counts.append(len(statements))

    assert counts == [counts[0]] * 3, counts


def test_another_projects_messages_and_customers_are_unknown(acme: Tenant, make_tenant: Any) -> None:
    id_ = acme.add_customer(email="ann@example.com")
    recorded_messages(acme.client, new(1, id_))
    before = acme.rows()
    other = make_tenant("other")

    assert mistakes(other.client, new(1, id_)) == {("input.0.customerId", "NOT_FOUND")}
    assert mistakes(other.client, {"uuid": uuid(1), "askId": 1}) == {
        ("input.0.customerId", "BLANK"),
        *((f"input.0.{name}", "BLANK") for name in NEW),
    }
    assert acme.rows() == before
