"""An index serves every list in its order, as the plans of the requests' statements show."""

import asyncio
import re
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

import stores
from customergraph.domain.customer import CustomerFilter, CustomerSortKey
from customergraph.domain.paging import SortDirection
from factories import Tenant, at
from mutations import CREATE
from statements import recorded_with_arguments

# A walk over a whole table or a whole index, and a sort.
_SCAN = re.compile(r"(SCAN|Seq Scan on) (customer|message|candidate|review|charge|customer_tag)\b")
_SORT = re.compile(r"USE TEMP B-TREE|\bSort\b")
_TWO_RANGES = re.compile(r"COMPOUND|Append")

# PostgreSQL would rather scan and sort the small tables of a test: these settings make it use an
# index if it can. `benchmarks.scale` measures what it does with a million rows.
_POSTGRESQL = [f"SET enable_{method} = off" for method in ("seqscan", "sort", "bitmapscan", "incremental_sort")]

LIST = """
query List($filter: CustomerFilter, $key: CustomerSortKey, $dir: SortDirection, $first: Int, $last: Int,
           $after: String, $before: String, $dateKey: CustomerDateKey, $from: Date, $to: Date) {
  customers(filter: $filter, sortKey: $key, sortDir: $dir, first: $first, last: $last, after: $after,
            before: $before, dateKey: $dateKey, dateFrom: $from, dateTo: $to) {
    nodes { id }
    pageInfo { startCursor endCursor }
  }
}
"""


# The columns of sort keys that have another name, and how many ranges of the index each order is.
_INDEXED = {"NAME": "name_key", "EMAIL": "email_sort_key", "COMPANY": "company_key"}
_RANGES = {key: 1 if key in {"NAME", "CREATED_AT", "UPDATED_AT"} else 2 for key in CustomerSortKey}


