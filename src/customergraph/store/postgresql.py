"""PostgreSQL: for several machines, and for more than one of them holds."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import asyncpg
from sqlalchemy import Connection, Table, event, func, select, text
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from customergraph.store.backend import COMPILED_STATEMENTS, Backend, Failure, Options
from customergraph.store.timestamps import count_timestamps

CONNECT_TIMEOUT_SECONDS = 2
UPGRADE_LOCK = 0x43474442
UPGRADE_POLL_SECONDS = 0.2

SEARCH_INDEX = "ix_customer_search"
EMAIL_SORT_INDEX = "ix_customer_project_id_is_archived_email_sort_key_id"
_EXTENSIONS = ("pg_trgm", "btree_gin")

# Classes and codes of https://www.postgresql.org/docs/current/errcodes-appendix.html
_OUTAGE_CLASSES = frozenset({"08", "28", "3D", "53", "57", "58"})
_OUTAGES = frozenset({"25006", "55P03"})  # read-only (a standby), a lock that was not to be had in time
# A serialisation failure, a deadlock, and what another transaction added or removed meanwhile.
_RACES = frozenset({"40001", "40P01", "23505", "23503"})


class PostgreSQL(Backend):
    lateral = True
    driver_errors = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
    # After five executions it may take one plan for all values.
    plan_for_values = "SET LOCAL plan_cache_mode = force_custom_plan"
    reading: ClassVar[Options] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    # What is decided on is locked first, so each statement may see what others have committed.
    writing: ClassVar[Options] = {"isolation_level": "READ COMMITTED"}

    @property
    def begin(self) -> str:
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
        return f"{begin} {self._limit()};" if self.connecting.pgbouncer else begin

    @property
    def single(self) -> str | None:
        # PgBouncer may change the server between a statement's messages.
        return self.begin if self.connecting.pgbouncer else None

    async def begin_writing(self, connection: AsyncConnection, patience: float) -> None:
        pass

    async def command(self, driver: Any, sql: str) -> None:
        await driver.execute(sql)

    async def fetch(self, driver: Any, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        try:
            rows: Sequence[Any] = await driver.fetch(sql, *arguments)
        except TimeoutError:
            # It did not answer in time: a farewell would not be heard, and is waited for.
            driver.terminate()
            raise
        return rows

    async def end(self, driver: Any) -> None:
        if not driver.is_closed() and driver.is_in_transaction():
            await driver.execute("ROLLBACK;")

    def _engine(self) -> AsyncEngine:
        engine = create_async_engine(
            self.url,
            connect_args=self._connect_args(),
            query_cache_size=COMPILED_STATEMENTS,
            # Parameters hold customers' contacts: they stay out of every error, and so out of the logs.
            hide_parameters=True,
            pool_size=self.connecting.pool_size,
            max_overflow=0,
            pool_timeout=self.connecting.pool_timeout,
            pool_use_lifo=True,
        )
        event.listen(engine.sync_engine, "connect", _prepare)
        event.listen(engine.sync_engine, "checkout", _refuse_closed)
        event.listen(engine.sync_engine, "handle_error", _abandon_silent)
        if self.connecting.pgbouncer and self.connecting.statement_timeout:
            event.listen(engine.sync_engine, "begin", self._limit_transaction)
        return engine

    def _connect_args(self) -> dict[str, Any]:
        seconds = self.connecting.statement_timeout
        arguments: dict[str, Any] = {
            "timeout": CONNECT_TIMEOUT_SECONDS,
            # A server that is cut off from us cannot stop a statement: then we stop waiting.
            "command_timeout": seconds and seconds + 1,
        }
        if self.connecting.pgbouncer:
            # It keeps neither prepared statements nor a session's settings: without caches asyncpg's
            # statements have no name, and last as long as their transaction.
            return {**arguments, "prepared_statement_cache_size": 0, "statement_cache_size": 0}
        settings = {"application_name": "customergraph", "jit": "off"}
        if seconds:
            settings["statement_timeout"] = _milliseconds(seconds)
        return {**arguments, "server_settings": settings}

    def _limit(self) -> str:
        return f"SET LOCAL statement_timeout = {_milliseconds(self.connecting.statement_timeout or 0)}"

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
        # An ERROR answers the COMMIT. A FATAL may have come after it was carried out.
        cause = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig else error
        return isinstance(cause, asyncpg.PostgresError) and getattr(cause, "severity_en", None) == "ERROR"

    def is_answer(self, error: Exception) -> bool:
        return isinstance(error, asyncpg.PostgresError) and self.failure(error) is None

    def refuse_closed(self, driver: Any) -> None:
        if driver.is_closed():
            raise ConnectionResetError("the connection was closed before the commit")

    def abandon(self, driver: Any) -> None:
        driver.terminate()

    async def insert(self, connection: AsyncConnection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        # COPY goes past SQLAlchemy, which begins the transaction with the first statement that it sees.
        await connection.exec_driver_sql("SELECT 1")
        driver: Any = (await connection.get_raw_connection()).driver_connection
        columns = list(rows[0])
        records = [tuple(row[column] for column in columns) for row in rows]
        await driver.copy_records_to_table(table.name, records=records, columns=columns)

    async def integrity_problems(self, connection: AsyncConnection) -> list[str]:
        invalid = await connection.execute(text("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"))
        found = [f"the index {name} is invalid: REINDEX it" for name in invalid.scalars()]
        if not await _has_index(connection, SEARCH_INDEX):
            missing = await _missing_extensions(connection)
            mend = f"; PostgreSQL's extensions {missing} are needed" if missing else ""
            found.append(_NO_SEARCH_INDEX.format(mend))
        return found

    @asynccontextmanager
    async def upgrading(self) -> AsyncIterator[None]:
        # Held by the session, and asked for again and again: a transaction that held it or waited
        # for it would hold a snapshot too, and the making of an index waits for snapshots.
        async with self._autocommit().connect() as connection:
            while not await connection.scalar(select(func.pg_try_advisory_lock(UPGRADE_LOCK))):  # noqa: ASYNC110
                await asyncio.sleep(UPGRADE_POLL_SECONDS)
            try:
                yield
            finally:
                await connection.scalar(select(func.pg_advisory_unlock(UPGRADE_LOCK)))

    def _autocommit(self) -> AsyncEngine:
        return self.engine.execution_options(isolation_level="AUTOCOMMIT")

    async def index_search(self) -> bool:
        async with self._autocommit().connect() as connection:
            if await _has_index(connection, SEARCH_INDEX):
                return False
            try:
                for extension in _EXTENSIONS:
                    await connection.execute(text(f"CREATE EXTENSION IF NOT EXISTS {extension}"))
            except DBAPIError:
                return False  # `db check` says what is missing
            # What an upgrade left behind that was killed meanwhile.
            await connection.execute(text(f"DROP INDEX IF EXISTS {SEARCH_INDEX}"))
            await connection.execute(
                text(
                    f"CREATE INDEX CONCURRENTLY {SEARCH_INDEX} ON customer"
                    # New rows wait in a list for their place, which every search reads: a short one.
                    " USING gin (project_id, search_key gin_trgm_ops) WITH (gin_pending_list_limit = 1024)"
                )
            )
            return True

    async def index_email_sort(self) -> bool:
        async with self._autocommit().connect() as connection:
            if await _has_index(connection, EMAIL_SORT_INDEX):
                return False
            await connection.execute(text(f"DROP INDEX IF EXISTS {EMAIL_SORT_INDEX}"))
            columns = "project_id, is_archived, email_sort_key, id"
            await connection.execute(text(f"CREATE INDEX CONCURRENTLY {EMAIL_SORT_INDEX} ON customer ({columns})"))
            return True


_NO_SEARCH_INDEX = (
    "the search index is missing, so a search may read every customer of its project{}: run `customergraph db upgrade`"
)


async def _has_index(connection: AsyncConnection, name: str) -> bool:
    """Tell whether there is an index of this name, and a whole one."""
    statement = text("SELECT indexrelid FROM pg_index WHERE indexrelid = to_regclass(:name) AND indisvalid")
    return await connection.scalar(statement, {"name": name}) is not None


async def _missing_extensions(connection: AsyncConnection) -> str:
    known = set((await connection.execute(text("SELECT extname FROM pg_extension"))).scalars())
    return " and ".join(name for name in _EXTENSIONS if name not in known)


def _prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    driver: Any = connection
    driver.run_async(count_timestamps)


def _refuse_closed(connection: DBAPIConnection, _entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
    """Let the pool replace a connection that the server has closed, without asking the server."""
    driver: Any = connection
    if driver.driver_connection.is_closed():
        raise DisconnectionError


def _abandon_silent(context: ExceptionContext) -> None:
    """Drop a connection that did not answer in time: a farewell would not be heard, and is waited for."""
    if isinstance(context.original_exception, TimeoutError) and context.connection is not None:
        driver: Any = context.connection.connection.driver_connection
        driver.terminate()


def _milliseconds(seconds: float) -> str:
    return str(int(seconds * 1000))
