"""upsertCustomers (contract, section 9)."""

from typing import Any
from uuid import UUID, uuid5

import pytest

from at_once import at_once
from factories import Tenant, at
from graphql_client import GraphQLClient, cost
from statements import recorded

UPSERT = """
mutation($input: [UpsertCustomerInput!]!, $by: CustomerKey) {
  upsertCustomers(input: $input, by: $by) {
    customers {
      databaseId uuid firstName lastName email phone company hasSubscription notes signedUpAt createdAt updatedAt
      archivedAt location { slug } tags { slug }
    }
    userErrors { field message code }
  }
}
"""
LETTERS = UUID("6ba7b813-9dad-11d1-80b4-00c04fd430c8")


def uuid(number: int) -> str:
    return str(uuid5(LETTERS, str(number)))


def payload_of(client: GraphQLClient, *items: dict[str, Any], by: str | None = None) -> Any:
    return client.data(UPSERT, input=items, by=by)["upsertCustomers"]


def upserted(client: GraphQLClient, *items: dict[str, Any], by: str | None = None) -> list[Any]:
    payload = payload_of(client, *items, by=by)
    assert payload["userErrors"] == []
    return list(payload["customers"])


def mistakes(client: GraphQLClient, *items: dict[str, Any], by: str | None = None) -> set[tuple[str, str]]:
    payload = payload_of(client, *items, by=by)
    assert payload["customers"] is None
    assert all(error["message"] for error in payload["userErrors"])
    return {(".".join(error["field"]), error["code"]) for error in payload["userErrors"]}


def test_unknown_customers_are_added_and_the_others_changed_in_the_order_of_the_input(
    acme: Tenant, client: GraphQLClient
) -> None:
    acme.add_locations("north")
    acme.add_tags("vip")
    known = upserted(client, {"uuid": uuid(1), "firstName": "Ann", "lastName": "Lee", "email": "ann@example.com"})[0]

    new, changed, other = upserted(
        client,
        {"uuid": uuid(2), "firstName": "Bob", "tagSlugs": ["vip"], "locationSlug": "north", "hasSubscription": True},
        {"uuid": uuid(1), "lastName": None, "company": "Orbit", "tagSlugs": ["vip"]},
        {"uuid": uuid(3), "firstName": "Cy", "phone": "+1 415 555 0123"},
    )

    assert (changed["databaseId"], changed["firstName"], changed["lastName"]) == (known["databaseId"], "Ann", None)
    assert (changed["email"], changed["company"], changed["tags"]) == ("ann@example.com", "Orbit", [{"slug": "vip"}])
    assert (new["firstName"], new["location"], new["tags"]) == ("Bob", {"slug": "north"}, [{"slug": "vip"}])
    assert (other["uuid"], other["phone"]) == (uuid(3), "+14155550123")
    assert known["databaseId"] < new["databaseId"] < other["databaseId"]


def test_a_new_customer_gets_the_defaults_of_create_customer(client: GraphQLClient) -> None:
    [customer] = upserted(client, {"uuid": uuid(1), "firstName": "Ann"})

    assert customer["signedUpAt"] == customer["createdAt"] == customer["updatedAt"]
    assert (customer["hasSubscription"], customer["tags"], customer["location"]) == (False, [], None)


CALLS: list[list[dict[str, Any]]] = [
    [{"uuid": uuid(1), "firstName": "Ann"}],
    [
        {"uuid": uuid(1), "firstName": "Ann", "signedUpAt": None, "hasSubscription": None, "tagSlugs": None},
        {"uuid": uuid(2), "firstName": " Bob ", "email": "Bob@Example.com", "phone": "+1 415 555 0123"},
        {"uuid": uuid(3), "firstName": "Cy", "tagSlugs": ["vip", " vip"], "locationSlug": "north", "notes": "a\r\nb"},
    ],
]


@pytest.mark.parametrize("items", CALLS)
def test_the_same_call_again_changes_nothing(acme: Tenant, client: GraphQLClient, items: list[dict[str, Any]]) -> None:
    acme.add_locations("north")
    acme.add_tags("vip")
    first = upserted(client, *items)
    before = acme.rows()

    assert upserted(client, *items) == first

    assert acme.rows() == before


def test_calls_at_once_have_one_effect(acme: Tenant, client: GraphQLClient) -> None:
    acme.add_tags("vip")
    items = [{"uuid": uuid(number), "firstName": f"C{number}", "tagSlugs": ["vip"]} for number in range(20)]

    answers = at_once(
        *[lambda: upserted(client, *items), lambda: upserted(client, *reversed(items))] * 2,
    )

    assert len(acme.rows()["customer"]) == 20
    assert len({answer["databaseId"] for answers_ in answers for answer in answers_}) == 20


