"""The feed of a project's changes."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

import stores
from conftest import MakeTenant
from customergraph.domain.principal import Scope
from factories import Tenant
from graphql_client import GraphQLClient
from mutations import CREATE, on_customer
from statements import recorded

CHANGES = """
query Changes($after: String, $first: Int, $kinds: [ChangeKind!], $customerId: ID) {
  changes(after: $after, first: $first, kinds: $kinds, customerId: $customerId) {
    edges {
      cursor
      node { position at kind action subjectId subjectUuid customerId fields isOwn node { __typename id } }
    }
    nodes { position }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    headCursor
  }
}
"""


def page(client: GraphQLClient, **variables: Any) -> Any:
    return client.data(CHANGES, **variables)["changes"]


def changes(client: GraphQLClient, **variables: Any) -> list[Any]:
    """Return all changes, read to the end of the feed."""
    nodes: list[Any] = []
    while True:
        one = page(client, **variables)
        nodes += [edge["node"] for edge in one["edges"]]
        variables["after"] = one["pageInfo"]["endCursor"]
        if not one["pageInfo"]["hasNextPage"]:
            return nodes


def told(client: GraphQLClient, **variables: Any) -> list[tuple[str, str, list[str]]]:
    return [(node["kind"], node["action"], node["fields"]) for node in changes(client, **variables)]


def do(client: GraphQLClient, mutation: str, id_: Any, arguments: str | None = None) -> None:
    answer = client.data(on_customer(mutation, arguments=arguments), id=id_)[mutation]
    assert answer["userErrors"] == []


def test_a_customers_life_is_in_the_feed(acme: Tenant, client: GraphQLClient) -> None:
    acme.add_tags("vip")
    start = page(client)["headCursor"]
    created = client.data(CREATE, input={"firstName": "Ada", "tagSlugs": ["vip"]})["createCustomer"]["customer"]
    id_ = created["databaseId"]
    acme.add_messages({"customer_id": id_})
    for _ in range(2):
        # What is repeated changes nothing, and leaves no change.
        do(client, "updateCustomerNotes", id_)
        do(client, "archiveCustomer", id_)
        do(client, "updateCustomerTags", id_)
        do(client, "unarchiveCustomer", id_)

    assert told(client, after=start) == [
        ("CUSTOMER", "CREATED", []),
        ("CUSTOMER", "UPDATED", ["askedAt"]),
        ("MESSAGE", "CREATED", []),
        ("CUSTOMER", "UPDATED", ["notes"]),
        ("CUSTOMER", "UPDATED", ["archivedAt"]),
        ("MESSAGE", "UPDATED", ["canceledAt"]),
        ("CUSTOMER", "UPDATED", ["tags"]),
        *[("CUSTOMER", "UPDATED", ["archivedAt"])] * 3,
    ]
    assert [node["position"] for node in changes(client)] == [*range(1, 12)]


def test_a_change_tells_whose_and_which_object_it_was(acme: Tenant, client: GraphQLClient) -> None:
    acme.add_tags("vip")
    answer = client.data('mutation { createCustomer(input: {firstName: "Ada"}) { customer { id uuid databaseId } } }')
    customer = answer["createCustomer"]["customer"]
    (tag,), (change,) = (changes(client, kinds=[kind]) for kind in ("TAG", "CUSTOMER"))

    assert change["subjectId"] == change["customerId"] == change["node"]["id"] == customer["id"]
    assert change["subjectUuid"] == customer["uuid"]
    assert change["node"]["__typename"] == "Customer"
    assert change["isOwn"] is True
    assert (tag["customerId"], tag["isOwn"], tag["node"]["__typename"]) == (None, False, "Tag")


def test_only_the_token_that_made_a_change_owns_it(acme: Tenant, client: GraphQLClient) -> None:
    client.data(CREATE, input={"firstName": "Ada"})

    other = acme.client_with(Scope.READ)

    assert [node["isOwn"] for node in changes(client)] == [True]
    assert [node["isOwn"] for node in changes(other)] == [False]


def test_a_deleted_customer_leaves_its_ids_and_its_reviews(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer()
    acme.add_messages({"customer_id": id_}, {"customer_id": id_})
    acme.add_reviews({"customer_id": id_})
    acme.add_charges({"customer_id": id_})
    start = page(client)["headCursor"]
    before = {node["subjectId"]: node for node in changes(client)}
    owner = client.data("{ customers { nodes { id uuid } } }")["customers"]["nodes"][0]

    do(client, "deleteCustomer", id_)

    gone = changes(client, after=start)
    assert [(node["kind"], node["action"], node["fields"]) for node in gone] == [
        ("REVIEW", "UPDATED", ["customer"]),
        ("CHARGE", "DELETED", []),
        ("MESSAGE", "DELETED", []),
        ("MESSAGE", "DELETED", []),
        ("CUSTOMER", "DELETED", []),
    ]
    assert {node["customerId"] for node in gone} == {owner["id"]}
    assert {node["subjectUuid"] for node in gone} == {before[node["subjectId"]]["subjectUuid"] for node in gone}
    assert [node["node"] for node in gone[1:]] == [None] * 4
    # The node of an earlier change is gone too.
    assert [node["node"] for node in changes(client) if node["subjectId"] == owner["id"]] == [None] * 4
    for id_of_gone in (owner["id"], owner["uuid"], id_):
        assert len(changes(client, customerId=id_of_gone)) == 12


def test_changes_are_paged_without_gap_or_repeat(acme: Tenant, client: GraphQLClient) -> None:
    acme.add_histories(20, each=1)

    positions: list[int] = []
    after, has_next = None, True
    while has_next:
        one = page(client, first=7, after=after)
        positions += [edge["node"]["position"] for edge in one["edges"]]
        assert [edge["node"]["position"] for edge in one["edges"]] == [node["position"] for node in one["nodes"]]
        info = one["pageInfo"]
        assert info["hasPreviousPage"] is (after is not None)
        assert (info["startCursor"], info["endCursor"]) == (one["edges"][0]["cursor"], one["edges"][-1]["cursor"])
        after, has_next = info["endCursor"], info["hasNextPage"]

    assert positions == [*range(1, len(positions) + 1)]
    assert after == one["headCursor"]
    assert len(page(client)["edges"]) == 25


def test_an_empty_page_keeps_the_readers_place(client: GraphQLClient) -> None:
    empty = page(client)
    assert (empty["edges"], empty["pageInfo"]["startCursor"]) == ([], None)
    assert empty["pageInfo"]["endCursor"] == empty["headCursor"]
    client.data(CREATE, input={"firstName": "Ada"})

    first = page(client, after=empty["pageInfo"]["endCursor"])
    caught_up = page(client, after=first["pageInfo"]["endCursor"])

    assert [node["position"] for node in first["nodes"]] == [1]
    assert caught_up["edges"] == []
    assert caught_up["pageInfo"]["endCursor"] == caught_up["headCursor"] == first["pageInfo"]["endCursor"]
    assert caught_up["pageInfo"]["hasNextPage"] is False


def test_conditions_leave_changes_out_and_never_skip_one(acme: Tenant, client: GraphQLClient) -> None:
    ada, bob = acme.add_customer(), acme.add_customer()
    acme.add_messages({"customer_id": ada}, {"customer_id": bob}, {"customer_id": ada})

    assert told(client, kinds=["MESSAGE"]) == [("MESSAGE", "CREATED", [])] * 3
    assert len(told(client, customerId=str(ada))) == 4
    assert told(client, kinds=["MESSAGE"], customerId=ada) == [("MESSAGE", "CREATED", [])] * 2
    without: list[dict[str, Any]] = [{"kinds": []}, *({"customerId": id_} for id_ in ("none", 10**9, str(uuid4())))]
    for nothing in without:
        one = page(client, **nothing)
        assert (one["edges"], one["pageInfo"]["endCursor"]) == ([], one["headCursor"])
        assert one["pageInfo"]["hasNextPage"] is False
    assert told(client, kinds=None, customerId=None) == told(client)
    client.data(CREATE, input={"firstName": "Cid"})
    assert told(client, after=one["pageInfo"]["endCursor"]) == [("CUSTOMER", "CREATED", [])]


def test_a_page_with_conditions_looks_at_ten_thousand_changes(acme: Tenant, client: GraphQLClient) -> None:
    acme.add_customers(*({} for _ in range(10_500)))
    acme.add_tags("vip")

    one = page(client, kinds=["TAG"])
    two = page(client, kinds=["TAG"], after=one["pageInfo"]["endCursor"])

    assert (one["edges"], one["pageInfo"]["hasNextPage"]) == ([], True)
    assert [node["position"] for node in two["nodes"]] == [10_501]
    assert (two["pageInfo"]["hasNextPage"], two["pageInfo"]["endCursor"]) == (False, two["headCursor"])
    # The customer is found with the same number of looks, from the end of the first.
    assert page(client, after=one["pageInfo"]["endCursor"], first=1)["nodes"] == [{"position": 10_001}]


def test_the_statements_of_a_page_depend_on_its_kinds_alone(acme: Tenant, client: GraphQLClient) -> None:
    acme.add_tags("vip")
    acme.add_locations("berlin")
    acme.add_histories(20, each=1)

    for first in (10, 50, 100):
        with recorded() as statements:
            kinds = {edge["node"]["kind"] for edge in page(client, first=first)["edges"]}
        assert len(statements) == 1 + len(kinds), statements
    with recorded() as statements:
        client.data("{ changes(first: 100) { headCursor nodes { position kind fields } } }")
    assert len(statements) == 1, statements


@pytest.mark.parametrize("first", [0, -1, 101])
def test_a_page_has_between_1_and_100_changes(client: GraphQLClient, first: int) -> None:
    error = client.error(CHANGES, first=first)

    assert error["message"] == f"`first` must be between 1 and 100, and is {first}."
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


BEYOND_ALL = base64.urlsafe_b64encode(b'["changes",1,9223372036854775807,0]').decode().rstrip("=")


@pytest.mark.parametrize("after", ["", "x", "WyJjaGFuZ2VzIiwxLDIsM10=", "WyJjaGFuZ2VzIiwxLC0xLG51bGxd", BEYOND_ALL])
@pytest.mark.parametrize("kinds", [None, ["TAG"]])
def test_a_broken_cursor_is_refused(client: GraphQLClient, after: str, kinds: list[str] | None) -> None:
    error = client.error(CHANGES, after=after, kinds=kinds)

    assert error["extensions"]["code"] == "BAD_USER_INPUT"


def test_a_cursor_of_another_list_is_refused_in_both_directions(acme: Tenant, client: GraphQLClient) -> None:
    acme.add_histories(1)
    of_list = client.data("{ messages { pageInfo { endCursor } } }")["messages"]["pageInfo"]["endCursor"]

    error = client.error(CHANGES, after=of_list)
    other = client.error(
        "query($after: String) { messages(after: $after) { totalCount } }", after=page(client)["headCursor"]
    )

    assert (error["extensions"]["code"], other["extensions"]["code"]) == ("BAD_USER_INPUT",) * 2


def test_a_cursor_of_another_project_has_expired(client: GraphQLClient, make_tenant: MakeTenant) -> None:
    other = make_tenant("other").client
    empty = page(other)["headCursor"]
    other.data(CREATE, input={"firstName": "Ada"})

    for after in (empty, page(other)["headCursor"]):
        error = client.error(CHANGES, after=after)
        assert error["extensions"]["code"] == "CURSOR_EXPIRED"


def test_changes_are_kept_for_thirty_days_and_removed_by_writers(acme: Tenant, client: GraphQLClient) -> None:
    begin = page(client)["headCursor"]
    acme.add_customers(*({} for _ in range(30)))
    cursors = [edge["cursor"] for edge in page(client, first=30)["edges"]]
    move_back(acme, "position <= 20", days=31)
    # The clock of a writer was wrong: what follows is kept, so that the feed has no hole.
    move_back(acme, "position = 25", days=40)
    cursors[19] = page(client, first=20)["pageInfo"]["endCursor"]

    client.data(CREATE, input={"firstName": "Ada"})
    after_one = page(client)["nodes"]
    client.data(CREATE, input={"firstName": "Bob"})
    after_two = page(client)["nodes"]

    assert [after_one[0], after_two[0]] == [{"position": 13}, {"position": 21}]
    assert [node["position"] for node in page(client, first=100)["nodes"]] == [*range(21, 33)]
    for expired in (begin, cursors[0], cursors[19]):
        error = client.error(CHANGES, after=expired)
        assert error["extensions"]["code"] == "CURSOR_EXPIRED"
    assert page(client, after=cursors[20])["nodes"][0] == {"position": 22}


def move_back(tenant: Tenant, condition: str, days: int) -> None:
    """Let changes be older, as if the writers' clocks had been late."""
    at = (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    stores.execute(tenant.database_url, f"UPDATE change SET at = '{at}' WHERE {condition}")  # noqa: S608 - ours


def test_a_cursor_from_before_a_restored_backup_has_expired(acme: Tenant, client: GraphQLClient) -> None:
    acme.add_customer()
    kept = page(client)["headCursor"]
    acme.add_customer()
    lost = page(client)["headCursor"]
    stores.execute(acme.database_url, "DELETE FROM change WHERE position = 2")
    stores.execute(acme.database_url, "UPDATE feed SET position = 1")

    before = client.error(CHANGES, after=lost)
    acme.add_customer()
    again = client.error(CHANGES, after=lost)

    assert before["extensions"]["code"] == again["extensions"]["code"] == "CURSOR_EXPIRED"
    assert [node["position"] for node in page(client, after=kept)["nodes"]] == [2]


def test_what_is_refused_or_fails_leaves_no_change(acme: Tenant, client: GraphQLClient) -> None:
    acme.add_customer(email="ada@example.com")
    start = page(client)["headCursor"]

    answer = client.data(CREATE, input={"firstName": "Ada", "email": "ada@example.com"})["createCustomer"]

    assert answer["userErrors"]
    assert page(client)["headCursor"] == start


def test_the_check_of_the_store_finds_a_hole_in_a_feed(acme: Tenant) -> None:
    acme.add_customers({}, {}, {})
    assert stores.problems(acme.database_url) == stores.known_problems(acme.database_url)
    stores.execute(acme.database_url, "DELETE FROM change WHERE position = 2")
    hole = stores.problems(acme.database_url)
    stores.execute(acme.database_url, "DELETE FROM change WHERE position = 3")
    end = stores.problems(acme.database_url)

    assert "project acme: its feed lacks 1 changes between the oldest and the newest" in map(str, hole)
    assert "project acme: its feed ends at position 1, and should end at 3" in map(str, end)
