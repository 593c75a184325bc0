"""Measures the gateway over two stores of different size, and reports what costs more at the larger one.

    PYTHONPATH=tests python -m benchmarks.scale [--url postgresql+asyncpg://…/] [--customers 10000 1000000]
        [--rounds 7] [--explain]

`--url` names a PostgreSQL server; its user must be allowed to make the databases `customergraph_scale_…`. Without
`--url` the stores are SQLite files in `.test-cache/`. Stores that do not exist are made first, with ten messages,
two reviews and five charges for each customer; a million customers take minutes on PostgreSQL. The stores are
kept until you drop them. Each store is served by the real gateway in a process of its own, and gets one request
at a time over HTTP. Each request is sent seven times unmeasured, since PostgreSQL may change a plan at the sixth,
and then `--rounds` times to both stores in turn.

How to read it: the times are medians over the rounds, in milliseconds from the request's first byte to the
answer's last; a part of each is HTTP and GraphQL. The ratio is the second time divided by the first: the large
store by the small one, or a far page by the first page. `!` marks a missed aim. The aims: lists, searches and
nested reads take at most twice their time at the small store, a far page 1.5 times the first one, and
`totalCount` 150 ms. Mutations change both stores a little; `db check` finds no problem after them.
With `--explain` the plans of the three slowest lists, searches and counts of the large store follow.
"""

import argparse
import asyncio
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from itertools import groupby
from statistics import median
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from benchmarks import comparisons, plans, stores
from benchmarks.comparisons import Ask, Comparison
from benchmarks.servers import serving
from customergraph.domain.customer import CustomerFilter, CustomerSortKey
from customergraph.domain.paging import SortDirection

WARMING = 7
WORST = 12
EXPLAINED = 3
EXPLAINED_GROUPS = {"list", "last page", "days", "search", "totalCount"}
Matrix = dict[tuple[CustomerFilter | None, CustomerSortKey, SortDirection], Comparison]


class Client:
    """Sends requests to one gateway."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def post(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Send a request and return its data; fails unless it succeeded."""
        return self._checked(self._send(query, variables), query)

    def ms(self, ask: Ask) -> float:
        """Send a request and return the milliseconds until its answer came."""
        variables = ask.before(self.post) if ask.before else ask.variables
        begin = time.perf_counter()
        answer = self._send(ask.query, variables)
        took = (time.perf_counter() - begin) * 1000
        self._checked(answer, f"{ask.query} {variables}")
        return took

    def _send(self, query: str, variables: Mapping[str, Any]) -> httpx.Response:
        return self._http.post("/graphql", json={"query": query, "variables": variables})

    @staticmethod
    def _checked(answer: httpx.Response, what: str) -> dict[str, Any]:
        body = answer.json()
        data: dict[str, Any] = body.get("data") or {}
        refused = any(isinstance(value, dict) and value.get("userErrors") for value in data.values())
        if not data or refused or "errors" in body:
            raise AssertionError(f"{what}: {answer.text[:500]}")
        return data


def measure(comparison: Comparison, clients: tuple[Client, Client], rounds: int) -> None:
    """Time both requests in turn, after warming."""
    asks = [(clients[ask.at_large], ask) for ask in comparison.pair]
    for client, ask in asks * WARMING:
        client.ms(ask)
    times = [[client.ms(ask) for client, ask in asks] for _ in range(rounds)]
    first, second = (median(column) for column in zip(*times, strict=True))
    comparison.ms = first, second


def matrix_table(matrix: Matrix) -> Table:
    """Return the table of the ratios of all facets and sorts, in both directions."""
    grid = Table("ratio, DESC and ASC", *(key.removesuffix("_AT").lower() for key in comparisons.SORTS))
    for facet in (None, *CustomerFilter):
        cells = [
            " ".join(_marked(matrix[facet, key, direction]) for direction in (SortDirection.DESC, SortDirection.ASC))
            for key in comparisons.SORTS
        ]
        grid.add_row(facet or "no facet", *cells)
    return grid


def _marked(comparison: Comparison) -> str:
    return f"{comparison.ratio:.1f}{'!' if comparison.is_missed else ''}"


def results_table(title: str, measured: list[Comparison]) -> Table:
    """Return the table of a group's times and ratios."""
    table = Table(title, "ms", "ms", "ratio")
    for column in table.columns[1:]:
        column.justify = "right"
    for comparison in measured:
        table.add_row(comparison.name, *(f"{ms:.1f}" for ms in comparison.ms), _marked(comparison))
    return table


def report(console: Console, matrix: Matrix, others: list[Comparison]) -> None:
    """Print all tables, then what misses its aim."""
    lists = [*matrix.values()]
    console.print(matrix_table(matrix))
    console.print(results_table("slowest first pages", sorted(lists, key=lambda one: one.ms[1], reverse=True)[:WORST]))
    console.print(results_table("first pages of the worst ratio", sorted(lists, key=_ratio, reverse=True)[:WORST]))
    for group, measured in groupby(others, key=lambda one: one.group):
        console.print(results_table(group, [*measured]))
    missed = [one for one in (*lists, *others) if one.is_missed]
    console.print(f"{len(missed)} of {len(lists) + len(others)} miss their aim:")
    for one in sorted(missed, key=_ratio, reverse=True):
        console.print(f"  {one.group}, {one.name}: {one.ms[0]:.1f} ms, {one.ms[1]:.1f} ms, {one.ratio:.1f}")


def _ratio(comparison: Comparison) -> float:
    return comparison.ratio


def slowest_plans(large: stores.Store, measured: list[Comparison]) -> Iterator[str]:
    """Return the plans of the slowest reads of the large store."""
    reads = [one for one in measured if one.group in EXPLAINED_GROUPS]
    for one in sorted(reads, key=lambda one: one.ms[1], reverse=True)[:EXPLAINED]:
        ask = one.pair[1]
        yield f"\n{one.group}, {one.name}: {one.ms[1]:.1f} ms"
        yield from asyncio.run(plans.of_request(large.url, large.token, ask.query, ask.variables))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--url", help="of a PostgreSQL server, such as postgresql+asyncpg://user@host/")
    parser.add_argument("--customers", type=int, nargs=2, default=(10_000, 1_000_000), metavar=("SMALL", "LARGE"))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--explain", action="store_true", help="show the plans of what is slowest")
    return parser.parse_args()


def main() -> None:
    options, console = _arguments(), Console(width=150)
    # Slow statements are measured, not refused.
    os.environ.setdefault("CUSTOMERGRAPH_STATEMENT_TIMEOUT", "60")
    report_progress = Console(stderr=True).print
    small, large = (asyncio.run(stores.store(options.url, size, report_progress)) for size in options.customers)
    matrix: Matrix = {(facet, key, direction): one for facet, key, direction, one in comparisons.matrix()}
    others = asyncio.run(comparisons.rest(small, large))
    with ExitStack() as running:
        first, second = (
            Client(running.enter_context(serving("gateway", store.url, store.token)).http) for store in (small, large)
        )
        for one in (*matrix.values(), *others):
            measure(one, (first, second), options.rounds)
    report(console, matrix, others)
    if options.explain:
        for text in slowest_plans(large, [*matrix.values(), *others]):
            console.print(text, markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
