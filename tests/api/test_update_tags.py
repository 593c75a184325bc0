"""updateCustomerTags (contract, sections 5 and 6)."""

from datetime import datetime
from typing import Any

from factories import Tenant, at
from graphql_client import GraphQLClient

UPDATE = """
mutation($id: ID!, $slugs: [String!]!) {
  updateCustomerTags(id: $id, tagSlugs: $slugs) {
    customer { tags { slug } updatedAt } userErrors { field message code }
  }
}
"""


def payload_of(client: GraphQLClient, id_: int, *slugs: str) -> Any:
    return client.data(UPDATE, id=id_, slugs=slugs)["updateCustomerTags"]


def tags_after(client: GraphQLClient, id_: int, *slugs: str) -> list[str]:
    payload = payload_of(client, id_, *slugs)
    assert payload["userErrors"] == []
    return [tag["slug"] for tag in payload["customer"]["tags"]]


def mistakes(client: GraphQLClient, id_: int, *slugs: str) -> set[tuple[str, str]]:
    payload = payload_of(client, id_, *slugs)
    assert payload["customer"] is None
    return {(".".join(error["field"]), error["code"]) for error in payload["userErrors"]}


def test_tags_are_replaced(acme: Tenant, client: GraphQLClient) -> None:
    old, *_ = acme.add_tags("old", "gold", "vip")
    id_, other = acme.add_customers({"updated_at": at(0)}, {})
    acme.tag(id_, old)
    acme.tag(other, old)
    payload = payload_of(client, id_, "vip", "gold")
    assert payload["customer"]["tags"] == [{"slug": "gold"}, {"slug": "vip"}]
    assert datetime.fromisoformat(payload["customer"]["updatedAt"]) > at(0)
    assert tags_after(client, id_, "old", "vip") == ["old", "vip"]
    assert tags_after(client, other, "old") == ["old"]
    assert tags_after(client, id_) == []


def test_slugs_are_trimmed_and_composed_and_count_once(acme: Tenant, client: GraphQLClient) -> None:
    acme.add_tags("\u00e9t\u00e9", "vip")
    id_ = acme.add_customer()
    slugs = (" e\u0301te\u0301 ", "vip", "\u00e9t\u00e9", "vip")
    assert tags_after(client, id_, *slugs) == ["vip", "\u00e9t\u00e9"]


def test_slugs_keep_their_case(acme: Tenant, client: GraphQLClient) -> None:
    acme.add_tags("vip")
    assert mistakes(client, acme.add_customer(), "VIP") == {("tagSlugs.0", "NOT_FOUND")}


def test_the_same_tags_again_change_nothing(acme: Tenant, client: GraphQLClient) -> None:
    tagged, untagged = acme.add_customers({}, {})
    acme.add_messages({"customer_id": tagged})
    acme.tag(tagged, *acme.add_tags("gold", "vip"))
    before = acme.rows()
    assert tags_after(client, tagged, "vip", "gold", "vip") == ["gold", "vip"]
    assert tags_after(client, untagged) == []
    assert acme.rows() == before


def test_every_wrong_slug_is_a_user_error_and_nothing_changes(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer()
    acme.tag(id_, *acme.add_tags("old", "vip"))
    before = acme.rows()
    errors = mistakes(client, id_, "unknown", "vip", "", "a\nb", "s" * 101, "unknown", "other")
    assert errors == {
        ("tagSlugs.0", "NOT_FOUND"),
        ("tagSlugs.2", "BLANK"),
        ("tagSlugs.3", "INVALID"),
        ("tagSlugs.4", "TOO_LONG"),
        ("tagSlugs.6", "NOT_FOUND"),
    }
    assert acme.rows() == before


def test_an_unknown_customer_and_unknown_slugs_are_returned_together(client: GraphQLClient) -> None:
    assert mistakes(client, 404, "unknown") == {("id", "NOT_FOUND"), ("tagSlugs.0", "NOT_FOUND")}


def test_fifty_tags_are_allowed_and_fifty_one_are_not(acme: Tenant, client: GraphQLClient) -> None:
    slugs = [f"tag-{number:02}" for number in range(51)]
    acme.add_tags(*slugs)
    id_ = acme.add_customer()
    assert tags_after(client, id_, *slugs[:50], *slugs[:50]) == slugs[:50]
    before = acme.rows()
    assert mistakes(client, id_, *slugs) == {("tagSlugs", "TOO_MANY")}
    assert acme.rows() == before


def test_a_null_among_the_slugs_is_bad_input(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer()
    assert client.code(UPDATE, id=id_, slugs=["vip", None]) == "BAD_USER_INPUT"
    assert client.code(UPDATE, id=id_, slugs=None) == "BAD_USER_INPUT"
