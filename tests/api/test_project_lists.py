"""The lists of a whole project: all messages, reviews and charges, by id, oldest first."""

from collections.abc import Iterator
from typing import Any

import pytest

from factories import Tenant, at
from graphql_client import GraphQLClient
from mutations import on_customer
from statements import recorded

LISTS = ("messages", "reviews", "charges")
PAGE = """
query Page($first: Int, $after: String) {
  %s(first: $first, after: $after) {
    totalCount edges { cursor node { databaseId } } pageInfo { hasNextPage hasPreviousPage endCursor }
  }
}
"""


def ids(client: GraphQLClient, field: str, arguments: str = "") -> list[int]:
    """Return the ids of a list, whose count must be theirs, and whose pages of one must have each of them once."""
    connection = client.data(f"{{ list: {field}{arguments} {{ totalCount nodes {{ databaseId }} }} }}")["list"]
    assert connection["totalCount"] == len(connection["nodes"])
    whole = [node["databaseId"] for node in connection["nodes"]]
    assert list(_walked(client, field, arguments)) == whole
    return whole


def _walked(client: GraphQLClient, field: str, arguments: str) -> Iterator[int]:
    paged = f"({', '.join(filter(None, [arguments.strip('()'), 'first: 1, after: $after']))})"
    query = f"""query($after: String) {{
        list: {field}{paged} {{ nodes {{ databaseId }} pageInfo {{ hasNextPage endCursor }} }} }}"""
    info = {"hasNextPage": True, "endCursor": None}
    while info["hasNextPage"]:
        page = client.data(query, after=info["endCursor"])["list"]
        yield from (node["databaseId"] for node in page["nodes"])
        info = page["pageInfo"]


@pytest.mark.parametrize("field", LISTS)
def test_the_list_is_paged_to_its_end_by_id(acme: Tenant, client: GraphQLClient, field: str) -> None:
    acme.add_histories(9, each=3)
    everything: list[int] = []
    after, has_next_page = None, True

    while has_next_page:
        page = client.data(PAGE % field, first=10, after=after)[field]
        everything += [edge["node"]["databaseId"] for edge in page["edges"]]
        assert page["totalCount"] == 27
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        assert page["pageInfo"]["endCursor"] == page["edges"][-1]["cursor"]
        after, has_next_page = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]

    assert len(everything) == 27
    assert everything == sorted({*everything})
    assert len(client.data(PAGE % field)[field]["edges"]) == 25


@pytest.mark.parametrize("field", LISTS)
def test_a_page_takes_the_same_statements_whatever_its_size(acme: Tenant, client: GraphQLClient, field: str) -> None:
    acme.add_histories(20, each=3)
    counts = {}

    for first in (1, 10, 50):
        with recorded() as statements:
            client.data(f"{{ {field}(first: {first}) {{ totalCount nodes {{ customer {{ tags {{ slug }} }} }} }} }}")
        counts[first] = statements

    assert len({len(statements) for statements in counts.values()}) == 1, counts


@pytest.mark.parametrize("field", LISTS)
def test_bad_sizes_and_cursors_of_other_lists_are_refused(acme: Tenant, client: GraphQLClient, field: str) -> None:
    acme.add_histories(1)
    nested = f"{{ customers {{ nodes {{ {field} {{ pageInfo {{ endCursor }} }} }} }} }}"
    other = next(name for name in LISTS if name != field)
    cursors = [
        client.data(nested)["customers"]["nodes"][0][field]["pageInfo"]["endCursor"],
        client.data(PAGE % other)[other]["pageInfo"]["endCursor"],
        "",
        "broken",
    ]

    assert [client.code(PAGE % field, after=cursor) for cursor in cursors] == ["BAD_USER_INPUT"] * 4
    assert [client.code(PAGE % field, first=size) for size in (0, -1, 101)] == ["BAD_USER_INPUT"] * 3


