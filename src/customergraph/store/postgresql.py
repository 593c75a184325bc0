"""PostgreSQL: for several machines, and for more data than one machine holds."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import asyncpg
from sqlalchemy import Connection, Table, event, func, insert, select, text
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry

from customergraph.rows import Rows
from customergraph.store import postgresql_indexes, tenancy
from customergraph.store.backend import Backend, ExecutionOptions, Failure, stored
from customergraph.store.linked import LinkedStatements
from customergraph.store.problems import Problem
from customergraph.store.servers import Servers, addresses_in
from customergraph.store.timestamps import count_timestamps
from customergraph.store.usage import Usage

CONNECT_TIMEOUT_SECONDS = 2
UPGRADE_LOCK = 0x43474442
UPGRADE_POLL_SECONDS = 0.2
# From so many rows on COPY is faster than INSERT.
COPIED_ROWS = 50
_NEW_IDS = text("SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :count)")

# Classes and codes of https://www.postgresql.org/docs/current/errcodes-appendix.html
_OUTAGE_CLASSES = frozenset({"08", "28", "3D", "53", "57", "58"})
_READ_ONLY = "25006"  # a standby
_OUTAGES = frozenset({_READ_ONLY, "55P03"})  # the other: a lock that was not to be had in time
# A serialisation failure, a deadlock, and what another transaction added or removed meanwhile.
_RACES = frozenset({"40001", "40P01", "23505", "23503"})


class PostgreSQL(Backend):
    lateral = True
    driver_errors = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
    plan_for_values = "SET LOCAL plan_cache_mode = force_custom_plan"
    reading: ClassVar[ExecutionOptions] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    # A write locks rows before it decides on them, so each statement may see what others have committed.
    writing: ClassVar[ExecutionOptions] = {"isolation_level": "READ COMMITTED"}

    @property
    def begin(self) -> str:
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
        return f"{begin} {self._limit()};" if self.options.pgbouncer else begin

    @property
    def begin_single(self) -> str | None:
        # PgBouncer may change the server between a statement's messages.
        return self.begin if self.options.pgbouncer else None

    async def begin_writing(self, connection: AsyncConnection, patience: float) -> None:
        pass

    async def command(self, driver: Any, sql: str) -> None:
        await _in_time(driver, driver.execute(sql))

    async def fetch(self, driver: Any, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        records: Sequence[Any] = await _in_time(driver, driver.fetch(sql, *arguments))
        return records

    async def fetch_linked(
        self,
        driver: Any,
        linked: LinkedStatements,
        parameters: Sequence[Mapping[str, Any]],
        usage: Usage,
        *,
        begin: str | None,
        ends: bool,  # noqa: ARG002 - never
    ) -> list[Rows]:
        merged = linked.merged
        if begin:
            await self.command(driver, begin)
        started = time.perf_counter()
        try:
            record = await driver.fetchrow(merged.sql, *merged.arguments(parameters))
        except TimeoutError:
            driver.terminate()
            raise
        finally:
            usage.ran(merged.sql, started)
        return merged.rows(record)

    def sql(self, linked: LinkedStatements) -> list[str]:
        return [linked.merged.sql]

    def is_snapshot(self, linked: LinkedStatements) -> bool:  # noqa: ARG002 - they are one statement
        return True

    async def end(self, driver: Any) -> None:
        if not driver.is_closed() and driver.is_in_transaction():
            await self.command(driver, "ROLLBACK;")

    async def close(self) -> None:
        await super().close()
        if self._servers is not None:
            await self._servers.close()

    def _engine(self) -> AsyncEngine:
        addresses = addresses_in(self.url)
        has_several = len(addresses) > 1
        self._servers = Servers(addresses, asyncpg.connect, self.driver_errors) if has_several else None
        engine = self._create_engine(self._connect_args(), pool_use_lifo=True)
        if self.options.citus:
            tenancy.spread(engine.dialect)
        event.listen(engine.sync_engine, "connect", _prepare)
        event.listen(engine.sync_engine, "handle_error", _abandon_silent)
        if self.options.pgbouncer and self.options.statement_timeout:
            event.listen(engine.sync_engine, "begin", self._limit_transaction)
        return engine

    def _connect_args(self) -> dict[str, Any]:
        seconds = self.options.statement_timeout
        arguments: dict[str, Any] = {
            "timeout": CONNECT_TIMEOUT_SECONDS,
            # A server that cannot be reached cannot stop a statement: then asyncpg stops waiting.
            "command_timeout": seconds and seconds + 1,
        }
        if self._servers is not None:
            arguments["async_creator_fn"] = self._servers.connect
        if self.options.pgbouncer:
            # PgBouncer keeps neither prepared statements nor a session's settings: without caches asyncpg's
            # statements have no name, and last as long as their transaction.
            return {**arguments, "prepared_statement_cache_size": 0, "statement_cache_size": 0}
        # Planning for the values of each execution would take several times as long as most statements. But a plan
        # for all values is one for all servers.
        plans = "force_custom_plan" if self.options.citus else "force_generic_plan"
        settings = {"application_name": "customergraph", "jit": "off", "plan_cache_mode": plans}
        if seconds:
            settings["statement_timeout"] = _milliseconds(seconds)
        # Without it, statements over 15 kB would be planned at each execution.
        return {**arguments, "server_settings": settings, "max_cacheable_statement_size": 0}

    def _limit(self) -> str:
        return f"SET LOCAL statement_timeout = {_milliseconds(self.options.statement_timeout or 0)}"

    def _limit_transaction(self, connection: Connection) -> None:
        connection.exec_driver_sql(self._limit())

    async def interrupt(self, connection: AsyncConnection, running: asyncio.Task[Any]) -> None:  # noqa: ARG002
        # asyncpg then asks the server to stop.
        running.cancel()

    def failure(self, error: BaseException) -> Failure | None:
        if isinstance(error, OSError):  # TimeoutError is one
            return Failure.OUTAGE
        if isinstance(error, DBAPIError):
            if error.connection_invalidated:
                return Failure.OUTAGE
            error = error.orig or error
        state = getattr(error, "sqlstate", None) or ""
        if state in _RACES:
            return Failure.RACE
        return Failure.OUTAGE if state[:2] in _OUTAGE_CLASSES or state in _OUTAGES else None

    def is_rolled_back(self, error: BaseException) -> bool:
        # The server answers a COMMIT with an ERROR when it is refused; it may send a FATAL after carrying it out.
        cause = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig else error
        return isinstance(cause, asyncpg.PostgresError) and getattr(cause, "severity_en", None) == "ERROR"

    def is_answer(self, error: Exception) -> bool:
        return isinstance(error, asyncpg.PostgresError) and self.failure(error) is None

    def is_closed(self, driver: Any) -> bool:
        return bool(driver.is_closed())

    def abandon(self, driver: Any) -> None:
        driver.terminate()

    async def new_ids(self, connection: AsyncConnection, table: Table, count: int) -> Sequence[int]:
        return (await connection.execute(_NEW_IDS, {"name": table.name, "count": count})).scalars().all()

    async def insert(self, connection: AsyncConnection, table: Table, columns: Mapping[str, Sequence[Any]]) -> None:
        if len(next(iter(columns.values()))) < COPIED_ROWS:
            rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
            await connection.execute(insert(table), rows)
            return
        driver: Any = (await connection.get_raw_connection()).driver_connection
        if not driver.is_in_transaction():
            # COPY bypasses SQLAlchemy, which begins the transaction with the first statement that it runs itself.
            await connection.exec_driver_sql("SELECT 1")
        records = list(zip(*stored(connection.dialect, table, columns), strict=True))
        await _in_time(driver, driver.copy_records_to_table(table.name, records=records, columns=list(columns)))

    async def integrity_problems(self, connection: AsyncConnection) -> list[Problem]:
        return await postgresql_indexes.problems(connection)

    @asynccontextmanager
    async def upgrading(self) -> AsyncIterator[None]:
        # The session holds the lock, and tries again and again to get it: a transaction that held it or
        # waited for it would hold a snapshot too, and CREATE INDEX CONCURRENTLY waits for snapshots.
        async with self._autocommit().connect() as connection:
            while not await connection.scalar(select(func.pg_try_advisory_lock(UPGRADE_LOCK))):  # noqa: ASYNC110
                await asyncio.sleep(UPGRADE_POLL_SECONDS)
            try:
                yield
            finally:
                await connection.scalar(select(func.pg_advisory_unlock(UPGRADE_LOCK)))

    def _autocommit(self) -> AsyncEngine:
        return self.engine.execution_options(isolation_level="AUTOCOMMIT")

    async def add_missing_indexes(self) -> bool:
        async with self._autocommit().connect() as connection:
            return await postgresql_indexes.add_missing(connection)


def _prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    adapter: Any = connection
    adapter.run_async(count_timestamps)


async def _in_time(driver: Any, answer: Awaitable[Any]) -> Any:
    """Wait for an answer, and drop a connection that does not answer in time; close() would wait for its answer."""
    try:
        return await answer
    except TimeoutError:
        driver.terminate()
        raise


def _abandon_silent(context: ExceptionContext) -> None:
    """Do the same where SQLAlchemy runs the statement, and drop a connection to a server that takes no writes."""
    error = context.original_exception
    is_useless = isinstance(error, TimeoutError) or getattr(error, "sqlstate", None) == _READ_ONLY
    if is_useless and context.connection is not None:
        driver: Any = context.connection.connection.driver_connection
        driver.terminate()


def _milliseconds(seconds: float) -> str:
    return str(int(seconds * 1000))
