"""recordReviews (contract, section 9)."""

from typing import Any
from uuid import UUID, uuid5

from at_once import at_once
from factories import Tenant, at
from graphql_client import GraphQLClient
from mutations import on_customer

RECORD = """
mutation($input: [RecordReviewInput!]!) {
  recordReviews(input: $input) {
    reviews {
      databaseId uuid customer { databaseId reviewedAt } score body source url reply repliedAt location { slug }
      createdAt updatedAt
    }
    userErrors { field message code }
  }
}
"""
LETTERS = UUID("6ba7b813-9dad-11d1-80b4-00c04fd430c8")
T1, T2 = "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"


def uuid(number: int) -> str:
    return str(uuid5(LETTERS, str(number)))


def new(number: int, customer: Any, **values: Any) -> dict[str, Any]:
    return {"uuid": uuid(number), "customerId": customer, "score": 5, "source": "google", **values}


def payload_of(client: GraphQLClient, *items: dict[str, Any]) -> Any:
    return client.data(RECORD, input=items)["recordReviews"]


def recorded(client: GraphQLClient, *items: dict[str, Any]) -> list[Any]:
    payload = payload_of(client, *items)
    assert payload["userErrors"] == []
    return list(payload["reviews"])


def mistakes(client: GraphQLClient, *items: dict[str, Any]) -> set[tuple[str, str]]:
    payload = payload_of(client, *items)
    assert payload["reviews"] is None
    return {(".".join(error["field"]), error["code"]) for error in payload["userErrors"]}


def test_every_value_is_stored_kept_where_it_is_absent_and_cleared_by_null(acme: Tenant, client: GraphQLClient) -> None:
    acme.add_locations("north")
    id_ = acme.add_customer()
    values = {"body": "a\nb", "url": "https://example.com", "reply": "Thanks.", "repliedAt": T2}

    [review] = recorded(client, new(1, id_, **values, createdAt=T1, locationSlug="north"))
    assert {name: review[name] for name in values} == values
    assert (review["location"], review["customer"]) == ({"slug": "north"}, {"databaseId": id_, "reviewedAt": T1})

    [changed] = recorded(client, {"uuid": uuid(1), "score": 1, "createdAt": T2})
    assert (changed["score"], changed["body"], changed["customer"]["reviewedAt"]) == (1, "a\nb", T2)
    assert changed["updatedAt"] > review["updatedAt"]

    [cleared] = recorded(client, {"uuid": uuid(1), **dict.fromkeys([*values, "locationSlug"])})
    assert {cleared[name] for name in values} == {None}
    assert cleared["location"] is None


def test_a_new_review_is_left_now_unless_it_says_otherwise(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer(updated_at=at(0))

    [review] = recorded(client, new(1, id_))

    assert review["customer"]["reviewedAt"] == review["createdAt"] > "2026-03-02"


def test_what_is_needed_is_neither_absent_nor_cleared(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer()
    recorded(client, new(1, id_))

    assert mistakes(client, {"uuid": uuid(2)}) == {
        ("input.0.customerId", "BLANK"),
        ("input.0.score", "BLANK"),
        ("input.0.source", "BLANK"),
    }
    assert mistakes(client, {"uuid": uuid(1), "score": None, "source": " ", "createdAt": None}) == {
        ("input.0.score", "BLANK"),
        ("input.0.source", "BLANK"),
        ("input.0.createdAt", "BLANK"),
    }


def test_mistakes_are_told_together_and_nothing_is_done(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer()
    before = acme.rows()

    wrong = mistakes(
        client,
        new(1, id_),
        new(2, id_, score=6, body="b" * 50_001, url="u" * 2_001),
        new(3, 404, score=0, locationSlug="none", source="s" * 256, reply="\0"),
    )

    assert wrong == {
        ("input.1.score", "INVALID"),
        ("input.1.body", "TOO_LONG"),
        ("input.1.url", "TOO_LONG"),
        ("input.2.customerId", "NOT_FOUND"),
        ("input.2.score", "INVALID"),
        ("input.2.locationSlug", "NOT_FOUND"),
        ("input.2.source", "TOO_LONG"),
        ("input.2.reply", "INVALID"),
    }
    assert acme.rows() == before


def test_the_same_call_again_and_calls_at_once_have_one_effect(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer()
    items = [new(number, id_, body="Fine.") for number in range(20)]

    at_once(*[lambda: recorded(client, *items)] * 4)
    before = acme.rows()
    assert len(before["review"]) == 20
    recorded(client, *items)

    assert acme.rows() == before


def test_a_review_whose_customer_is_gone_is_changed_and_stays_without_one(acme: Tenant, client: GraphQLClient) -> None:
    id_, other = acme.add_customers({}, {})
    recorded(client, new(1, id_))
    client.data(on_customer("deleteCustomer"), id=id_)

    [review] = recorded(client, {"uuid": uuid(1), "reply": "Thanks."})

    assert (review["customer"], review["reply"]) == (None, "Thanks.")
    assert mistakes(client, {"uuid": uuid(1), "customerId": other}) == {("input.0.uuid", "TAKEN")}
