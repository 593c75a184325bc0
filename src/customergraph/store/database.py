"""The configured store, and the two kinds of transaction: one read snapshot, one write transaction."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from sqlalchemy import CursorResult, Executable, Table, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from customergraph.errors import StoreUnavailable
from customergraph.rows import Rows
from customergraph.store import tenancy
from customergraph.store.backend import Backend, Connecting, Failure
from customergraph.store.postgresql import PostgreSQL
from customergraph.store.rows import Prepared
from customergraph.store.sqlite import SQLite
from customergraph.store.tables import project

NO_PROJECT = 0
DEMO_APPLICATION_ID = 0x43474456  # "CGDV"
ATTEMPTS = 5
FIRST_PAUSE_SECONDS = 0.02

AGAIN = "The store is busy or away. Try again in a few seconds."
LOOK_FIRST = "The store went away while the change was being made: it is done or not done. Look before repeating it."
DONE_UNREAD = "The change is done, but the store went away before it could be read back. Do not repeat it."

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
Result = TypeVar("Result")


class LostRace(StoreUnavailable):
    """Another transaction came between; nothing was changed, and the same can be done from the start."""


class TransactionEnded(Exception):
    """A statement of an operation that was given up."""


class Transaction:
    """A transaction on one connection, opened by its first statement, for one project.

    Statements given at the same time run one after another.
    """

    def __init__(self, backend: Backend, engine: AsyncEngine, project_id: int, advice: str = AGAIN) -> None:
        self.project_id = project_id
        self.lateral = backend.lateral
        self._backend = backend
        self._engine = engine
        self._advice = advice
        self._connection: AsyncConnection | None = None
        self._running: asyncio.Task[Any] | None = None
        self._turn = asyncio.Lock()
        self._has_ended = False

    async def rows(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Any]:
        """Run a statement and give its rows."""
        return (await self._run(statement, parameters or {})).all()

    async def row(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Any:
        """Run a statement and give its first row."""
        return (await self._run(statement, parameters or {})).first()

    async def value(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Any:
        """Run a statement and give the first column of its first row."""
        return (await self._run(statement, parameters or {})).scalar()

    async def _run(self, statement: Executable, parameters: Parameters) -> CursorResult[Any]:
        tenancy.check(statement)
        return await self._in_turn(lambda connection: connection.execute(statement, self._bound(parameters)))

    async def _in_turn(self, work: Callable[[AsyncConnection], Awaitable[Result]]) -> Result:
        """Do some work on the connection, when its turn has come."""
        async with self._turn:
            if self._has_ended:
                # Whoever waited for a turn is not waited for any more, and would leave a connection open.
                raise TransactionEnded
            self._running = asyncio.current_task()
            try:
                if self._connection is None:
                    self._connection = await self._opened()
                return await work(self._connection)
            except Exception as error:
                _raise_failure(error, self._backend, self._advice, races=True)
                raise
            finally:
                self._running = None

    async def _opened(self) -> AsyncConnection:
        """Give the connection, on which SQLAlchemy begins with the first statement."""
        return await self._engine.connect()

    async def interrupt(self) -> None:
        """Stop the statement that runs, at the database too; whoever waits for it gets an error."""
        if self._connection is not None and self._running is not None:
            await self._backend.interrupt(self._connection, self._running)

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
            self._has_ended = True
            connection, self._connection = self._connection, None
            if connection is not None:
                await self._give_back(connection)

    async def _closing(self) -> None:
        """End what SQLAlchemy does not know of."""

    async def _give_back(self, connection: AsyncConnection) -> None:
        try:
            try:
                await self._closing()
            finally:
                await connection.close()
        except Exception as error:
            # What was read or committed stands; the pool has dropped what could not end its transaction.
            if self._backend.failure(error) is None:
                raise


class StatementFailed(Exception):
    """A statement that was refused: a fault of ours. It tells no parameters, which are customers' contacts."""

    def __init__(self, error: Exception, sql: str) -> None:
        # A driver that cannot send a value shows it.
        reason = "" if isinstance(error, ValueError) else error
        super().__init__(f"{type(error).__name__}: {reason}\n{sql}")


