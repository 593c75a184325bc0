"""What a database engine has to tell the store about itself; `sqlite` and `postgresql` do."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from sqlalchemy import Executable, Table
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from customergraph.store.rows import Prepared

Options = Mapping[str, Any]

# How many statements SQLAlchemy keeps compiled, of those that it runs itself: 60 kB each at most, and up to half more.
COMPILED_STATEMENTS = 100
# How long a connection on which something failed may take to show that it still answers.
ANSWER_SECONDS = 1


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """How connections are made and used; times in seconds, None for without bound.

    `pool_timeout` is how long a request waits for one of the `pool_size` connections of its process.
    """

    pool_size: int = 5
    pool_timeout: float = 30
    statement_timeout: float | None = None
    pgbouncer: bool = False


class Failure(Enum):
    """Why a statement failed, when that is no fault of ours."""

    OUTAGE = auto()
    """The store is away, busy or full."""

    RACE = auto()
    """Another transaction came between: the same work can be done again from the start."""


class Backend(ABC):
    """One database engine, at one address."""

    # Whether a subquery in FROM may refer to the tables before it.
    lateral: ClassVar[bool]
    # What tells the engine to plan the rest of a transaction anew for its values, where it would not.
    plan_for_values: ClassVar[str | None] = None
    # The execution options of a read that belongs to no project, and of a write transaction.
    reading: ClassVar[Options]
    writing: ClassVar[Options]
    # What the driver raises.
    driver_errors: ClassVar[tuple[type[Exception], ...]]

    def __init__(self, url: str, connecting: ConnectionOptions) -> None:
        self.url = url
        self.connecting = connecting
        self.engine = self._engine()
        self._prepared: WeakKeyDictionary[Executable, Prepared] = WeakKeyDictionary()

    def prepared(self, statement: Executable) -> Prepared:
        """Give a statement in the engine's own words, found once."""
        known = self._prepared.get(statement)
        if known is None:
            known = self._prepared[statement] = Prepared(statement, self.engine.dialect)
        return known

    @property
    def path(self) -> Path | None:
        """The file of an embedded store."""
        return None

    async def close(self) -> None:
        await self.engine.dispose()

    @abstractmethod
    def _engine(self) -> AsyncEngine: ...

    @property
    @abstractmethod
    def begin(self) -> str:
        """What begins a read snapshot."""

    @property
    def single(self) -> str | None:
        """What has to begin a read of one statement, if anything."""
        return None

    @property
    def writers_patience(self) -> float:
        """How many seconds a writer may wait before its transaction begins."""
        return self.connecting.pool_timeout

    @abstractmethod
    async def begin_writing(self, connection: AsyncConnection, patience: float) -> None:
        """Begin a write transaction within so many seconds, where that may have to wait.

        Elsewhere its first statement begins it.
        """

    @abstractmethod
    async def command(self, driver: Any, sql: str) -> None:
        """Have the driver run what gives no rows."""

    @abstractmethod
    async def fetch(self, driver: Any, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        """Have the driver run a statement; gives its rows as the driver has them."""

    @abstractmethod
    async def end(self, driver: Any) -> None:
        """End a read snapshot, where the pool would not."""

    @abstractmethod
    async def interrupt(self, connection: AsyncConnection, running: asyncio.Task[Any]) -> None:
        """Stop the statement that a task runs on a connection, at the database too."""

    @abstractmethod
    def failure(self, error: BaseException) -> Failure | None:
        """Tell why a statement failed; None for a fault of ours."""

    @abstractmethod
    def is_rolled_back(self, error: BaseException) -> bool:
        """Tell whether a commit that failed with this error is known to have changed nothing."""

    @abstractmethod
    def is_answer(self, error: Exception) -> bool:
        """Tell whether an error is the database's answer to a statement, on a connection that is well."""

    @abstractmethod
    def refuse_closed(self, driver: Any) -> None:
        """Raise OSError for a connection of which the driver knows that it is closed."""

    async def answers(self, driver: Any) -> bool:
        """Tell whether a connection still takes statements; one that does not is given up."""
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
    async def insert(self, connection: AsyncConnection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert many rows with the same columns; their ids follow their order."""

    @abstractmethod
    async def integrity_problems(self, connection: AsyncConnection) -> list[str]:
        """Give a line for each thing that is wrong with the database itself."""

    @asynccontextmanager
    async def upgrading(self) -> AsyncIterator[None]:
        """Keep other upgrades out meanwhile; they wait."""
        yield

    async def index_search(self) -> bool:
        """Make the index that searches want, where there is none; tells whether it was made."""
        return False

    async def index_email_sort(self) -> bool:
        """Make the index of a sort, where the migrations leave that to the engine; tells whether it was made."""
        return False
