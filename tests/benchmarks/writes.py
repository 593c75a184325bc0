"""Measures what the feed costs its writers: commits a second with it and without it, in turn, on both stores.

    PYTHONPATH=tests .venv/bin/python -m benchmarks.writes [--seconds 3] [--rounds 3] [--url postgresql+asyncpg://…/]

A write changes the notes of one customer in a transaction of its own, in the process that measures. `--url` names a
PostgreSQL server, whose user may make databases; without it only SQLite is measured. An import batch of 5,000 new
customers is measured in the same way. The ratios are those of the rounds' medians.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from statistics import median
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import asyncpg
from rich.console import Console
from rich.table import Table
from sqlalchemy import make_url

from customergraph.domain import timestamps
from customergraph.domain.customer import derived
from customergraph.saving.kinds import CUSTOMERS
from customergraph.store import access, bulk, change_log, customers, upgrades
from customergraph.store.backend import ConnectionOptions
from customergraph.store.database import Database
from customergraph.store.transactions import Write

PROJECTS = 16
BATCH = 5_000
SHAPES = {"1 writer": (1, 1), "16 writers, 1 project": (16, 1), "16 writers, 16 projects": (16, 16)}

Job = Callable[[], Awaitable[float]]


@contextmanager
def without_feed() -> Iterator[None]:
    async def nothing(_write: Write, _changes: change_log.Changes) -> None:
        pass

    with patch.object(change_log, "append", nothing):
        yield


def new_customers(count: int) -> list[dict[str, Any]]:
    now = timestamps.now()
    rows = [CUSTOMERS.new_row({"first_name": f"Customer {number}"}, now) for number in range(count)]
    return [{**row, **derived(row)} for row in rows]


class Store:
    """Sixteen projects, each with sixteen customers."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._customers: list[list[Any]] = []
        self._projects: list[int] = []

    async def fill(self) -> None:
        await upgrades.upgrade(self._database)
        for number in range(PROJECTS):
            await access.create_project(self._database, f"p{number}", "P", "UTC")
            project = await access.project_of_slug(self._database, f"p{number}")
            rows = new_customers(16)
            await self._database.change(project.id, partial(bulk.add, table="customer", rows=rows))
            async with self._database.read(project.id) as read:
                self._customers.append([*await bulk.known(read, "customer", "uuid", [row["uuid"] for row in rows])])
            self._projects.append(project.id)

    async def commits_a_second(self, writers: int, projects: int, seconds: float) -> float:
        until = time.perf_counter() + seconds
        counts = await asyncio.gather(*(self._write(number, number % projects, until) for number in range(writers)))
        return sum(counts) / seconds

    async def _write(self, number: int, project: int, until: float) -> int:
        row, count = self._customers[project][number], 0
        while time.perf_counter() < until:
            await self._database.change(
                self._projects[project],
                lambda write: customers.change(write, row, timestamps.now(), notes=str(uuid4())),
            )
            count += 1
        return count

    async def batches_a_second(self) -> float:
        rows = new_customers(BATCH)
        began = time.perf_counter()
        await self._database.change(self._projects[0], partial(bulk.add, table="customer", rows=rows))
        return 1 / (time.perf_counter() - began)


async def compare(job: Job, rounds: int) -> tuple[float, float]:
    """Return the medians of a job with the feed and without it, in turn."""
    measured: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        measured[0].append(await job())
        with without_feed():
            measured[1].append(await job())
    return median(measured[0]), median(measured[1])


@asynccontextmanager
async def postgresql(url: str) -> AsyncIterator[str]:
    """Make a database on a server, and drop it at the end."""
    name, server = f"writes_{uuid4().hex}", make_url(url)
    connection = await asyncpg.connect(
        host=server.host, port=server.port, user=server.username, password=server.password, database="postgres"
    )
    await connection.execute(f"CREATE DATABASE {name}")
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await connection.close()


async def measure(url: str, name: str, arguments: argparse.Namespace, table: Table) -> None:
    database = Database(url, ConnectionOptions(pool_size=16, pool_timeout=60))
    store = Store(database)
    await store.fill()
    for shape, (writers, projects) in SHAPES.items():

        async def job(writers: int = writers, projects: int = projects) -> float:
            return await store.commits_a_second(writers, projects, arguments.seconds)

        having, lacking = await compare(job, arguments.rounds)
        table.add_row(name, shape, f"{having:,.0f}", f"{lacking:,.0f}", f"{having / lacking:.2f}")
    having, lacking = await compare(store.batches_a_second, arguments.rounds)
    table.add_row(
        name, f"batch of {BATCH:,} (ms)", f"{1000 / having:,.0f}", f"{1000 / lacking:,.0f}", f"{lacking / having:.2f}"
    )
    await database.close()


async def main(arguments: argparse.Namespace) -> None:
    table = Table("store", "", "with the feed", "without", "ratio")
    with tempfile.TemporaryDirectory() as folder:
        await measure(f"sqlite+aiosqlite:///{folder}/writes.db", "SQLite", arguments, table)
    if arguments.url:
        async with postgresql(arguments.url) as url:
            await measure(url, "PostgreSQL", arguments, table)
    Console().print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--url")
    asyncio.run(main(parser.parse_args()))
