"""Two changes of one customer at the same time end as if one had followed the other (contract, section 5)."""

from typing import Any

import pytest

import stores
from at_once import Job, at_once
from factories import Tenant
from mutations import CREATE, on_customer

pytestmark = pytest.mark.slow

ROUNDS = 12


def acting(tenant: Tenant, name: str, id_: int, selection: str, arguments: str | None = None) -> Job:
    mutation = on_customer(name, selection, arguments)
    return lambda: tenant.client.data(mutation, id=id_)[name]


def history(tenant: Tenant, id_: int) -> Any:
    query = """query($id: ID!) { customer(id: $id) {
      archivedAt notes tags { slug } messages(first: 100) { nodes { canceledAt processedAt } }
    } }"""
    return tenant.client.data(query, id=id_)["customer"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("archiveCustomer", "archiveCustomer"),
        ("unsubscribeCustomer", "cancelCustomerUnsentMessages"),
        ("archiveCustomer", "unsubscribeCustomer"),
    ],
)
def test_each_unsent_message_is_canceled_by_only_one_of_two_mutations(acme: Tenant, one: str, other: str) -> None:
    selection = "canceledMessagesCount customer { archivedAt unsubscribedAt messages { nodes { status } } }"
    for id_ in acme.add_customers(*({} for _ in range(ROUNDS))):
        acme.add_messages(*({"customer_id": id_} for _ in range(5)))
        answers = at_once(*(acting(acme, name, id_, selection) for name in (one, other)))
        assert all(answer["userErrors"] == [] for answer in answers)
        assert sorted(answer["canceledMessagesCount"] for answer in answers) == [0, 5]
        for answer in answers:
            statuses = [message["status"] for message in answer["customer"]["messages"]["nodes"]]
            assert statuses == ["CANCELED"] * 5
        if one == other:
            assert answers[0]["customer"]["archivedAt"] == answers[1]["customer"]["archivedAt"] is not None


def test_of_two_lists_of_tags_one_is_stored_completely(acme: Tenant) -> None:
    acme.add_tags("a", "b", "c", "d")
    lists = ['["a", "b"]', '["c", "d"]']
    for id_ in acme.add_customers(*({} for _ in range(ROUNDS))):
        jobs = (
            acting(acme, "updateCustomerTags", id_, "customer { tags { slug } }", f", tagSlugs: {slugs}")
            for slugs in lists
        )
        assert all(answer["userErrors"] == [] for answer in at_once(*jobs))
        slugs = "".join(tag["slug"] for tag in history(acme, id_)["tags"])
        assert slugs in {"ab", "cd"}


@pytest.mark.parametrize("contact", ["email", "phone"])
def test_of_two_customers_with_one_contact_one_is_added(acme: Tenant, contact: str) -> None:
    for number in range(ROUNDS):
        same = {"email": (f"Ada{number}@example.com", f"aDA{number}@EXAMPLE.com")}
        same["phone"] = (f"+1415555{100 + number:04}", f"+1 415 555 {100 + number:04}")
        inputs: list[dict[str, Any]] = [{"firstName": "Ada", contact: value} for value in same[contact]]
        payloads = [
            answer["createCustomer"]
            for answer in at_once(
                lambda: acme.client.data(CREATE, input=inputs[0]),  # noqa: B023 - done within its round
                lambda: acme.client.data(CREATE, input=inputs[1]),  # noqa: B023
            )
        ]
        assert sorted(payload["customer"] is None for payload in payloads) == [False, True]
        errors = [error for payload in payloads for error in payload["userErrors"]]
        assert [(error["field"], error["code"]) for error in errors] == [(["input", contact], "TAKEN")]
    assert len(acme.rows()["customer"]) == ROUNDS


@pytest.mark.parametrize("name", ["updateCustomerNotes", "updateCustomerTags", "archiveCustomer"])
def test_deleting_wins_over_a_change_or_comes_after_it(acme: Tenant, name: str) -> None:
    acme.add_tags("vip")
    arguments = ', tagSlugs: ["vip"]' if name == "updateCustomerTags" else None
    for id_ in acme.add_customers(*({} for _ in range(ROUNDS))):
        acme.add_messages({"customer_id": id_})
        # The selected field is nullable: the customer may be deleted before the payload is read.
        changed, deleted = at_once(
            acting(acme, name, id_, "customer { databaseId messages { totalCount } }", arguments),
            acting(acme, "deleteCustomer", id_, "deletedCustomerId"),
        )
        assert deleted["userErrors"] == []
        assert [error["code"] for error in changed["userErrors"]] in ([], ["NOT_FOUND"])
    rows = acme.rows()
    assert [rows[table] for table in ("customer", "customer_tag", "message")] == [[], [], []]


def test_of_two_deletions_one_is_not_found(acme: Tenant) -> None:
    for id_ in acme.add_customers(*({} for _ in range(ROUNDS))):
        job = acting(acme, "deleteCustomer", id_, "deletedCustomerId")
        answers = at_once(job, job)
        codes = sorted([error["code"] for error in answer["userErrors"]] for answer in answers)
        assert codes == [[], ["NOT_FOUND"]]


def test_many_changes_of_one_customer_all_succeed(acme: Tenant) -> None:
    id_ = acme.add_customer()
    notes = [f"notes {number}" for number in range(16)]
    answers = at_once(
        *(acting(acme, "updateCustomerNotes", id_, "customer { id }", f', notes: "{text}"') for text in notes)
    )
    assert all(answer["userErrors"] == [] for answer in answers)
    assert history(acme, id_)["notes"] in notes


def sending(tenant: Tenant, message_ids: list[int]) -> Job:
    """Return a job that marks unsent messages as processed, like the platform's sender; its result is their number."""
    take = (
        "UPDATE message SET processed_at = '2026-03-01T12:00:00.000000Z'"
        " WHERE id = :id AND processed_at IS NULL AND canceled_at IS NULL"
    )
    return lambda: stores.execute_each(tenant.database_url, take, [{"id": id_} for id_ in message_ids])


@pytest.mark.parametrize("name", ["archiveCustomer", "unsubscribeCustomer", "cancelCustomerUnsentMessages"])
def test_a_message_is_either_canceled_or_sent(acme: Tenant, name: str) -> None:
    for id_ in acme.add_customers(*({} for _ in range(ROUNDS))):
        message_ids = acme.add_messages(*({"customer_id": id_} for _ in range(20)))
        answer, sent_count = at_once(acting(acme, name, id_, "canceledMessagesCount"), sending(acme, message_ids))
        assert answer["canceledMessagesCount"] + sent_count == 20
        messages = history(acme, id_)["messages"]["nodes"]
        assert [bool(each["canceledAt"]) + bool(each["processedAt"]) for each in messages] == [1] * 20
        assert sum(bool(each["processedAt"]) for each in messages) == sent_count