class Read(Transaction):
    """All its statements see one state of the store.

    SQLAlchemy writes them, and the driver runs them: what stands between costs as much as most of them do.
    """

    def __init__(self, backend: Backend, project_id: int, begin: str | None, advice: str = AGAIN) -> None:
        super().__init__(backend, backend.engine, project_id, advice)
        self._begin = begin
        self._driver: Any = None

    async def rows(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Any]:
        prepared, found = await self._found(statement, parameters)
        return prepared.rows(found)

    async def by_column(self, statement: Executable, parameters: Mapping[str, Any]) -> Rows:
        """Run a statement that gives many rows."""
        prepared, found = await self._found(statement, parameters)
        return prepared.by_column(found)

    async def _found(self, statement: Executable, parameters: Mapping[str, Any] | None) -> tuple[Prepared, Any]:
        tenancy.check(statement)
        prepared = self._backend.prepared(statement)
        arguments = prepared.arguments(self._bound(parameters))
        return prepared, await self._in_turn(lambda _: self._fetched(prepared.sql, arguments))

    async def _fetched(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        try:
            return await self._backend.fetched(self._driver, sql, arguments)
        except self._backend.driver_errors as error:
            if self._backend.failure(error) is None:
                raise StatementFailed(error, sql) from None
            raise

    async def row(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Any:
        rows = await self.rows(statement, parameters)
        return rows[0] if rows else None

    async def value(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Any:
        row = await self.row(statement, parameters)
        return row and row[0]

    async def plan_for_values(self) -> None:
        """Let the engine plan what follows for its very values: what suits a rare one is dear for a common one."""
        command = self._backend.plan_for_values
        if command:
            await self._in_turn(lambda _: self._backend.command(self._driver, command))

    async def _opened(self) -> AsyncConnection:
        connection = await self._engine.connect()
        try:
            under: Any = connection.sync_connection
            self._driver = under.connection.driver_connection
            if self._begin:
                await self._backend.command(self._driver, self._begin)
        except BaseException:
            # Without a snapshot nothing is read on it.
            await self._give_back(connection)
            raise
        return connection

    async def _closing(self) -> None:
        await self._backend.end(self._driver)


class Write(Transaction):
    """Its changes become visible together, when the block ends without an error."""

    async def _opened(self) -> AsyncConnection:
        connection = await self._engine.connect()
        try:
            await self._backend.begin_writing(connection)
        except BaseException:
            await self._give_back(connection)
            raise
        return connection

    async def change(self, statement: Executable, parameters: Parameters = None) -> int:
        """Run a statement, or the same one for each of many rows; gives how many rows it changed."""
        if isinstance(parameters, Sequence) and not parameters:
            return 0
        return (await self._run(statement, parameters)).rowcount

    async def insert(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert many rows of the project, all with the same columns; their ids follow their order."""
        if rows:
            ours = [{**row, "project_id": self.project_id} for row in rows]
            await self._in_turn(lambda connection: self._backend.insert(connection, table, ours))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None and self._connection is not None:
                with _failures(self._backend, LOOK_FIRST, races=True):
                    await _whole(self._connection.commit())
        finally:
            await self.close()


async def _whole(commit: Coroutine[Any, Any, None]) -> None:
    """Let a commit that has begun come to its end, even for a task that is canceled meanwhile."""
    task = asyncio.ensure_future(commit)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


class Database:
    """The configured store."""

    def __init__(self, url: str, connecting: Connecting = Connecting()) -> None:  # noqa: B008 - frozen
        kind = SQLite if make_url(url).get_backend_name() == "sqlite" else PostgreSQL
        self.url = url
        self.backend: Backend = kind(url, connecting)
        self._reading = self.backend.engine.execution_options(**self.backend.reading)
        self._writing = self.backend.engine.execution_options(**self.backend.writing)

    def read(self, project_id: int, *, after_change: bool = False) -> Read:
        """Give a snapshot; `after_change` when it reads back what was just committed."""
        return Read(self.backend, project_id, self.backend.begin, DONE_UNREAD if after_change else AGAIN)

    def write(self, project_id: int) -> Write:
        return Write(self.backend, self._writing, project_id)

    async def change(self, project_id: int, job: Callable[[Write], Awaitable[Result]]) -> Result:
        """Do a job in a write transaction; done again, from the start, when another came between.

        Raises StoreUnavailable when that happens `ATTEMPTS` times in a row; then nothing was changed.
        """
        for attempt in range(ATTEMPTS - 1):
            try:
                return await self._attempt(project_id, job)
            except LostRace:
                await asyncio.sleep(FIRST_PAUSE_SECONDS * 2**attempt * random.random())  # noqa: S311 - no secret
        return await self._attempt(project_id, job)

    async def _attempt(self, project_id: int, job: Callable[[Write], Awaitable[Result]]) -> Result:
        async with self.write(project_id) as write:
            return await job(write)

    @asynccontextmanager
    async def unbound(self, *, writing: bool = False) -> AsyncIterator[AsyncConnection]:
        """A transaction that belongs to no project: for projects, tokens and whole-store checks alone."""
        with _failures(self.backend, AGAIN):
            async with (self._writing if writing else self._reading).begin() as connection:
                yield connection

    @asynccontextmanager
    async def upgrading(self) -> AsyncIterator[None]:
        """Keep other upgrades of the store out meanwhile; they wait."""
        with _failures(self.backend, AGAIN):
            async with self.backend.upgrading():
                yield

    async def unbound_row(self, statement: Executable, parameters: Mapping[str, Any]) -> Any:
        """Read one row of what belongs to no project, with as little around it as the engine allows."""
        async with Read(self.backend, NO_PROJECT, self.backend.single) as read:
            return await read.row(statement, parameters)

    async def answers(self) -> bool:
        """Tell whether the store can be read."""
        try:
            await self.unbound_row(select(project.c.id).limit(1), {})
        except StoreUnavailable:
            return False
        return True

    async def mark_as_demo(self) -> None:
        """Write into an embedded file that the demo made it."""
        async with self.unbound(writing=True) as connection:
            await connection.exec_driver_sql(f"PRAGMA application_id = {DEMO_APPLICATION_ID}")

    async def close(self) -> None:
        await self.backend.close()


def embedded_path(url: str) -> Path | None:
    """Give the file of an embedded store; None for a store that a server holds."""
    address = make_url(url)
    return Path(address.database or "") if address.get_backend_name() == "sqlite" else None


@contextmanager
def _failures(backend: Backend, advice: str, *, races: bool = False) -> Iterator[None]:
    """Turn the engine's outages, and lost races where they may be, into errors that say what to do."""
    try:
        yield
    except Exception as error:
        _raise_failure(error, backend, advice, races=races)
        raise


def _raise_failure(error: Exception, backend: Backend, advice: str, *, races: bool) -> None:
    failure = Failure.OUTAGE if isinstance(error, PoolTimeoutError) else backend.failure(error)
    if failure is Failure.RACE and races:
        raise LostRace(AGAIN, _reason(error)) from error
    if failure is Failure.OUTAGE:
        raise StoreUnavailable(advice, _reason(error)) from error


def _reason(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).partition("\n")[0] or type(error).__name__
