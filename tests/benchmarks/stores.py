"""Makes the stores that `benchmarks.scale` measures: one large project each, on SQLite or PostgreSQL.

Two processes generate and write the rows, by COPY on PostgreSQL; SQLite has one writer, so there it is one process.
Secondary indexes, unique constraints and foreign keys are dropped first. When all rows are written, they are made
again from the definitions that the database has of them.
"""

import asyncio
import multiprocessing
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import URL, Table, func, make_url, select, text
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from benchmarks.generator import COLUMNS, CUSTOMERS_OF_A_BATCH, Catalog, Generator, Row, Rows
from customergraph import demo
from customergraph.domain.principal import Scope
from customergraph.store import access, bulk, catalog, upgrades
from customergraph.store.database import Database

CACHE = Path(__file__).parents[2] / ".test-cache"
PROCESSES = 2
BATCHES_OF_A_JOB = 10
RARE_TAG = "rare"

Report = Callable[[str], None]
Filling = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Store:
    """A store with so many customers (and one more), and a token for its project."""

    url: str
    token: str
    customers: int


async def store(server: str | None, customers: int, report: Report) -> Store:
    """Return the store of that size; it is made if it does not exist, and upgraded."""
    url = await ensure_store(server, f"scale-{customers}", lambda url: fill(url, customers, report))
    return Store(url, await upgrade_and_add_token(url), customers)


async def ensure_store(server: str | None, name: str, filling: Filling) -> str:
    """Return the URL of the store of that name, a file or on a PostgreSQL server; it is filled if it is new."""
    return await (_on_server(make_url(server), name, filling) if server else _in_file(name, filling))


async def upgrade_and_add_token(url: str) -> str:
    """Upgrade a store, and return a new token for its project."""
    database = Database(url)
    await upgrades.upgrade(database)
    token = await access.create_token(database, demo.SLUG, f"benchmark {uuid4()}", set(Scope), None)
    await database.close()
    return token


async def _in_file(name: str, filling: Filling) -> str:
    path = CACHE / f"{name}.db"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        # It has another name until it is complete.
        unfinished = path.with_suffix(f".{os.getpid()}")
        await filling(f"sqlite+aiosqlite:///{unfinished}")
        unfinished.rename(path)
    return f"sqlite+aiosqlite:///{path}"


async def _on_server(server: URL, store_name: str, filling: Filling) -> str:
    name = f"customergraph_{store_name.replace('-', '_')}"
    async with _server(server) as connection:
        exists = text("SELECT 1 FROM pg_database WHERE datname = :name")
        if not await connection.scalar(exists, {"name": name}):
            unfinished = f"{name}_{os.getpid()}"
            await connection.execute(text(f"CREATE DATABASE {unfinished}"))
            await filling(_within(server, unfinished))
            await connection.execute(text(f"ALTER DATABASE {unfinished} RENAME TO {name}"))
    return _within(server, name)


