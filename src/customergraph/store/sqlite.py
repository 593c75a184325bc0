"""SQLite, the embedded store: one file, one machine."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar
from weakref import WeakSet

import orjson
from sqlalchemy import Table, event, insert, text
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry

from customergraph.errors import CommandRefused
from customergraph.rows import Rows
from customergraph.store.aiosqlite_internals import in_thread
from customergraph.store.backend import Backend, ConnectionOptions, ExecutionOptions, Failure, stored
from customergraph.store.checkpoints import Checkpoints
from customergraph.store.linked import LinkedStatements
from customergraph.store.problems import Problem
from customergraph.store.rows import Prepared
from customergraph.store.usage import Text, Usage

OLDEST = (3, 35)
BUSY_TIMEOUT_SECONDS = 5
STEP_SECONDS = 0.4
_OVERWRITTEN = "overwritten"

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

# In kilobytes, for each connection. Larger ones read no faster, since the operating system has the pages in memory
# too. A transaction that writes many rows would write its pages again and again.
CACHE_SIZE, BULK_CACHE_SIZE = 2_048, 8_192

_LAST_ID = text("SELECT seq FROM sqlite_sequence WHERE name = :name")


class SQLite(Backend):
    lateral = False
    ends_with_last = True
    begin = "BEGIN"
    writers_patience = BUSY_TIMEOUT_SECONDS
    driver_errors = (sqlite3.Error,)
    reading: ClassVar[ExecutionOptions] = {"writing": False}
    writing: ClassVar[ExecutionOptions] = {"writing": True}

    def __init__(self, url: str, options: ConnectionOptions) -> None:
        super().__init__(url, options)
        self._checkpoints = Checkpoints(self.path)
        # The drivers whose visit is to be stopped.
        self._interrupted: WeakSet[Any] = WeakSet()

    @property
    def path(self) -> Path:
        return Path(make_url(self.url).database or "")

    def _engine(self) -> AsyncEngine:
        # The driver's own cache takes 20 kB for each statement of each connection.
        engine = self._create_engine(
            {"timeout": BUSY_TIMEOUT_SECONDS, "isolation_level": None, "cached_statements": 64}
        )
        event.listen(engine.sync_engine, "connect", self._prepare)
        event.listen(engine.sync_engine, "begin", _begin)
        event.listen(engine.sync_engine, "after_cursor_execute", _mark_overwritten)
        event.listen(engine.sync_engine, "checkin", self._checkpoint_overwritten)
        return engine

    def _prepare(self, connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cache_size = BULK_CACHE_SIZE if self.options.bulk else CACHE_SIZE
        pragmas = ("journal_mode=WAL", "foreign_keys=ON", "secure_delete=ON", "synchronous=FULL")
        cursor = connection.cursor()
        for pragma in (*pragmas, f"cache_size=-{cache_size}"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def _checkpoint_overwritten(self, _connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        if entry.info.pop(_OVERWRITTEN, False):
            self._checkpoints.request()

    async def close(self) -> None:
        await super().close()
        await self._checkpoints.close()

    async def begin_writing(self, connection: AsyncConnection, patience: float) -> None:
        # In steps: the driver cannot be interrupted while it waits for another writer.
        await connection.execution_options(busy_timeout=STEP_SECONDS)
        until = time.monotonic() + patience
        while True:
            try:
                await connection.begin()
            except DBAPIError as error:
                if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                    raise
            else:
                return

    async def command(self, driver: Any, sql: str) -> None:
        await self.fetch(driver, sql, ())

    async def fetch(self, driver: Any, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        # One call to the driver's thread, where a cursor would need four.
        records: Sequence[Any] = await driver.execute_fetchall(sql, arguments)
        return records

    async def fetch_linked(
        self,
        driver: Any,
        linked: LinkedStatements,
        parameters: Sequence[Mapping[str, Any]],
        usage: Usage,
        *,
        begin: str | None,
        ends: bool,
    ) -> list[Rows]:
        self._interrupted.discard(driver)

        def run(connection: sqlite3.Connection) -> list[Sequence[Any]]:
            return _run(
                connection,
                linked,
                parameters,
                begin,
                usage.ran,
                ends=ends,
                is_stopped=lambda: driver in self._interrupted,
            )

        # One visit to the driver's thread, which takes as long as many a statement.
        arrays = await in_thread(driver, run)
        return [statement.of_arrays(one) for statement, one in zip(linked.statements, arrays, strict=True)]

    def sql(self, linked: LinkedStatements) -> list[str]:
        return linked.as_json

    def is_snapshot(self, linked: LinkedStatements) -> bool:
        return len(linked.statements) == 1

    async def end(self, driver: Any) -> None:
        await driver.rollback()

    async def interrupt(self, connection: AsyncConnection, running: asyncio.Task[Any]) -> None:  # noqa: ARG002
        # Canceling the task would leave the statement running, and the pool would lose the connection.
        driver: Any = (await connection.get_raw_connection()).driver_connection
        # Between two statements of one visit there is nothing to interrupt.
        self._interrupted.add(driver)
        await driver.interrupt()

    def failure(self, error: BaseException) -> Failure | None:
        if _extended_code(error) == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
            # What the row refers to was deleted before the transaction began, as on PostgreSQL.
            return Failure.RACE
        return Failure.OUTAGE if _code(error) in _OUTAGES else None

    def is_rolled_back(self, error: BaseException) -> bool:
        # Nothing was written with these errors; after others the log may hold the change.
        return _code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL}

    def is_answer(self, error: Exception) -> bool:  # noqa: ARG002 - `SELECT 1` cannot be refused
        return False

    def is_closed(self, driver: Any) -> bool:
        try:
            _ = driver.in_transaction
        except (ValueError, sqlite3.ProgrammingError):
            return True
        return False

    def abandon(self, driver: Any) -> None:
        pass

    async def new_ids(self, connection: AsyncConnection, table: Table, count: int) -> Sequence[int]:
        # AUTOINCREMENT keeps the largest id that the table has had. Nobody else writes meanwhile.
        last = (await connection.execute(_LAST_ID, {"name": table.name})).scalar() or 0
        return range(last + 1, last + 1 + count)

    async def insert(self, connection: AsyncConnection, table: Table, columns: Mapping[str, Sequence[Any]]) -> None:
        statement = insert(table).compile(dialect=connection.dialect, column_keys=list(columns))
        in_order = {name: columns[name] for name in statement.positiontup or ()}
        records = list(zip(*stored(connection.dialect, table, in_order), strict=True))
        await connection.exec_driver_sql(str(statement), records)

    async def integrity_problems(self, connection: AsyncConnection) -> list[Problem]:
        integrity = (await connection.execute(text("PRAGMA integrity_check"))).scalars().all()
        dangling = (await connection.execute(text("PRAGMA foreign_key_check"))).all()
        return [
            *(Problem(f"is damaged: {line}") for line in integrity if line != "ok"),
            *(Problem(f"a row of {row[0]} (rowid {row[1]}) refers to a missing {row[2]}") for row in dangling),
        ]


def _extended_code(error: BaseException) -> int:
    cause = error.orig if isinstance(error, DBAPIError) else error
    code: int = getattr(cause, "sqlite_errorcode", -1)
    return code


def _code(error: BaseException) -> int:
    # Extended codes hold the primary one in their low byte.
    return _extended_code(error) & 0xFF


def refuse_old_sqlite() -> None:
    """Raise CommandRefused when Python's SQLite is older than 3.35, the oldest that the contract allows."""
    if sqlite3.sqlite_version_info < OLDEST:
        raise CommandRefused(f"SQLite {sqlite3.sqlite_version} is too old: customergraph needs 3.35 or newer")


