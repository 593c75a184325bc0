"""The endpoints by hand on the driver alone: aiosqlite or asyncpg, without SQLAlchemy.

One snapshot for each request, as the gateway has: on PostgreSQL a transaction that is REPEATABLE READ.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import aiosqlite
import asyncpg
from sqlalchemy import make_url
from starlette.applications import Starlette

from benchmarks.hand_written import Fetch, Snapshot, application
from benchmarks.hand_written_sql import POSTGRESQL, SQLITE, Rows
from customergraph.settings import Settings
from statements import notify

# The same as those of the gateway's connections.
_PRAGMAS = ("journal_mode=WAL", "foreign_keys=ON", "cache_size=-16384")


def create_app(settings: Settings) -> Starlette:
    """Make the application over the configured store."""
    if settings.database_url.startswith("sqlite"):
        return application(_sqlite(settings), SQLITE)
    return application(_postgresql(settings), POSTGRESQL)


def create_floor(settings: Settings) -> Starlette:
    """Make the application that does the least: it looks no token up, and opens no snapshot."""
    if settings.database_url.startswith("sqlite"):
        return application(_sqlite(settings, snapshots=False), SQLITE, authenticates=False)
    return application(_postgresql(settings, snapshots=False), POSTGRESQL, authenticates=False)


@asynccontextmanager
async def _sqlite(settings: Settings, *, snapshots: bool = True) -> AsyncIterator[Snapshot]:
    pool: asyncio.LifoQueue[aiosqlite.Connection] = asyncio.LifoQueue()
    connections = [await _connected(settings) for _ in range(settings.pool_size)]
    for connection in connections:
        pool.put_nowait(connection)

    @asynccontextmanager
    async def snapshot() -> AsyncIterator[Fetch]:
        connection = await pool.get()

        async def fetch(sql: str, *arguments: Any) -> Rows:
            notify(sql, arguments)
            return list(await connection.execute_fetchall(sql, arguments))

        if snapshots:
            await connection.execute_fetchall("BEGIN")
        try:
            yield fetch
        finally:
            if snapshots:
                await connection.rollback()
            pool.put_nowait(connection)

    yield snapshot
    for connection in connections:
        await connection.close()


async def _connected(settings: Settings) -> aiosqlite.Connection:
    connection = await aiosqlite.connect(make_url(settings.database_url).database or "", isolation_level=None)
    for pragma in _PRAGMAS:
        await connection.execute_fetchall(f"PRAGMA {pragma}")
    return connection


@asynccontextmanager
async def _postgresql(settings: Settings, *, snapshots: bool = True) -> AsyncIterator[Snapshot]:
    url = make_url(settings.database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    size = settings.pool_size
    # No request changes its session, so a connection needs no reset.
    new_pool = asyncpg.create_pool(url, min_size=size, max_size=size, reset=_keep, server_settings={"jit": "off"})
    async with new_pool as pool:

        @asynccontextmanager
        async def snapshot() -> AsyncIterator[Fetch]:
            async with pool.acquire() as connection, _snapshot(connection) if snapshots else nullcontext():

                async def fetch(sql: str, *arguments: Any) -> Rows:
                    notify(sql, arguments)
                    rows: Rows = await connection.fetch(sql, *arguments)
                    return rows

                yield fetch

        yield snapshot


def _snapshot(connection: Any) -> Any:
    return connection.transaction(isolation="repeatable_read", readonly=True)


async def _keep(_connection: Any) -> None: ...