@pytest.mark.parametrize(
    ("by", "key"), [("EMAIL", {"email": "ANN@EXAMPLE.com"}), ("PHONE", {"phone": "+1 (415) 555-0123"})]
)
def test_a_customer_is_known_by_email_or_phone(
    acme: Tenant, client: GraphQLClient, by: str, key: dict[str, str]
) -> None:
    id_ = acme.add_customer(email="ann@example.com", phone="+14155550123", company="Old")

    [known] = upserted(client, {**key, "uuid": uuid(9), "company": "New"}, by=by)

    assert (known["databaseId"], known["company"], known["uuid"] == uuid(9)) == (id_, "New", False)
    other = {"email": "bob@example.com"} if by == "EMAIL" else {"phone": "+14155550199"}
    [new] = upserted(client, {**other, "uuid": uuid(9), "firstName": "Bob"}, by=by)
    assert (new["uuid"], len(acme.rows()["customer"])) == (uuid(9), 2)


def test_by_email_a_new_customer_cannot_have_anothers_uuid(acme: Tenant, client: GraphQLClient) -> None:
    acme.add_customer(uuid=UUID(uuid(1)))
    items = [{"email": "a@example.com", "firstName": "A", "uuid": uuid(number)} for number in (1, 2)]
    items.append({"email": "b@example.com", "firstName": "B", "uuid": uuid(2)})

    assert mistakes(client, items[0], by="EMAIL") == {("input.0.uuid", "TAKEN")}
    assert mistakes(client, items[1], items[2], by="EMAIL") == {("input.1.uuid", "TAKEN")}


@pytest.mark.parametrize(
    ("by", "blank"),
    [("UUID", {}), ("UUID", {"uuid": None}), ("EMAIL", {"uuid": uuid(1), "email": " "}), ("PHONE", {"phone": None})],
)
def test_each_item_must_have_the_key(client: GraphQLClient, by: str, blank: dict[str, Any]) -> None:
    field = f"input.0.{by.lower()}"

    assert mistakes(client, {"firstName": "Ann", **blank}, by=by) == {(field, "BLANK")}
    assert mistakes(client, {"locationSlug": "none", **blank}, by=by) == {
        (field, "BLANK"),
        ("input.0.locationSlug", "NOT_FOUND"),
    }


def test_one_key_twice_is_taken_at_the_second(client: GraphQLClient) -> None:
    same = {"uuid": uuid(1), "firstName": "Ann"}
    emails = [
        {"firstName": "Ann", "email": email} for email in ("Ann@example.com", "bob@example.com", "ann@EXAMPLE.com")
    ]

    assert mistakes(client, same, {"uuid": uuid(2), "firstName": "B"}, same) == {("input.2.uuid", "TAKEN")}
    assert mistakes(client, *emails, by="EMAIL") == {("input.2.email", "TAKEN")}


def test_every_mistake_of_every_item_is_told_at_its_index_and_nothing_is_done(
    acme: Tenant, client: GraphQLClient
) -> None:
    acme.add_customer(email="taken@example.com", phone="+14155550123")
    known = acme.add_customer(uuid=UUID(uuid(9)))
    before = acme.rows()

    wrong = mistakes(
        client,
        {"uuid": uuid(1), "firstName": "Fine"},
        {"uuid": uuid(2)},
        {"uuid": uuid(3), "firstName": "", "email": "TAKEN@example.com", "notes": "n" * 5001},
        {"uuid": uuid(9), "firstName": None, "phone": "+1 415 555 0123", "tagSlugs": ["none", ""]},
        {"uuid": uuid(4), "firstName": "A", "email": "x", "locationSlug": "nowhere"},
    )

    assert wrong == {
        ("input.1.firstName", "BLANK"),
        ("input.2.firstName", "BLANK"),
        ("input.2.email", "TAKEN"),
        ("input.2.notes", "TOO_LONG"),
        ("input.3.firstName", "BLANK"),
        ("input.3.phone", "TAKEN"),
        ("input.3.tagSlugs.0", "NOT_FOUND"),
        ("input.3.tagSlugs.1", "BLANK"),
        ("input.4.email", "INVALID"),
        ("input.4.locationSlug", "NOT_FOUND"),
    }
    assert acme.rows() == before
    assert known


def test_two_new_customers_with_one_contact_are_refused(client: GraphQLClient) -> None:
    items = [{"uuid": uuid(number), "firstName": "A", "email": "a@example.com"} for number in (1, 2)]

    assert mistakes(client, *items) == {("input.1.email", "TAKEN")}


