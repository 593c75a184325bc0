"""Measures the reading of one long feed, beside other pages of 100, and what its writers pay to shorten it.

    PYTHONPATH=tests .venv/bin/python -m benchmarks.feeds [--changes 10000000] [--rounds 30] [--url postgresql+asyncpg://…/]

`--url` names a PostgreSQL server, whose user may make databases; without it a SQLite file in `.test-cache/` is
measured. The store is a demo of 1,000 customers, whose changes are repeated until there are so many. It is made if it
does not exist, and kept until you drop it.

How to read the first table: each request is sent to the gateway, a process of its own, in rounds, one after another.

ms       the median of the rounds, from the request's first byte to the answer's last
CPU ms   of the gateway's process for one request, over all rounds
ratio    the time divided by that of a page of 100 messages

The second table has the milliseconds of a write of one customer in this process, the median of the rounds: while no
change is too old, and while all are, so that each write removes up to twelve. Both take turns.
"""

import argparse
import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from statistics import median
from typing import Any
from uuid import uuid4

import httpx
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select, text

from benchmarks import stores
from benchmarks.servers import serving
from customergraph import demo
from customergraph.demo.people import HistoryCounts
from customergraph.domain import timestamps
from customergraph.domain.feed import FeedCursor
from customergraph.store import access, customers, upgrades
from customergraph.store.database import Database
from customergraph.store.tables import change, customer
from customergraph.store.transactions import Write

CUSTOMERS = 1_000
COUNTS = HistoryCounts(messages=20, reviews=5, charges=10)
PAGE, FAR_PAGE = 100, 10_000
_COUNT = "SELECT count(*) FROM change"
_REPEAT = """
    INSERT INTO change (project_id, position, at, kind, action, subject_id, subject_uuid, customer_id, fields, token_id)
    SELECT project_id, position + :by, at, kind, action, subject_id, subject_uuid, customer_id, fields, token_id
    FROM change WHERE position + :by <= :most"""
_END = "UPDATE feed SET position = (SELECT max(position) FROM change)"
CHANGES = """query($after: String, $kinds: [ChangeKind!]) { changes(after: $after, first: 100, kinds: $kinds) {
  nodes { position kind action subjectId at } pageInfo { endCursor hasNextPage } headCursor } }"""
NODES = CHANGES.replace("subjectId at", "subjectId at node { id ... on Message { uuid status } }")
LIST = "{ %s(first: 100) { nodes { id uuid createdAt %s } pageInfo { endCursor hasNextPage } } }"
Asks = Mapping[str, tuple[str, dict[str, Any]]]


async def fill(url: str, changes: int) -> None:
    """Make the demo, and double its feed until it is so long."""
    database = Database(url)
    await upgrades.upgrade(database)
    await demo.fill(database, CUSTOMERS, COUNTS)
    async with database.unbound(writing=True) as connection:
        count = await connection.scalar(text(_COUNT))
    while count < changes:
        async with database.unbound(writing=True) as connection:
            await connection.execute(text(_REPEAT), {"by": count, "most": changes})
            count = await connection.scalar(text(_COUNT))
    async with database.unbound(writing=True) as connection:
        await connection.execute(text(_END))
    if database.backend.path is None:
        await stores.settle(database)
    await database.close()


async def cursor(url: str, position: int) -> str:
    """Return the feed's cursor of a position."""
    database = Database(url)
    async with database.unbound() as connection:
        found = select(change.c.project_id, change.c.at).where(change.c.position == position)
        row = (await connection.execute(found)).one()
    await database.close()
    return FeedCursor(row.project_id, position, row.at).encoded()


def asks(url: str, changes: int) -> Asks:
    far = asyncio.run(cursor(url, min(PAGE * (FAR_PAGE - 1), changes // 2)))
    last = asyncio.run(cursor(url, changes - PAGE))
    return {
        "messages, 100": (LIST % ("messages", "status"), {}),
        "customers, 100": (LIST % ("customers", "firstName"), {}),
        "changes, page 1": (CHANGES, {}),
        f"changes, page {FAR_PAGE:,}": (CHANGES, {"after": far}),
        "changes, last page": (CHANGES, {"after": last}),
        "changes with nodes, page 1": (NODES, {}),
        f"changes with nodes, page {FAR_PAGE:,}": (NODES, {"after": far}),
        "changes of tags, none in 10,000": (CHANGES, {"after": far, "kinds": ["TAG"]}),
    }


def measure_reads(url: str, token: str, changes: int, rounds: int) -> Table:
    times: defaultdict[str, list[float]] = defaultdict(list)
    cpu: defaultdict[str, float] = defaultdict(float)
    requests = asks(url, changes)
    with serving("gateway", url, token) as server:
        for number in range(-5, rounds):
            for name, (query, variables) in requests.items():
                began, used = time.perf_counter(), server.cpu_seconds()
                _checked(server.http.post("/graphql", json={"query": query, "variables": variables}))
                if number >= 0:
                    times[name].append((time.perf_counter() - began) * 1000)
                    cpu[name] += (server.cpu_seconds() - used) * 1000
    table = Table(f"{changes:,} changes", "ms", "CPU ms", "ratio")
    usual = median(times["messages, 100"])
    for name, taken in times.items():
        took = median(taken)
        table.add_row(name, f"{took:.1f}", f"{cpu[name] / rounds:.2f}", f"{took / usual:.2f}")
    return table


def _checked(answer: httpx.Response) -> None:
    assert "errors" not in answer.json(), answer.text[:500]


async def measure_writes(url: str, rounds: int) -> Table:
    # The second keeps nothing but the newest change.
    keeping, removing = Database(url), Database(url, feed_days=0)
    times: dict[str, list[float]] = {"all are kept": [], "all are too old": []}
    project = await access.project_of_slug(keeping, demo.SLUG)
    async with keeping.unbound() as connection:
        id_ = await connection.scalar(select(func.min(customer.c.id)))

    async def change_notes(write: Write) -> None:
        row = await customers.locked(write, id_)
        assert row is not None
        await customers.change(write, row, timestamps.now(), notes=str(uuid4()))

    for _ in range(rounds):
        for name, database in zip(times, (keeping, removing), strict=True):
            began = time.perf_counter()
            await database.change(project.id, change_notes)
            times[name].append((time.perf_counter() - began) * 1000)
    for database in (keeping, removing):
        await database.close()
    table = Table("a write", "ms")
    for name, taken in times.items():
        table.add_row(name, f"{median(taken):.2f}")
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--changes", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--url", help="of a PostgreSQL server, such as postgresql+asyncpg://user@host/")
    options, console = parser.parse_args(), Console(width=110)
    name = f"feed-{options.changes}"
    url = asyncio.run(stores.ensure_store(options.url, name, lambda url: fill(url, options.changes)))
    token = asyncio.run(stores.upgrade_and_add_token(url))
    console.print(measure_reads(url, token, options.changes, options.rounds))
    console.print(asyncio.run(measure_writes(url, options.rounds)))


if __name__ == "__main__":
    main()
