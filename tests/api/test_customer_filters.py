"""The list of customers by location, by several tags, with archived customers, and by relevance."""

from collections.abc import Callable

import pytest

import stores
from customergraph.domain.customer import CustomerFilter, CustomerSortKey
from customergraph.domain.paging import SortDirection
from factories import Tenant, at
from graphql_client import GraphQLClient, cost
from statements import recorded

LIST = """
query List($q: String, $tagSlug: String, $tagSlugs: [String!], $locationSlug: String, $includeArchived: Boolean,
           $filter: CustomerFilter, $sortKey: CustomerSortKey, $sortDir: SortDirection, $first: Int, $after: String,
           $last: Int, $before: String) {
  customers(q: $q, tagSlug: $tagSlug, tagSlugs: $tagSlugs, locationSlug: $locationSlug, filter: $filter,
            includeArchived: $includeArchived, sortKey: $sortKey, sortDir: $sortDir, first: $first, after: $after,
            last: $last, before: $before) {
    totalCount nodes { name } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""
SORTS = [key for key in CustomerSortKey if key is not CustomerSortKey.RELEVANCE]


def listed(client: GraphQLClient, **arguments: object) -> list[str]:
    """Return the names of a list, whose count must be theirs."""
    connection = client.data(LIST, **{"sortKey": "NAME", "sortDir": "ASC", **arguments})["customers"]
    assert connection["totalCount"] == len(connection["nodes"])
    return [node["name"] for node in connection["nodes"]]


def walked(client: GraphQLClient, size: int, **arguments: object) -> list[str]:
    """Return the names of a list that is paged to its end, and then back to its start, which must be the same."""
    forward: list[str] = []
    page: dict[str, object] = {"first": size}
    while page:
        connection = client.data(LIST, **arguments, **page)["customers"]
        forward += [node["name"] for node in connection["nodes"]]
        info = connection["pageInfo"]
        page = {"first": size, "after": info["endCursor"]} if info["hasNextPage"] else {}
    backward: list[str] = []
    page = {"last": size}
    while page:
        connection = client.data(LIST, **arguments, **page)["customers"]
        backward = [node["name"] for node in connection["nodes"]] + backward
        info = connection["pageInfo"]
        page = {"last": size, "before": info["startCursor"]} if info["hasPreviousPage"] else {}
    assert backward == forward
    return forward


def test_a_location_has_its_customers_and_an_unknown_one_has_none(acme: Tenant, client: GraphQLClient) -> None:
    here, there = acme.add_locations("here", "there")
    acme.add_customers(
        {"first_name": "A", "location_id": here},
        {"first_name": "B", "location_id": there},
        {"first_name": "C", "location_id": here, "archived_at": at(0)},
        {"first_name": "D"},
    )

    assert listed(client, locationSlug="here") == ["A"]
    assert listed(client, locationSlug=" here ", includeArchived=True) == ["A", "C"]
    assert listed(client, locationSlug="unknown") == []
    assert listed(client, locationSlug=None) == ["A", "B", "D"]
    assert client.code(LIST, locationSlug="a\u0000") == "BAD_USER_INPUT"


def test_another_projects_location_and_tags_find_nothing(acme: Tenant, make_tenant: Callable[..., Tenant]) -> None:
    other = make_tenant("other")
    other.add_locations("theirs")
    other.add_tags("theirs")
    acme.add_customer()

    assert listed(acme.client, locationSlug="theirs") == []
    assert listed(acme.client, tagSlugs=["theirs"]) == []


def test_customers_have_all_of_the_tags(acme: Tenant, client: GraphQLClient) -> None:
    red, blue, green = acme.add_tags("red", "blue", "green")
    a, b, c = acme.add_customers({"first_name": "A"}, {"first_name": "B"}, {"first_name": "C"})
    acme.tag(a, red, blue, green)
    acme.tag(b, red, blue)
    acme.tag(c, green)

    assert listed(client, tagSlugs=["red", "blue"]) == ["A", "B"]
    assert listed(client, tagSlugs=["red", "blue", "red"], tagSlug="green") == ["A"]
    assert listed(client, tagSlugs=["green"]) == ["A", "C"]
    assert listed(client, tagSlugs=["red", "unknown"]) == []
    assert listed(client, tagSlugs=[]) == listed(client, tagSlugs=None) == ["A", "B", "C"]


def test_at_most_ten_tags_are_accepted(acme: Tenant, client: GraphQLClient) -> None:
    tags = acme.add_tags(*(f"tag-{number}" for number in range(10)))
    customer = acme.add_customer(first_name="A")
    acme.tag(customer, *tags)
    slugs = [f"tag-{number}" for number in range(10)]

    assert listed(client, tagSlugs=slugs) == ["A"]
    errors = client.answer(LIST, tagSlugs=[*slugs, "tag-0"])["errors"]
    assert errors[0]["message"] == "`tagSlugs` must have at most 10 entries, and has 11."
    assert client.code(LIST, tagSlugs=["a\u0000"]) == "BAD_USER_INPUT"


def test_tags_and_a_location_take_the_same_statements_however_many_there_are(
    acme: Tenant, client: GraphQLClient
) -> None:
    acme.add_histories(3)
    slugs = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]
    counts = {}

    for number in (1, 3, 10):
        with recorded() as statements:
            client.data(LIST, tagSlugs=slugs[:number], locationSlug="here", includeArchived=True)
        counts[number] = statements

    assert len({len(statements) for statements in counts.values()}) == 1, counts


@pytest.mark.parametrize(
    ("arguments", "price"),
    [
        ("locationSlug: null, tagSlugs: []", 0),
        ('locationSlug: "x", includeArchived: true, sortDir: ASC, sortKey: CREATED_AT, q: ""', 0),
        ('locationSlug: "x", dateFrom: "2026-01-01", dateTo: "2026-02-01"', 0),
        ('locationSlug: "x", email: "a@example.com", tagSlugs: []', 0),
        ('locationSlug: "x", sortKey: NAME', 100),
        ('locationSlug: "x", filter: ASKED', 100),
        ('locationSlug: "x", tagSlug: "a"', 100),
        ('locationSlug: "x", q: "a"', 100),
        ('locationSlug: "x", dateKey: ASKED_AT, dateFrom: "2026-01-01"', 100),
        ('tagSlug: "a", tagSlugs: [], sortKey: NAME', 0),
        ('tagSlugs: ["a"], sortKey: NAME', 0),
        ('tagSlugs: ["a", "b"]', 100),
        ('tagSlug: "a", tagSlugs: ["b"], locationSlug: "x"', 100),
    ],
)
def test_conditions_that_no_index_serves_cost_100_more(client: GraphQLClient, arguments: str, price: int) -> None:
    answer = client.answer(f"{{ customers(first: 7, {arguments}) {{ nodes {{ id }} }} }}")

    # What was not returned is given back, but for what was read.
    assert (cost(answer)["requested"], cost(answer)["actual"]) == (7 + price, price)


def test_the_price_of_one_order_is_not_that_of_another(client: GraphQLClient) -> None:
    query = 'query($key: CustomerSortKey) { customers(first: 7, locationSlug: "x", sortKey: $key) { nodes { id } } }'

    prices = [cost(client.answer(query, key=key))["requested"] for key in ("NAME", "CREATED_AT", "NAME")]

    assert prices == [107, 7, 107]


@pytest.mark.parametrize("direction", SortDirection)
@pytest.mark.parametrize("key", SORTS)
def test_a_walk_of_a_location_and_of_tags_finds_each_customer_once_in_every_order(
    acme: Tenant, client: GraphQLClient, key: CustomerSortKey, direction: SortDirection
) -> None:
    (here,) = acme.add_locations("here")
    red, blue = acme.add_tags("red", "blue")
    customers = acme.add_histories(12, each=1)
    for number, customer in enumerate(customers):
        if number % 2:
            acme.tag(customer, red, *([blue] if number % 3 else []))
    stores.execute(acme.database_url, "UPDATE customer SET location_id = :here WHERE id % 3 > 0", here=here)
    everybody = walked(client, 100, sortKey=key, sortDir=direction)
    conditions: dict[str, dict[str, object]] = {
        "location": {"locationSlug": "here"},
        "one tag": {"tagSlugs": ["red"]},
        "two tags": {"tagSlugs": ["red", "blue"]},
        "all": {"tagSlugs": ["red"], "locationSlug": "here", "includeArchived": True},
    }

    lists = {name: walked(client, 3, sortKey=key, sortDir=direction, **one) for name, one in conditions.items()}

    assert len(everybody) == len(set(everybody)) == 12
    assert {name: len(one) for name, one in lists.items()} == {"location": 8, "one tag": 6, "two tags": 4, "all": 4}
    for one in lists.values():
        assert one == [name for name in everybody if name in one]


@pytest.mark.parametrize("direction", SortDirection)
@pytest.mark.parametrize("key", SORTS)
def test_live_and_archived_customers_are_in_one_order(
    acme: Tenant, client: GraphQLClient, key: CustomerSortKey, direction: SortDirection
) -> None:
    words = ["b", None, "a", "ä", None, "c", "a", None]
    rows = [
        {
            "first_name": f"{word or 'none'} {number}",
            "company": word,
            "email": word and f"{word}{number}@example.com",
            "phone": word and f"+1415555{number:04d}",
            "signed_up_at": at(number // 2) if word else None,
        }
        for number, word in enumerate(words)
    ]
    order = {"sortKey": key, "sortDir": direction}
    ids = acme.add_customers(*rows)
    acme.add_messages(*({"customer_id": id_, "sent_at": at(id_ % 2)} for id_ in ids[:4]))
    acme.add_reviews(*({"customer_id": id_, "created_at": at(id_ % 2)} for id_ in ids[2:6]))
    live = walked(client, 3, **order)

    for id_ in ids[1::2]:
        client.data("mutation($id: ID!) { archiveCustomer(id: $id) { canceledMessagesCount } }", id=id_)

    # Archiving is the newest change of a customer: that order alone is another one then.
    everything = walked(client, 3, **order, includeArchived=True)
    assert sorted(everything) == sorted(live)
    assert everything == live or key is CustomerSortKey.UPDATED_AT
    assert len(walked(client, 3, **order)) == 4


@pytest.mark.parametrize("facet", CustomerFilter)
def test_a_facet_with_archived_customers_has_both(acme: Tenant, client: GraphQLClient, facet: CustomerFilter) -> None:
    notes: dict[str, object] = {"notes": "x", "unsubscribed_at": at(0)}
    live, archived = acme.add_customers(
        {"first_name": "live", **notes}, {"first_name": "archived", **notes, "archived_at": at(0)}
    )
    acme.add_customers({"first_name": "new"}, {"first_name": "old", "archived_at": at(0)})
    for customer in (live, archived):
        acme.add_messages({"customer_id": customer, "sent_at": at(0)})
        acme.add_reviews({"customer_id": customer})
        acme.add_charges({"customer_id": customer})
    clicked = acme.add_customers({"first_name": "missed"}, {"first_name": "missed too", "archived_at": at(0)})
    acme.add_messages(*({"customer_id": one, "sent_at": at(0), "clicked_at": at(1)} for one in clicked))

    without, both = listed(client, filter=facet), listed(client, filter=facet, includeArchived=True)

    is_archived = facet is CustomerFilter.ARCHIVED
    assert both == without if is_archived else len(both) == 2 * len(without) > 0
    assert not is_archived or without == ["archived", "missed too", "old"]


def test_names_that_begin_with_the_words_come_first_then_the_others_each_by_name(
    acme: Tenant, client: GraphQLClient
) -> None:
    names = ["Zoe Anna", "Anna Berg", "anna", "Ánna", "Annabel", "Bo Hannah", "Hanna Ann", "ANNA  Berg"]
    acme.add_customers(*({"first_name": name} for name in names))
    acme.add_customer(first_name="Carl", email="anna@example.com")
    by_relevance = {"sortKey": "RELEVANCE", "sortDir": "DESC"}

    first = ["anna", "ANNA  Berg", "Anna Berg", "Annabel", "Ánna"]
    others = ["Bo Hannah", "Carl", "Hanna Ann", "Zoe Anna"]
    assert listed(client, q=" ánna ", **by_relevance) == [*first, *others]
    assert listed(client, q="anna berg", **by_relevance) == ["Anna Berg", "ANNA  Berg"]
    assert listed(client, q="berg anna", **by_relevance) == ["ANNA  Berg", "Anna Berg"]
    for size in (1, 2, 5, 6):
        assert walked(client, size, q="anna", **by_relevance) == [*first, *others]


def test_relevance_needs_words(client: GraphQLClient) -> None:
    for q in (None, "", " ", "\u0301"):
        errors = client.answer(LIST, sortKey="RELEVANCE", q=q)["errors"]
        assert errors[0]["message"].startswith("`sortKey: RELEVANCE` needs words in `q`")
        assert errors[0]["extensions"]["code"] == "BAD_USER_INPUT"


def test_cursors_of_relevance_are_its_own(acme: Tenant, client: GraphQLClient) -> None:
    acme.add_customers({"first_name": "Anna"}, {"first_name": "Bea"})
    by_name = client.data(LIST, sortKey="NAME", sortDir="ASC")["customers"]["pageInfo"]["endCursor"]
    by_relevance = client.data(LIST, sortKey="RELEVANCE", q="a")["customers"]["pageInfo"]["endCursor"]

    assert client.code(LIST, sortKey="RELEVANCE", q="a", after=by_name) == "BAD_USER_INPUT"
    assert client.code(LIST, sortKey="NAME", sortDir="ASC", after=by_relevance) == "BAD_USER_INPUT"
