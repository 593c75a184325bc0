"""Every list is served by an index in its order: read from the plans of the statements that requests run."""

import asyncio
import re
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from customergraph.domain.customer import CustomerFilter, CustomerSortKey
from customergraph.domain.paging import SortDirection
from factories import Tenant, at
from statements import told

# A walk over a whole table, whichever of its indexes it walks, and a sort.
_SCAN = re.compile(r"(SCAN|Seq Scan on) (customer|message|wanted|review|charge|customer_tag)\b")
_SORT = re.compile(r"USE TEMP B-TREE|\bSort\b")
_TWO_RANGES = re.compile(r"COMPOUND|Append")

# The tables of a test are so small that PostgreSQL would rather scan and sort them; what is
# asked here is whether an index serves. What it does with a million: `benchmarks.scale`.
_POSTGRESQL = [f"SET enable_{way} = off" for way in ("seqscan", "sort", "bitmapscan", "incremental_sort")]

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


class Plans:
    """Runs operations, and gives the plan of every statement on customers and their history."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.is_embedded = tenant.database_url.startswith("sqlite")

    def of(self, operation: str, **variables: Any) -> list[str]:
        with told() as found:
            self.tenant.client.data(operation, **variables)
        return asyncio.run(self._plans([one for one in found if _is_read(one[0])]))

    async def _plans(self, statements: Sequence[tuple[str, Any]]) -> list[str]:
        engine = create_async_engine(self.tenant.database_url, poolclass=NullPool)
        explain, column = ("EXPLAIN QUERY PLAN", 3) if self.is_embedded else ("EXPLAIN", 0)
        async with engine.connect() as connection:
            for setting in () if self.is_embedded else _POSTGRESQL:
                await connection.exec_driver_sql(setting)
            plans = [await connection.exec_driver_sql(f"{explain} {sql}", values) for sql, values in statements]
            return ["\n".join(row[column] for row in plan) for plan in plans]


def _is_read(statement: str) -> bool:
    return statement.startswith("SELECT") and "FROM token" not in statement


@pytest.fixture
def plans(acme: Tenant) -> Plans:
    acme.add_histories(30, each=2)
    acme.add_customers(*({"archived_at": at(0), "email": f"{number}@example.com"} for number in range(30)))
    return Plans(acme)


def _assert_served_in_order(plans: list[str]) -> None:
    assert plans
    for plan in plans:
        assert not _SCAN.search(plan), plan
        assert not _SORT.search(plan), plan


@pytest.mark.parametrize("direction", SortDirection)
@pytest.mark.parametrize("key", CustomerSortKey)
def test_each_sort_is_served_in_its_order_on_every_page(
    plans: Plans, key: CustomerSortKey, direction: SortDirection
) -> None:
    order = {"key": key, "dir": direction}
    index = "ix_customer_project_id_is_archived_"
    page = plans.tenant.client.data(LIST, **order, first=10)["customers"]["pageInfo"]

    for paging in (
        {"first": 10},
        {"last": 10},
        {"first": 10, "after": page["endCursor"]},
        {"last": 5, "before": page["endCursor"]},
    ):
        found = plans.of(LIST, **order, **paging)
        _assert_served_in_order(found)
        assert all(index in plan for plan in found), found
    _assert_served_in_order(plans.of(LIST, **order, filter="ARCHIVED"))


@pytest.mark.parametrize("direction", SortDirection)
@pytest.mark.parametrize("facet", [facet for facet in CustomerFilter if facet is not CustomerFilter.ARCHIVED])
def test_each_facet_has_an_index_in_the_default_order(
    plans: Plans, facet: CustomerFilter, direction: SortDirection
) -> None:
    found = plans.of(LIST, filter=facet, dir=direction)

    _assert_served_in_order(found)
    assert all(f"ix_customer_{facet.lower()} " in plan for plan in found), found


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
    plans: Plans, facet: str, key: str, direction: SortDirection
) -> None:
    found = plans.of(LIST, filter=facet, key=key, dir=direction)

    _assert_served_in_order(found)
    for plan in found:
        assert not _TWO_RANGES.search(plan), plan
        assert f"ix_customer_project_id_is_archived_{key.lower()}_id" in plan, plan


def test_those_who_unsubscribed_have_an_index_by_the_time_they_were_asked(plans: Plans) -> None:
    found = plans.of(LIST, filter="UNSUBSCRIBED", key="ASKED_AT")

    _assert_served_in_order(found)
    assert all("ix_customer_unsubscribed_by_asked" in plan for plan in found), found


@pytest.mark.parametrize("key", ["CREATED_AT", "SIGNED_UP_AT", "ASKED_AT", "MESSAGED_AT", "REVIEWED_AT"])
def test_days_on_the_sorts_own_column_are_a_range_of_its_index(plans: Plans, key: str) -> None:
    found = plans.of(LIST, key=key, dateKey=key, **{"from": "2026-01-01"}, to="2026-12-31")

    _assert_served_in_order(found)
    for plan in found:
        found_by = rf"ix_customer_project_id_is_archived_{key.lower()}_id .*{key.lower()} ?>"
        assert re.search(found_by, plan, re.DOTALL), plan


@pytest.mark.parametrize("field", ["messages", "reviews", "charges"])
@pytest.mark.parametrize("after", [False, True])
def test_each_nested_list_enters_its_index_once_for_each_parent(plans: Plans, field: str, *, after: bool) -> None:
    nested = (
        "query Nested($after: String)"
        " { customers { nodes { %s(first: 1, after: $after) { pageInfo { endCursor } } } } }"
    )
    answer = plans.tenant.client.data(nested % field)
    cursor = answer["customers"]["nodes"][0][field]["pageInfo"]["endCursor"] if after else None

    found = plans.of(nested % field, after=cursor)

    # The list's pages come in order; what they gave is sorted once, all parents' together.
    _assert_served_in_order(found[:1])
    assert len(re.findall(r"USE TEMP B-TREE|Sort Key", found[1])) == 1, found[1]
    assert not _SCAN.search(found[1]), found[1]
    table = field.removesuffix("s")
    assert f"ix_{table}_project_id_customer_id_" in found[1], found[1]
    if plans.is_embedded:
        assert re.search(r"SEARCH \w+ USING INTEGER PRIMARY KEY \(rowid=\?\)", found[1]), found[1]


@pytest.mark.parametrize("field", ["tags { id }", "location { id }", "messages { totalCount }"])
def test_other_nested_reads_scan_and_sort_nothing(plans: Plans, field: str) -> None:
    found = plans.of(f"{{ customers {{ nodes {{ {field} }} }} }}")

    for plan in found:
        assert not _SCAN.search(plan), plan


def test_single_rows_and_plain_lists_scan_no_growing_table(plans: Plans) -> None:
    id_ = plans.tenant.client.data("{ customers(first: 1) { nodes { id uuid } } }")["customers"]["nodes"][0]

    _assert_served_in_order(plans.of("query Q($id: ID!) { customer(id: $id) { name } }", id=id_["id"]))
    _assert_served_in_order(plans.of("query Q($id: ID!) { customer(id: $id) { name } }", id=id_["uuid"]))
    _assert_served_in_order(plans.of("{ locations { name } tags { name } }"))
    for field in ("messages", "reviews", "charges"):
        found = plans.tenant.client.data(f"{{ customers {{ nodes {{ {field} {{ nodes {{ id }} }} }} }} }}")
        nodes = found["customers"]["nodes"][0][field]["nodes"]
        _assert_served_in_order(plans.of("query Q($id: ID!) { node(id: $id) { id } }", id=nodes[0]["id"]))


def test_rows_that_are_named_are_found_by_their_ids(plans: Plans) -> None:
    data = plans.tenant.client.data(
        "{ customers(first: 1, filter: ASKED) { nodes { messages(first: 1) { nodes { id } } } } }"
    )
    (message,) = data["customers"]["nodes"][0]["messages"]["nodes"]

    found = plans.of(
        "query($id: ID!) { node(id: $id) { ... on Message { customer { name location { name } } } } }", **message
    )

    by_id = re.compile(r"INTEGER PRIMARY KEY|using pk_\w+|Index Cond: \(id = ")
    assert [plan for plan in found if not by_id.search(plan)] == []
    assert len(found) == 3
