"""What each database engine has to provide to the store; `sqlite` and `postgresql` do."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from sqlalchemy import Dialect, Executable, Table, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from customergraph.byte_cache import ByteCache
from customergraph.rows import Rows
from customergraph.store import tenancy
from customergraph.store.linked import Link, LinkedStatements
from customergraph.store.problems import Problem
from customergraph.store.rows import Prepared
from customergraph.store.servers import with_first_address
from customergraph.store.usage import Usage

ExecutionOptions = Mapping[str, Any]

# How many statements SQLAlchemy keeps compiled, of those that it runs itself: 60 kB each at most, and up to half more.
COMPILED_STATEMENTS = 100
# What linked statements may take, and what each takes at most, with the statement that it may keep from being freed.
LINKED_BYTES = 8 * 2**20
_LINKED_BYTES = 20_000
# How long a connection on which something failed may take to show that it still answers.
ANSWER_SECONDS = 1


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """How connections are made and used; times are in seconds, and None means no limit.

    `pool_timeout` is how long a request waits for one of the `pool_size` connections of its process. `bulk` is for
    commands, whose transactions write many rows. With `citus` the tenants' tables are spread over servers, or
    partitioned, by project.
    """

    pool_size: int = 5
    pool_timeout: float = 30
    statement_timeout: float | None = None
    pgbouncer: bool = False
    bulk: bool = False
    citus: bool = False


class Failure(Enum):
    """Why a statement failed, when it is not our mistake."""

    OUTAGE = auto()
    """The store is away, busy or full."""

    RACE = auto()
    """Another transaction came between: the same work can be done again from the start."""


class Backend(ABC):
    """One database engine, at one address."""

    # Whether a subquery in FROM may refer to the tables before it.
    lateral: ClassVar[bool]
    # Whether the last statements of a snapshot end it at no further cost.
    ends_with_last: ClassVar[bool] = False
    # The command that makes the engine plan each later statement of a transaction for its values, if it needs one.
    plan_for_values: ClassVar[str | None] = None
    # The execution options of a read that belongs to no project, and of a write transaction.
    reading: ClassVar[ExecutionOptions]
    writing: ClassVar[ExecutionOptions]
    # The errors that the driver raises.
    driver_errors: ClassVar[tuple[type[Exception], ...]]

    def __init__(self, url: str, options: ConnectionOptions) -> None:
        self.url = url
        self.options = options
        self.engine = self._engine()
        self._prepared: WeakKeyDictionary[Executable, Prepared] = WeakKeyDictionary()
        self._linked: ByteCache[Any, LinkedStatements] = ByteCache(LINKED_BYTES, _linked_size)

    def linked(self, statements: Sequence[Executable], links: Sequence[Link | None]) -> LinkedStatements:
        """Return the statements of batches, prepared together once."""
        key = (*statements, *links)
        linked = self._linked.get(key)
        if linked is None:
            linked = LinkedStatements(list(map(self.prepared, statements)), links)
            self._linked.put(key, linked)
        return linked

    def prepared(self, statement: Executable) -> Prepared:
        """Return a statement in the engine's SQL, checked and compiled once."""
        prepared = self._prepared.get(statement)
        if prepared is None:
            tenancy.check(statement)
            prepared = self._prepared[statement] = Prepared(statement, self.engine.dialect)
        return prepared

    def text(self, statement: Executable) -> str:
        """Return a statement in the engine's SQL, without its values."""
        return str(statement.compile(dialect=self.engine.dialect))  # type: ignore[attr-defined]

    @property
    def path(self) -> Path | None:
        """The file of an embedded store."""
        return None

    async def close(self) -> None:
        await self.engine.dispose()

    @abstractmethod
    def _engine(self) -> AsyncEngine: ...

    def _create_engine(self, connect_args: Mapping[str, Any], **options: Any) -> AsyncEngine:
        engine = create_async_engine(
            with_first_address(self.url),
            connect_args=connect_args,
            query_cache_size=COMPILED_STATEMENTS,
            # Parameters hold customers' contacts: they stay out of every error, and so out of the logs.
            hide_parameters=True,
            pool_size=self.options.pool_size,
            max_overflow=0,
            pool_timeout=self.options.pool_timeout,
            **options,
        )
        event.listen(engine.sync_engine, "checkout", self._replace_closed)
        return engine

    def _replace_closed(
        self, connection: DBAPIConnection, _entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection
    ) -> None:
        """Let the pool replace a connection that is known to be closed; it would stay in the pool for ever."""
        adapter: Any = connection
        if self.is_closed(adapter.driver_connection):
            raise DisconnectionError

    @property
    @abstractmethod
    def begin(self) -> str:
        """The SQL that begins a read snapshot."""

    @property
    def begin_single(self) -> str | None:
        """The SQL that has to begin a read of one statement, if any."""
        return None

    @property
    def writers_patience(self) -> float:
        """How many seconds a writer may wait before its transaction begins."""
        return self.options.pool_timeout

    @abstractmethod
    async def begin_writing(self, connection: AsyncConnection, patience: float) -> None:
        """Begin a write transaction within so many seconds, where that may have to wait.

        Elsewhere its first statement begins it.
        """

    @abstractmethod
    async def command(self, driver: Any, sql: str) -> None:
        """Run SQL that returns no rows, with the driver alone."""

    @abstractmethod
    async def fetch(self, driver: Any, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        """Run a statement with the driver alone; returns the driver's records."""

    @abstractmethod
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
        """Run the statements of batches with the driver alone, and count them; returns the rows of each.

        `begin` is run before them, and with `ends` they end the snapshot.
        """

    @abstractmethod
    def sql(self, linked: LinkedStatements) -> list[str]:
        """Return the statements that `fetch_linked` runs."""

    @abstractmethod
    def is_snapshot(self, linked: LinkedStatements) -> bool:
        """Return whether the statements see one state of the store without a transaction around them."""

    @abstractmethod
    async def end(self, driver: Any) -> None:
        """End a read snapshot."""

    @abstractmethod
    async def interrupt(self, connection: AsyncConnection, running: asyncio.Task[Any]) -> None:
        """Stop the statement that a task runs on a connection, at the database too."""

    @abstractmethod
    def failure(self, error: BaseException) -> Failure | None:
        """Return why a statement failed; None when it is our mistake."""

    @abstractmethod
    def is_rolled_back(self, error: BaseException) -> bool:
        """Return whether a commit that failed with this error is known to have changed nothing."""

    @abstractmethod
    def is_answer(self, error: Exception) -> bool:
        """Return whether an error is the database's answer to a statement, on a connection that works."""

    @abstractmethod
    def is_closed(self, driver: Any) -> bool:
        """Return whether the driver knows that a connection is closed."""

    async def answers(self, driver: Any) -> bool:
        """Return whether a connection still takes statements; one that does not is abandoned."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self.command(driver, "SELECT 1")
        except Exception as error:  # noqa: BLE001 - a broken connection raises all kinds
            if self.is_answer(error):
                return True
            self.abandon(driver)
            return False
        return True

    @abstractmethod
    def abandon(self, driver: Any) -> None:
        """Drop a connection that does not answer, without waiting for it."""

    @abstractmethod
    async def new_ids(self, connection: AsyncConnection, table: Table, count: int) -> Sequence[int]:
        """Return increasing ids for so many new rows of a table."""

    @abstractmethod
    async def insert(self, connection: AsyncConnection, table: Table, columns: Mapping[str, Sequence[Any]]) -> None:
        """Insert rows, given by column."""

    @abstractmethod
    async def integrity_problems(self, connection: AsyncConnection) -> list[Problem]:
        """Return the faults of the database itself."""

    @asynccontextmanager
    async def upgrading(self) -> AsyncIterator[None]:
        """Keep other upgrades out; they wait."""
        yield

    async def add_missing_indexes(self) -> bool:
        """Make the indexes that the migrations leave to the engine; returns whether one was made."""
        return False


def stored(dialect: Dialect, table: Table, columns: Mapping[str, Sequence[Any]]) -> list[Sequence[Any]]:
    """Return the values of columns as SQLAlchemy would pass them to the driver.

    A column at once takes a fraction of what SQLAlchemy takes for as many rows.
    """
    types = {name: table.c[name].type.dialect_impl(dialect) for name in columns}
    return [_stored(types[name].bind_processor(dialect), values) for name, values in columns.items()]


def _stored(write: Callable[[Any], Any] | None, values: Sequence[Any]) -> Sequence[Any]:
    return values if write is None else list(map(write, values))


def _linked_size(linked: LinkedStatements) -> int:
    return _LINKED_BYTES * len(linked.statements)