class Planner:
    """Runs operations, and returns the plan of every statement on customers and their history."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.is_embedded = tenant.database_url.startswith("sqlite")

    def plans_of(self, operation: str, **variables: Any) -> list[str]:
        with recorded_with_arguments() as statements:
            self.tenant.client.data(operation, **variables)
        return asyncio.run(self._plans([pair for pair in statements if _is_read(pair[0])]))

    def plan_of_deletion(self, operation: str, **variables: Any) -> str:
        """Run an operation, and return the plan of its one deletion."""
        with recorded_with_arguments() as statements:
            self.tenant.client.data(operation, **variables)
        (plan,) = asyncio.run(self._plans([pair for pair in statements if pair[0].startswith("DELETE")]))
        return plan

    async def _plans(self, statements: Sequence[tuple[str, Any]]) -> list[str]:
        engine = create_async_engine(self.tenant.database_url, poolclass=NullPool)
        explain, column = ("EXPLAIN QUERY PLAN", 3) if self.is_embedded else ("EXPLAIN", 0)
        async with engine.connect() as connection:
            for setting in () if self.is_embedded else _POSTGRESQL:
                await connection.exec_driver_sql(setting)
            plans = [await connection.exec_driver_sql(f"{explain} {sql}", values) for sql, values in statements]
            return ["\n".join(row[column] for row in plan) for plan in plans]


def _is_read(statement: str) -> bool:
    return statement.startswith(("SELECT", "WITH")) and "FROM token" not in statement


@pytest.fixture
def planner(acme: Tenant) -> Planner:
    acme.add_histories(30, each=2)
    acme.add_customers(*({"archived_at": at(0), "email": f"{number}@example.com"} for number in range(30)))
    return Planner(acme)


def _assert_served_in_order(plans: list[str]) -> None:
    assert plans
    assert [plan for plan in plans if _SCAN.search(plan) or _SORT.search(plan)] == []


def _assert_reads(plans: list[str], index: str) -> None:
    assert [plan for plan in plans if index not in plan] == []


SORTS = [key for key in CustomerSortKey if key is not CustomerSortKey.RELEVANCE]


@pytest.mark.parametrize("direction", SortDirection)
@pytest.mark.parametrize("key", SORTS)
def test_each_sort_is_served_in_its_order_on_every_page(
    planner: Planner, key: CustomerSortKey, direction: SortDirection
) -> None:
    order = {"key": key, "dir": direction}
    cursor = planner.tenant.client.data(LIST, **order, first=10)["customers"]["pageInfo"]["endCursor"]

    plans = [
        *planner.plans_of(LIST, **order, first=10),
        *planner.plans_of(LIST, **order, last=10),
        *planner.plans_of(LIST, **order, first=10, after=cursor),
        *planner.plans_of(LIST, **order, last=5, before=cursor),
    ]

    assert len(plans) == 4
    _assert_served_in_order(plans)
    _assert_reads(plans, "ix_customer_project_id_is_archived_")
    _assert_served_in_order(planner.plans_of(LIST, **order, filter="ARCHIVED"))


@pytest.mark.parametrize("direction", SortDirection)
@pytest.mark.parametrize("facet", [facet for facet in CustomerFilter if facet is not CustomerFilter.ARCHIVED])
def test_each_facet_has_an_index_in_the_default_order(
    planner: Planner, facet: CustomerFilter, direction: SortDirection
) -> None:
    plans = planner.plans_of(LIST, filter=facet, dir=direction)

    _assert_served_in_order(plans)
    _assert_reads(plans, f"ix_customer_{facet.lower()} ")


@pytest.mark.parametrize("direction", SortDirection)
@pytest.mark.parametrize(
    ("facet", "key"),
    [
        ("NOT_ASKED", "ASKED_AT"),
        ("NOT_MESSAGED", "MESSAGED_AT"),
        ("NOT_REVIEWED", "REVIEWED_AT"),
        ("MISSED", "REVIEWED_AT"),
        ("ASKED", "ASKED_AT"),
        ("REVIEWED", "REVIEWED_AT"),
    ],
)
def test_a_facet_that_decides_the_sort_reads_one_range_of_the_sorts_index(
    planner: Planner, facet: str, key: str, direction: SortDirection
) -> None:
    plans = planner.plans_of(LIST, filter=facet, key=key, dir=direction)

    _assert_served_in_order(plans)
    assert [plan for plan in plans if _TWO_RANGES.search(plan)] == []
    _assert_reads(plans, f"ix_customer_project_id_is_archived_{key.lower()}_id")


@pytest.mark.parametrize("key", SORTS)
def test_live_and_archived_customers_are_two_pages_of_the_sorts_index(planner: Planner, key: CustomerSortKey) -> None:
    query = "query($key: CustomerSortKey) { customers(includeArchived: true, sortKey: $key) { nodes { id } } }"

    (plan,) = planner.plans_of(query, key=key)

    assert not _SCAN.search(plan), plan
    # The index orders each of the two pages, and one sort or a merge puts them in order together.
    column = _INDEXED.get(key, key.lower())
    assert len(re.findall(rf"ix_customer_project_id_is_archived_{column}_id", plan)) == _RANGES[key] * 2, plan


def test_a_locations_customers_have_an_index_in_the_default_order(planner: Planner) -> None:
    query = "query($slug: String) { customers(locationSlug: $slug) { nodes { id } } }"

    plan = planner.plans_of(query, slug="place")[-1]

    _assert_served_in_order([plan])
    _assert_reads([plan], "ix_customer_location")


def test_customers_with_all_tags_are_found_by_the_tags(planner: Planner) -> None:
    plans = planner.plans_of('{ customers(tagSlugs: ["a", "b"]) { nodes { id } totalCount } }')

    assert [plan for plan in plans if _SCAN.search(plan)] == []
    assert [plan.count("customer_tag") > 1 for plan in plans if "customer" in plan] == [True, True]


def test_relevance_reads_ranges_of_names_first(planner: Planner) -> None:
    query = "query($q: String) { customers(q: $q, sortKey: RELEVANCE, first: 10) { nodes { id } } }"

    (ascii_plan,) = planner.plans_of(query, q="cu")
    (other_plan,) = planner.plans_of(query, q="жu")

    by_name = "ix_customer_project_id_is_archived_name_key_id"
    assert re.search(rf"{by_name}.*name_key ?>", ascii_plan, re.DOTALL), ascii_plan
    for plan in (ascii_plan, other_plan):
        assert not _SCAN.search(plan), plan
        # PostgreSQL rather filters the few rows of a test than sorts them.
        assert not planner.is_embedded or "ix_customer_name_prefix (project_id=? AND is_archived=? AND <expr>>?" in plan


def test_those_who_unsubscribed_have_an_index_by_the_time_they_were_asked(planner: Planner) -> None:
    plans = planner.plans_of(LIST, filter="UNSUBSCRIBED", key="ASKED_AT")

    _assert_served_in_order(plans)
    _assert_reads(plans, "ix_customer_unsubscribed_by_asked")


@pytest.mark.parametrize("key", ["CREATED_AT", "SIGNED_UP_AT", "ASKED_AT", "MESSAGED_AT", "REVIEWED_AT", "UPDATED_AT"])
def test_days_on_the_sorts_own_column_are_a_range_of_its_index(planner: Planner, key: str) -> None:
    plans = planner.plans_of(LIST, key=key, dateKey=key, **{"from": "2026-01-01"}, to="2026-12-31")

    _assert_served_in_order(plans)
    index_range = re.compile(rf"ix_customer_project_id_is_archived_{key.lower()}_id .*{key.lower()} ?>", re.DOTALL)
    assert [plan for plan in plans if not index_range.search(plan)] == []


@pytest.mark.parametrize("field", ["messages", "reviews", "charges"])
@pytest.mark.parametrize("after", [False, True])
def test_each_nested_list_enters_its_index_once_for_each_parent(planner: Planner, field: str, *, after: bool) -> None:
    nested = (
        "query Nested($after: String)"
        " { customers { nodes { %s(first: 1, after: $after) { pageInfo { endCursor } } } } }"
    )
    answer = planner.tenant.client.data(nested % field)
    cursor = answer["customers"]["nodes"][0][field]["pageInfo"]["endCursor"] if after else None

    plans = planner.plans_of(nested % field, after=cursor)

    # The index orders each parent's page; one sort puts the pages of all parents in order.
    plan = plans[-1]
    assert len(re.findall(r"USE TEMP B-TREE|Sort Key", plan)) == 1, plan
    assert not _SCAN.search(plan), plan
    table = field.removesuffix("s")
    assert f"ix_{table}_project_id_customer_id_" in plan, plan
    if planner.is_embedded:
        _assert_served_in_order(plans[:1])
        assert re.search(r"SEARCH \w+ USING INTEGER PRIMARY KEY \(rowid=\?\)", plan), plan


@pytest.mark.parametrize("field", ["messages", "reviews", "charges"])
def test_the_projects_list_enters_its_index_by_id(planner: Planner, field: str) -> None:
    page = "(first: 2, after: $after) { nodes { id } pageInfo { endCursor } }"
    query = f"query List($after: String) {{ {field}{page} }}"
    cursor = planner.tenant.client.data(query)[field]["pageInfo"]["endCursor"]

    plans = [*planner.plans_of(query), *planner.plans_of(query, after=cursor)]

    assert len(plans) == 2
    _assert_served_in_order(plans)
    _assert_reads(plans, f"ix_{field.removesuffix('s')}_project_id_id")


@pytest.mark.parametrize(
    ("call", "index"),
    [
        ("messages(channel: SMS)", "ix_message_project_id_channel_id"),
        ("reviews(score: [5])", "ix_review_project_id_score_id"),
        ('reviews(locationSlug: "place")', "ix_review_project_id_location_id_id"),
        ('charges(currency: "USD")', "ix_charge_project_id_currency_id"),
        ('charges(locationSlug: "place")', "ix_charge_project_id_location_id_id"),
    ],
)
def test_the_projects_list_under_one_condition_has_an_index_in_its_order(
    planner: Planner, call: str, index: str
) -> None:
    plans = planner.plans_of(f"{{ {call} {{ nodes {{ id }} }} }}")

    _assert_served_in_order(plans)
    _assert_reads(plans, index)


@pytest.mark.parametrize(("field", "table"), [("revenue", "charge"), ("reviews", "review"), ("messages", "message")])
def test_statistics_read_an_index_of_what_they_count_and_no_table(planner: Planner, field: str, table: str) -> None:
    query = f'{{ stats(dateFrom: "2026-01-01", dateTo: "2026-12-31") {{ {field} {{ periodStart }} }} }}'

    (plan,) = planner.plans_of(query)

    assert not _SCAN.search(plan), plan
    # For a few rows PostgreSQL takes any index; `benchmarks.dashboards --explain` shows what it takes for many.
    assert not planner.is_embedded or f"COVERING INDEX ix_{table}_stats" in plan, plan


@pytest.mark.parametrize("field", ["tags { id }", "location { id }", "messages { totalCount }"])
def test_other_nested_reads_scan_and_sort_nothing(planner: Planner, field: str) -> None:
    plans = planner.plans_of(f"{{ customers {{ nodes {{ {field} }} }} }}")

    assert [plan for plan in plans if _SCAN.search(plan)] == []


def test_single_rows_and_plain_lists_scan_no_growing_table(planner: Planner) -> None:
    id_ = planner.tenant.client.data("{ customers(first: 1) { nodes { id uuid } } }")["customers"]["nodes"][0]

    _assert_served_in_order(planner.plans_of("query Q($id: ID!) { customer(id: $id) { name } }", id=id_["id"]))
    _assert_served_in_order(planner.plans_of("query Q($id: ID!) { customer(id: $id) { name } }", id=id_["uuid"]))
    _assert_served_in_order(planner.plans_of("{ locations { name } tags { name } }"))


@pytest.mark.parametrize("field", ["messages", "reviews", "charges"])
def test_a_node_of_the_history_scans_no_table(planner: Planner, field: str) -> None:
    data = planner.tenant.client.data(f"{{ customers {{ nodes {{ {field} {{ nodes {{ id }} }} }} }} }}")
    node = data["customers"]["nodes"][0][field]["nodes"][0]

    _assert_served_in_order(planner.plans_of("query Q($id: ID!) { node(id: $id) { id } }", id=node["id"]))


def test_rows_that_are_referred_to_are_looked_up_by_id(planner: Planner) -> None:
    data = planner.tenant.client.data(
        "{ customers(first: 1, filter: ASKED) { nodes { messages(first: 1) { nodes { id } } } } }"
    )
    (message,) = data["customers"]["nodes"][0]["messages"]["nodes"]

    plans = planner.plans_of(
        "query($id: ID!) { node(id: $id) { ... on Message { customer { name location { name } } } } }", **message
    )

    by_id = re.compile(r"INTEGER PRIMARY KEY|using pk_\w+|Index Cond: \(id = ")
    assert [plan for plan in plans if not by_id.search(plan)] == []
    assert len(plans) == 3


@pytest.mark.parametrize(
    "field", ["location { name }", "messages { totalCount }", "reviews(first: 1) { nodes { location { name } } }"]
)
def test_many_keys_are_looked_up_in_an_index_and_joined_with_nothing(planner: Planner, field: str) -> None:
    plan = planner.plans_of(f"{{ customers {{ nodes {{ {field} }} }} }}")[-1]

    # On SQLite the same keys are the values of a JSON array, which one look-up in the index takes.
    expected = r"SEARCH .*=\?" if planner.is_embedded else r"= ANY \("
    assert re.search(expected, plan), plan
    assert not _SCAN.search(plan), plan


def test_a_feed_is_shortened_by_reading_only_its_oldest_changes(acme: Tenant) -> None:
    acme.add_customers({}, {}, {})
    stores.execute(acme.database_url, "UPDATE change SET at = '2020-01-01T00:00:00.000000Z'")

    plan = Planner(acme).plan_of_deletion(CREATE, input={"firstName": "Ada"})

    # With one bound PostgreSQL would expect to remove a third of a long feed, and read it all.
    assert re.search(r'position>\? AND position<\?|"position" >= .*"position" <', plan), plan
