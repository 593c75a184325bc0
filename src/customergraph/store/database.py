"""The engine, and the two kinds of transaction: one read snapshot, one write transaction.

What the database engine needs stands here and nowhere else.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import CursorResult, Executable, Row, event, text
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from customergraph.errors import CommandRefused, StoreUnavailable
from customergraph.store import tenancy

OLDEST_SQLITE = (3, 35)
BUSY_TIMEOUT_SECONDS = 5
DEMO_APPLICATION_ID = 0x43474456  # "CGDV"

_OUTAGES = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_NOTADB,
    }
)

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


class Transaction:
    """A transaction on one connection, opened by its first statement, for one project.

    Statements given at the same time run one after another.
    """

    def __init__(self, engine: AsyncEngine, project_id: int) -> None:
        self.project_id = project_id
        self._engine = engine
        self._connection: AsyncConnection | None = None
        self._turn = asyncio.Lock()

    async def rows(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Row[Any]]:
        """Run a statement and give its rows."""
        return (await self._run(statement, parameters or {})).all()

    async def row(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Row[Any] | None:
        """Run a statement and give its first row."""
        return (await self._run(statement, parameters or {})).first()

    async def value(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Any:
        """Run a statement and give the first column of its first row."""
        return (await self._run(statement, parameters or {})).scalar()

    async def _run(self, statement: Executable, parameters: Parameters) -> CursorResult[Any]:
        tenancy.check(statement)
        async with self._turn:
            with _outages():
                if self._connection is None:
                    self._connection = await self._engine.connect()
                return await self._connection.execute(statement, self._bound(parameters))

    def _bound(self, parameters: Parameters) -> Any:
        own = {tenancy.TENANT.key: self.project_id}
        if isinstance(parameters, Sequence):
            return [{**row, **own} for row in parameters]
        return {**(parameters or {}), **own}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the transaction, without what was not committed."""
        async with self._turn:
            connection, self._connection = self._connection, None
            if connection is not None:
                await connection.close()


class Read(Transaction):
    """All its statements see one state of the store."""


class Write(Transaction):
    """Its changes become visible together, when the block ends without an error."""

    def __init__(self, engine: AsyncEngine, project_id: int) -> None:
        super().__init__(engine.execution_options(writing=True), project_id)

    async def change(self, statement: Executable, parameters: Parameters = None) -> int:
        """Run a statement, or the same one for each of many rows; gives how many rows it changed."""
        if isinstance(parameters, Sequence) and not parameters:
            return 0
        return (await self._run(statement, parameters)).rowcount

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None and self._connection is not None:
                with _outages():
                    await self._connection.commit()
        finally:
            await self.close()


class Database:
    """The configured store."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _engine(url)

    def read(self, project_id: int) -> Read:
        return Read(self.engine, project_id)

    def write(self, project_id: int) -> Write:
        return Write(self.engine, project_id)

    @asynccontextmanager
    async def unbound(self, *, writing: bool = False) -> AsyncIterator[AsyncConnection]:
        """A transaction that belongs to no project: for projects, tokens and whole-store checks alone."""
        with _outages():
            async with self.engine.execution_options(writing=writing).begin() as connection:
                yield connection

    async def answers(self) -> bool:
        """Tell whether the store can be read."""
        try:
            async with self.unbound() as connection:
                await connection.execute(text("SELECT 1 FROM project LIMIT 1"))
        except StoreUnavailable:
            return False
        return True

    async def mark_as_demo(self) -> None:
        """Write into an embedded file that the demo made it."""
        async with self.unbound(writing=True) as connection:
            await connection.exec_driver_sql(f"PRAGMA application_id = {DEMO_APPLICATION_ID}")

    async def close(self) -> None:
        await self.engine.dispose()


def embedded_path(url: str) -> Path:
    """Give the file of an embedded store."""
    return Path(make_url(url).database or "")


def refuse_old_sqlite() -> None:
    """Raise CommandRefused when the SQLite of this Python is older than the contract's 3.35."""
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise CommandRefused(f"SQLite {sqlite3.sqlite_version} is too old: customergraph needs 3.35 or newer")


class _outages:  # noqa: N801 - reads as a block
    """Turns the driver's outages into StoreUnavailable."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, DBAPIError) and _is_outage(error.orig):
            raise StoreUnavailable("The store is busy or away. Try again in a few seconds.") from error


def _is_outage(error: BaseException | None) -> bool:
    # Extended codes hold the primary one in their low byte.
    return getattr(error, "sqlite_errorcode", -1) & 0xFF in _OUTAGES


def _engine(url: str) -> AsyncEngine:
    # Parameters hold customers' contacts: they stay out of every error, and so out of the logs.
    options = {"timeout": BUSY_TIMEOUT_SECONDS, "isolation_level": None}
    engine = create_async_engine(url, connect_args=options, hide_parameters=True)
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL", "cache_size=-16384"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # The driver would begin late and on its own; a snapshot needs BEGIN, and a writer
    # that begins as a reader could fail when it first writes.
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
