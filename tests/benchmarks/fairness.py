"""Measures how long one token's small query takes while another token does its worst, on both stores.

    PYTHONPATH=tests .venv/bin/python -m benchmarks.fairness [--customers 100000] [--seconds 5]

Token A has `--connections` connections, each of which repeats one kind of work; token B sends one small
query after another. No bucket is ever empty, so only turns keep B's queries fast.

    p50, p99, max   of B's queries, in milliseconds; p99 of more than 300 is a defect
    A, refused      the numbers of A's requests that were answered with data, and without
"""

import argparse
import asyncio
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import quantiles
from typing import Any
from uuid import uuid4

import httpx
from rich.console import Console
from rich.table import Table

from benchmarks import demos
from benchmarks.attacks import serving
from customergraph import demo
from customergraph.demo.people import HistoryCounts
from customergraph.domain.principal import Scope
from customergraph.store import access
from customergraph.store.database import Database

LONGEST_P99_MS = 300
FEW = HistoryCounts(messages=2, reviews=1, charges=1)
SMALL = "{ customers(first: 1) { nodes { name } } }"
# The pause between the small queries, as if a person opened pages.
PAUSE_SECONDS = 0.02
BEGINNING_SECONDS = 0.5


def aliased(field: str, count: int = 30) -> str:
    return "{ " + " ".join(f"a{number}: {field.format(number)}" for number in range(count)) + " }"


HISTORIES = "nodes { id name tags { slug } messages(first: 5) { nodes { id scheduledAt } } }"
# A's work: a query, and whether its token is valid.
WORK: dict[str, tuple[str, bool]] = {
    "nothing": ("", True),
    "thirty counts": (aliased("customers {{ totalCount }}"), True),
    "thirty searches that find nothing": (aliased('customers(q: "zz{:02}qq") {{ nodes {{ id }} }}'), True),
    "short searches that find nothing": (aliased('customers(q: "#{}") {{ totalCount }}'), True),
    "large answers": (
        aliased(f"customers(first: 100) {{{{ {HISTORIES.replace('{', '{{').replace('}', '}}')} }}}}", 20),
        True,
    ),
    "requests without a valid token": (SMALL, False),
    "changes": ('mutation { updateCustomerNotes(id: "1", notes: "x") { userErrors { code } } }', True),
}


@dataclass(frozen=True, slots=True)
class Measurement:
    """B's times in seconds, and the numbers of A's answers with and without data."""

    seconds: list[float]
    answers: int = 0
    refusals: int = 0

    def ms(self, percent: int) -> float:
        return quantiles(self.seconds, n=100, method="inclusive")[percent - 1] * 1000


class Counts:
    """Shared with the process that does A's work: whether it has begun, and the counts of its answers."""

    def __init__(self, spawning: Any) -> None:
        self.has_begun = spawning.Event()
        self.answers = spawning.Value("l", 0)
        self.refusals = spawning.Value("l", 0)


def repeat(url: str, token: str, query: str, connections: int, counts: Counts) -> None:
    """Repeat a query on so many connections until this process is ended."""

    async def one(http: httpx.AsyncClient) -> None:
        while True:
            response = await http.post("/graphql", json={"query": query})
            number = counts.answers if b'"data":' in response.content[:100] else counts.refusals
            with number.get_lock():
                number.value += 1

    async def run() -> None:
        limits = httpx.Limits(max_connections=connections)
        headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60, limits=limits) as http:
            counts.has_begun.set()
            await asyncio.gather(*(one(http) for _ in range(connections)))

    asyncio.run(run())


@contextmanager
def working(url: str, token: str, query: str, connections: int) -> Iterator[Counts]:
    """Repeat a query in another process within the block; yields the counts of its answers."""
    spawning = multiprocessing.get_context("spawn")
    counts = Counts(spawning)
    process = spawning.Process(target=repeat, args=(url, token, query, connections, counts), daemon=True)
    process.start()
    try:
        assert counts.has_begun.wait(30)
        time.sleep(BEGINNING_SECONDS)
        yield counts
    finally:
        process.kill()
        process.join()


def times(http: httpx.Client, seconds: float) -> list[float]:
    """Repeat the small query for so many seconds; returns the duration of each."""
    durations: list[float] = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        began = time.perf_counter()
        response = http.post("/graphql", json={"query": SMALL})
        durations.append(time.perf_counter() - began)
        assert "errors" not in response.json(), response.text
        time.sleep(PAUSE_SECONDS)
    return durations


def measure(http: httpx.Client, token: str, name: str, connections: int, seconds: float) -> Measurement:
    query, is_known = WORK[name]
    if not query:
        return Measurement(times(http, seconds))
    with working(str(http.base_url), token if is_known else "cg_unknown", query, connections) as counts:
        return Measurement(times(http, seconds), counts.answers.value, counts.refusals.value)


async def another_token(url: str) -> str:
    database = Database(url)
    token = await access.create_token(database, demo.SLUG, f"another {uuid4()}", [Scope.READ], None)
    await database.close()
    return token


def table(engine: str, rows: dict[str, Measurement]) -> Table:
    grid = Table(f"A's work, {engine}", "queries", "p50", "p99", "max", "A", "refused")
    for column in range(1, 7):
        grid.columns[column].justify = "right"
    for name, measurement in rows.items():
        wrong = "" if measurement.ms(99) <= LONGEST_P99_MS else " !"
        grid.add_row(
            name,
            str(len(measurement.seconds)),
            f"{measurement.ms(50):.0f}",
            f"{measurement.ms(99):.0f}{wrong}",
            f"{max(measurement.seconds) * 1000:.0f}",
            str(measurement.answers),
            str(measurement.refusals),
        )
    return grid


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--connections", type=int, default=40)
    parser.add_argument("--engines", default="sqlite,postgresql")
    parser.add_argument("--only", default="", help="a part of the names of A's work")
    options = parser.parse_args()
    for engine in options.engines.split(","):
        with demos.server(engine, None) as server:
            store = asyncio.run(demos.store(server, options.customers, FEW))
            mine = asyncio.run(another_token(store.url))
            with serving(store.url, mine) as http:
                rows = {
                    name: measure(http, store.token, name, options.connections, options.seconds)
                    for name in WORK
                    if options.only in name
                }
        Console(width=120).print(table(engine, rows))


if __name__ == "__main__":
    main()