@asynccontextmanager
async def _server(url: URL) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(_within(url, url.database or "postgres"), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


def _within(server: URL, database: str) -> str:
    return server.set(database=database).render_as_string(hide_password=False)


async def fill(url: str, customers: int, report: Report) -> None:
    """Make the project in a database without tables; calls `report` at each step."""
    database, began = Database(url), time.monotonic()
    await upgrades.upgrade(database)
    await demo.fill(database, 0)

    def at(what: str) -> None:
        report(f"{customers:,} customers, {time.monotonic() - began:.0f} s: {what}")

    async with _bare(database, at):
        await _load(url, await _catalog(database, customers), at)
    if database.backend.path is None:
        at("sequences and statistics")
        await settle(database)
    await database.close()
    at("done")


async def _catalog(database: Database, customers: int) -> Catalog:
    project = await access.project_of_slug(database, demo.SLUG)
    rare = {"uuid": uuid4(), "slug": RARE_TAG, "name": RARE_TAG, "name_key": RARE_TAG}
    async with database.write(project.id) as write:
        await bulk.add(write, "tag", [rare])
    async with database.read(project.id) as read:
        locations = sorted(row.id for row in await catalog.locations(read))
        *tags, rare_tag = sorted(row.id for row in await catalog.tags(read))
    return Catalog(project.id, tuple(locations), tuple(tags), rare_tag, customers)


async def _load(url: str, catalog: Catalog, at: Report) -> None:
    batches = -(-catalog.customers // CUSTOMERS_OF_A_BATCH) + 1  # the last one is the oldest customer's
    jobs = [range(first, min(first + BATCHES_OF_A_JOB, batches)) for first in range(0, batches, BATCHES_OF_A_JOB)]
    processes = 1 if url.startswith("sqlite") else PROCESSES
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        loop = asyncio.get_running_loop()
        writing = [loop.run_in_executor(pool, _job, url, catalog, job) for job in jobs]
        for number, job in enumerate(asyncio.as_completed(writing), start=1):
            await job
            if number % 10 == 0:
                at(f"{number} of {len(jobs)} parts")


def _job(url: str, catalog: Catalog, batches: range) -> None:
    """Generate and write some batches, in one transaction: the work of a process of the pool."""
    asyncio.run(_write(url, catalog, batches))


async def _write(url: str, catalog: Catalog, batches: range) -> None:
    database = Database(url)
    async with database.unbound(writing=True) as connection:
        for batch in batches:
            for table, rows in _rows(catalog, batch).by_table(batch):
                if rows:
                    await _insert(connection, table, rows)
    await database.close()


def _rows(catalog: Catalog, batch: int) -> Rows:
    generator = Generator(catalog, batch)
    return generator.rows() if batch * CUSTOMERS_OF_A_BATCH < catalog.customers else generator.oldest()


async def _insert(connection: AsyncConnection, table: Table, rows: list[Row]) -> None:
    if connection.dialect.name == "sqlite":
        columns = COLUMNS[table]
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608 - our own names
        await connection.exec_driver_sql(statement, _bound(table, rows, connection.dialect))
        return
    # SQLAlchemy begins the transaction with the first statement that it sees.
    await connection.exec_driver_sql("SELECT 1")
    driver: Any = (await connection.get_raw_connection()).driver_connection
    await driver.copy_records_to_table(table.name, records=rows, columns=COLUMNS[table])


def _bound(table: Table, rows: list[Row], dialect: Dialect) -> list[Row]:
    """Return the rows in the driver's types. It converts by column, which is faster than SQLAlchemy's way by row."""
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    for position, name in enumerate(COLUMNS[table]):
        bound = table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
        if bound is not None:
            columns[position] = [bound(value) for value in columns[position]]
    return list(zip(*columns, strict=True))


@dataclass(frozen=True, slots=True)
class Structure:
    """The indexes and constraints that are dropped while rows are written: how to drop and make them."""

    drops: list[str]
    by_table: list[list[str]]
    references: list[str]


@asynccontextmanager
async def _bare(database: Database, at: Report) -> AsyncIterator[None]:
    """Drop the indexes and references of the tables within the block, and make them again at its end."""
    async with database.unbound(writing=True) as connection:
        embedded = database.backend.path is not None
        structure = await (_embedded_structure(connection) if embedded else _structure(connection))
        for statement in structure.drops:
            await connection.execute(text(statement))
    yield
    at("indexes")
    turn = asyncio.Semaphore(PROCESSES)

    async def make(statements: list[str]) -> None:
        async with turn, database.unbound(writing=True) as connection:
            for statement in statements:
                await connection.exec_driver_sql(statement)

    await asyncio.gather(*map(make, structure.by_table))
    at("references")
    await make(structure.references)


_CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, contype = 'f', pg_get_constraintdef(oid) FROM pg_constraint
    WHERE contype IN ('u', 'f') AND conrelid = ANY (CAST(:tables AS regclass[])) ORDER BY contype, conname"""
_INDEXES = """
    SELECT indrelid::regclass::text, indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
    WHERE indrelid = ANY (CAST(:tables AS regclass[]))
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))
    ORDER BY indexrelid"""


async def _structure(connection: AsyncConnection) -> Structure:
    tables = {"tables": [table.name for table in COLUMNS]}
    constraints = [
        (table, f"ALTER TABLE {table} DROP CONSTRAINT {name}", f"ALTER TABLE {table} ADD CONSTRAINT {name} {words}", f)
        for table, name, f, words in (await connection.execute(text(_CONSTRAINTS), tables)).all()
    ]
    indexes = [
        (table, f"DROP INDEX {name}", words)
        for table, name, words in (await connection.execute(text(_INDEXES), tables)).all()
    ]
    definitions = [(table, words) for table, _, words, is_reference in constraints if not is_reference]
    return Structure(
        [drop for _, drop, *_ in (*constraints, *indexes)],
        _by_table([*definitions, *((table, words) for table, _, words in indexes)]),
        [words for _, _, words, is_reference in constraints if is_reference],
    )


def _by_table(definitions: Iterable[tuple[str, str]]) -> list[list[str]]:
    of_table = groupby(sorted(definitions, key=itemgetter(0)), key=itemgetter(0))
    by_table = {table: [words for _, words in group] for table, group in of_table}
    # The tables that take longest come first.
    return [by_table[name] for name in ("customer", "message", *(by_table.keys() - {"customer", "message"}))]


async def _embedded_structure(connection: AsyncConnection) -> Structure:
    # In the order in which they were made: of two that serve a list equally, SQLite takes the last.
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY rowid"
    indexes = (await connection.execute(text(query))).all()
    return Structure([f"DROP INDEX {name}" for name, _ in indexes], [[words for _, words in indexes]], [])


async def settle(database: Database) -> None:
    """Set the sequences to the last ids, and gather statistics for the planner."""
    engine = database.backend.engine.execution_options(isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for table in COLUMNS:
            if "id" in table.c:
                sequence = func.pg_get_serial_sequence(table.name, "id")
                last = select(func.max(table.c.id)).scalar_subquery()
                await connection.execute(select(func.setval(sequence, last)))
        await connection.execute(text("VACUUM (ANALYZE)"))