@pytest.mark.parametrize("field", LISTS)
def test_another_projects_rows_are_absent(make_tenant: Any, field: str) -> None:
    acme, other = make_tenant("acme"), make_tenant("other")
    acme.add_histories(2)
    other.add_histories(3)
    cursor = other.client.data(PAGE % field, first=1)[field]["pageInfo"]["endCursor"]

    assert len(ids(acme.client, field)) == 6
    assert len(ids(other.client, field)) == 9
    assert {*ids(acme.client, field)}.isdisjoint(ids(other.client, field))
    # A cursor is a place among all ids: it shows nothing of the project that it came from.
    page = acme.client.data(PAGE % field, after=cursor)[field]
    assert {edge["node"]["databaseId"] for edge in page["edges"]} <= {*ids(acme.client, field)}


def test_messages_are_narrowed_by_status_and_channel(acme: Tenant, client: GraphQLClient) -> None:
    customer = acme.add_customer()
    scheduled, sent, clicked, text = acme.add_messages(
        {"customer_id": customer},
        {"customer_id": customer, "sent_at": at(1)},
        {"customer_id": customer, "sent_at": at(1), "clicked_at": at(2)},
        {"customer_id": customer, "channel": "SMS"},
    )

    assert ids(client, "messages", "(status: [SENT, CLICKED])") == [sent, clicked]
    assert ids(client, "messages", "(status: [SCHEDULED], channel: EMAIL)") == [scheduled]
    assert ids(client, "messages", "(channel: SMS)") == [text]
    assert ids(client, "messages", "(status: [])") == []
    assert len(ids(client, "messages", "(status: null, channel: null, dateFrom: null, dateTo: null)")) == 4


def test_reviews_are_narrowed_by_score_and_location(acme: Tenant, client: GraphQLClient) -> None:
    customer = acme.add_customer()
    here, there = acme.add_locations("here", "there")
    first, second, third = acme.add_reviews(
        {"customer_id": customer, "score": 5, "location_id": here},
        {"customer_id": customer, "score": 1, "location_id": here},
        {"customer_id": customer, "score": 5, "location_id": there},
    )

    assert ids(client, "reviews", "(score: [5])") == [first, third]
    assert ids(client, "reviews", "(score: [1, 2, 3])") == [second]
    assert ids(client, "reviews", "(score: [0, 6, -2147483648])") == []
    assert ids(client, "reviews", "(score: [])") == []
    assert ids(client, "reviews", '(score: [5, 9], locationSlug: "here")') == [first]
    assert ids(client, "reviews", '(locationSlug: "unknown")') == []
    assert ids(client, "reviews", "(score: null, locationSlug: null)") == [first, second, third]
    assert client.code(r'{ reviews(locationSlug: "a\u0000") { totalCount } }') == "BAD_USER_INPUT"


def test_reviews_of_deleted_customers_stay_in_the_list(acme: Tenant, client: GraphQLClient) -> None:
    customer = acme.add_histories(1, each=2)[0]
    reviews = ids(client, "reviews")

    client.data(on_customer("deleteCustomer"), id=customer)

    assert ids(client, "reviews") == reviews
    assert (ids(client, "messages"), ids(client, "charges")) == ([], [])


def test_charges_are_narrowed_by_currency_and_location(acme: Tenant, client: GraphQLClient) -> None:
    customer = acme.add_customer()
    (here,) = acme.add_locations("here")
    euro, dollar, elsewhere = acme.add_charges(
        {"customer_id": customer, "currency": "EUR", "location_id": here},
        {"customer_id": customer, "currency": "USD", "location_id": here},
        {"customer_id": customer, "currency": "EUR"},
    )

    assert ids(client, "charges", '(currency: "eur")') == [euro, elsewhere]
    assert ids(client, "charges", '(currency: "USD", locationSlug: "here")') == [dollar]
    assert ids(client, "charges", '(currency: "EUR", locationSlug: " here ")') == [euro]
    assert ids(client, "charges", '(currency: "XYZ")') == []
    assert ids(client, "charges", '(currency: "ﬀ")') == []
    assert ids(client, "charges", "(currency: null, locationSlug: null)") == [euro, dollar, elsewhere]