def test_a_contact_passes_from_one_customer_to_a_later_one(acme: Tenant, client: GraphQLClient) -> None:
    acme.add_customers(
        {"uuid": UUID(uuid(1)), "email": "a@example.com"}, {"uuid": UUID(uuid(2)), "email": "b@example.com"}
    )
    items = [
        {"uuid": uuid(1), "email": "new@example.com"},
        {"uuid": uuid(2), "email": "a@example.com"},
        {"uuid": uuid(3), "email": "b@example.com", "firstName": "C"},
    ]

    for _ in range(2):
        emails = [customer["email"] for customer in upserted(client, *items)]
        assert emails == ["new@example.com", "a@example.com", "b@example.com"]


def test_an_archived_customer_is_changed_and_stays_archived(acme: Tenant, client: GraphQLClient) -> None:
    acme.add_customer(uuid=UUID(uuid(1)), archived_at=at(0))

    assert upserted(client, {"uuid": uuid(1), "company": "Orbit"})[0]["archivedAt"] == "2026-03-01T12:00:00Z"


def test_the_uuid_of_a_deleted_customer_is_unknown_again(client: GraphQLClient) -> None:
    item = {"uuid": uuid(1), "firstName": "Ann", "email": "ann@example.com"}
    [first] = upserted(client, item)
    client.data("mutation($id: ID!) { deleteCustomer(id: $id) { deletedCustomerId } }", id=uuid(1))

    [again] = upserted(client, item)

    assert again["databaseId"] > first["databaseId"]


def test_another_projects_customers_are_unknown(acme: Tenant, make_tenant: Any) -> None:
    item = {"uuid": uuid(1), "firstName": "Ann", "email": "ann@example.com", "phone": "+14155550123"}
    upserted(acme.client, item)
    before = acme.rows()

    assert upserted(make_tenant("other").client, item)[0]["firstName"] == "Ann"
    assert acme.rows() == before


def test_a_hundred_items_are_allowed_and_one_more_is_not_and_none_is_nothing(
    acme: Tenant, client: GraphQLClient
) -> None:
    items = [{"uuid": uuid(number), "firstName": "C"} for number in range(101)]

    assert mistakes(client, *items) == {("input", "TOO_MANY")}
    literal = '{ uuid: "%s", firstName: "C" }'
    document = "mutation { upsertCustomers(input: [%s]) { customers { id } userErrors { field code } } }"
    listed = ", ".join(literal % uuid(number) for number in range(101))
    assert client.data(document % listed)["upsertCustomers"]["userErrors"] == [{"field": ["input"], "code": "TOO_MANY"}]
    assert acme.rows()["customer"] == []
    assert len(upserted(client, *items[:100])) == 100
    assert upserted(client) == []


def test_the_number_of_statements_does_not_depend_on_the_number_of_items(acme: Tenant, client: GraphQLClient) -> None:
    acme.add_tags("vip", "gold")
    acme.add_locations("north")
    names = ["company", "notes", "city", "state", "lastName"]

    def items(count: int, start: int, tag: str) -> list[dict[str, Any]]:
        return [
            {
                "uuid": uuid(start + number),
                "firstName": "C",
                "email": f"{tag}{start + number}@example.com",
                "tagSlugs": [tag],
                "locationSlug": "north",
                names[number % 5]: tag,
            }
            for number in range(count)
        ]

    counts = []
    for count, start in ((1, 1000), (10, 2000), (100, 3000)):
        with recorded() as statements:
            upserted(client, *items(count, start, "vip"))
            upserted(client, *items(count, start, "gold"))
        counts.append(len(statements))

    assert counts == [counts[0]] * 3, counts


def test_a_payload_costs_as_many_objects_as_the_input_has_items(client: GraphQLClient) -> None:
    document = """mutation($input: [UpsertCustomerInput!]!) {
      upsertCustomers(input: $input) { customers { id location { id } } } }"""
    for count, requested in ((1, 10 + 1 + 10 * 2), (50, 10 + 1 + 50 * 2), (100, 10 + 1 + 100 * 2)):
        items = [{"uuid": uuid(number), "firstName": "C"} for number in range(count)]
        told = cost(client.answer(document, input=items))
        assert (told["requested"], told["actual"]) == (requested, 10 + 1 + count)


def test_what_is_not_of_its_type_is_bad_input(acme: Tenant, client: GraphQLClient) -> None:
    for item in ({"uuid": "x"}, {"uuid": uuid(1), "tagSlugs": [None]}, {"uuid": uuid(1), "unknown": 1}, None):
        assert client.code(UPSERT, input=[{"uuid": uuid(2), "firstName": "A"}, item]) == "BAD_USER_INPUT"
    assert acme.rows()["customer"] == []