def _run(
    connection: sqlite3.Connection,
    linked: LinkedStatements,
    parameters: Sequence[Mapping[str, Any]],
    begin: str | None,
    ran: Callable[[Text, float], None],
    *,
    ends: bool,
    is_stopped: Callable[[], bool],
) -> list[Sequence[Any]]:
    """Run linked statements one after another; returns an array of each column of each."""
    if begin:
        connection.execute(begin)
    arrays: list[Sequence[Any]] = []
    for statement, sql, link, values in zip(linked.statements, linked.as_json, linked.links, parameters, strict=True):
        if is_stopped():
            raise sqlite3.OperationalError("interrupted")
        if link:
            parent = link.parent
            column = arrays[parent.batch][linked.statements[parent.batch].columns.index(parent.column)]
            values = {**values, link.parameter: [key for key in dict.fromkeys(column) if key is not None]}  # noqa: PLW2901
        started = time.perf_counter()
        try:
            arrays.append(_arrays(connection, statement, sql, statement.arguments(values)))
        finally:
            ran(sql, started)
    if ends:
        connection.execute("ROLLBACK")
    return arrays


def _arrays(connection: sqlite3.Connection, statement: Prepared, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
    try:
        return list(map(orjson.loads, connection.execute(sql, arguments).fetchone()))
    except (sqlite3.OperationalError, orjson.JSONDecodeError) as error:
        # Such as a BLOB, which other programs can write into any column, and JSON cannot hold.
        if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) != sqlite3.SQLITE_ERROR:
            raise
    return list(zip(*connection.execute(statement.sql, arguments), strict=True)) or [()] * len(statement.columns)


def _mark_overwritten(
    connection: Connection,
    cursor: DBAPICursor,
    statement: str,
    _parameters: object,
    _context: object,
    _is_many: bool,  # noqa: FBT001 - SQLAlchemy passes it
) -> None:
    """Mark the connection of a transaction that overwrote or deleted rows, whose old values are in the log."""
    if cursor.rowcount > 0 and statement.startswith(("UPDATE", "DELETE")):
        connection.info[_OVERWRITTEN] = True


def _begin(connection: Connection) -> None:
    # The driver would begin by itself, and late. A snapshot needs BEGIN, and a writer that
    # begins as a reader could fail at its first write.
    options = connection.get_execution_options()
    if options.get("writing"):
        seconds = options.get("busy_timeout", BUSY_TIMEOUT_SECONDS)
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql("BEGIN")