@pytest.mark.parametrize(
    ("field", "time"), [("messages", "scheduled_at"), ("reviews", "created_at"), ("charges", "charged_at")]
)
def test_days_are_those_of_the_projects_time_zone(make_tenant: Any, field: str, time: str) -> None:
    tenant = make_tenant("newyork", timezone="America/New_York")
    customer = tenant.add_customer()
    # 8 March 2026 begins at 05:00 UTC and has 23 hours there.
    times = [(8, 4, 59), (8, 5, 0), (9, 3, 59), (9, 4, 0)]
    before, first, last, after = getattr(tenant, f"add_{field}")(
        *({"customer_id": customer, time: at(0).replace(day=d, hour=h, minute=m)} for d, h, m in times)
    )

    assert ids(tenant.client, field, '(dateFrom: "2026-03-08", dateTo: "2026-03-08")') == [first, last]
    assert ids(tenant.client, field, '(dateFrom: "2026-03-09")') == [after]
    assert ids(tenant.client, field, '(dateTo: "2026-03-07")') == [before]
    backward = f'{{ {field}(dateFrom: "2026-03-09", dateTo: "2026-03-08") {{ totalCount }} }}'
    assert tenant.client.code(backward) == "BAD_USER_INPUT"


@pytest.mark.parametrize("field", LISTS)
def test_a_page_costs_its_size_and_counting_costs_100(acme: Tenant, client: GraphQLClient, field: str) -> None:
    acme.add_histories(1)

    answer = client.answer(f"{{ {field}(first: 7) {{ totalCount nodes {{ id }} }} }}")

    assert answer["extensions"]["cost"]["requested"] == 107


@pytest.mark.parametrize(
    ("call", "price"),
    [
        ("messages(first: 7, channel: SMS)", 7),
        ("messages(first: 7, status: [SENT])", 107),
        ('messages(first: 7, channel: SMS, dateTo: "2026-01-01")', 107),
        ("messages(first: 7, status: null, channel: null)", 7),
        ("reviews(first: 7, score: [5])", 7),
        ('reviews(first: 7, locationSlug: "x")', 7),
        ("reviews(first: 7, score: [4, 5])", 107),
        ('reviews(first: 7, score: [5], locationSlug: "x")', 107),
        ('charges(first: 7, currency: "USD")', 7),
        ('charges(first: 7, dateFrom: "2026-01-01")', 107),
    ],
)
def test_conditions_that_no_index_serves_cost_100_more(client: GraphQLClient, call: str, price: int) -> None:
    answer = client.answer(f"{{ {call} {{ nodes {{ id }} }} }}")

    # What was not returned is given back, but for what was read.
    assert answer["extensions"]["cost"]["requested"] == price
    assert answer["extensions"]["cost"]["actual"] == price - 7


def test_customers_are_sorted_and_narrowed_by_their_last_change(acme: Tenant, client: GraphQLClient) -> None:
    times = {"first_name": "old", "updated_at": at(0)}, {"first_name": "new", "updated_at": at(60 * 24)}
    acme.add_customers(*times)
    names = "query($dir: SortDirection, $from: Date) { customers(sortKey: UPDATED_AT, sortDir: $dir,"
    names += " dateKey: UPDATED_AT, dateFrom: $from) { nodes { name } } }"

    def listed(**variables: Any) -> list[str]:
        return [node["name"] for node in client.data(names, **variables)["customers"]["nodes"]]

    assert listed() == ["new", "old"]
    assert listed(dir="ASC") == ["old", "new"]
    assert listed(**{"from": at(60 * 24).date().isoformat()}) == ["new"]
