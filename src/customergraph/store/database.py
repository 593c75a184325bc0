"""The configured store, and the two kinds of transaction: one read snapshot, one write transaction."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Hashable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from sqlalchemy import CursorResult, Executable, Table, select
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from customergraph.errors import StoreUnavailable
from customergraph.rows import Rows
from customergraph.store import tenancy
from customergraph.store.backend import Backend, ConnectionOptions
from customergraph.store.connections import Connections, Seat
from customergraph.store.failures import (
    AGAIN,
    LostRace,
    StatementFailed,
    TransactionEnded,
    log_unclosed,
    raise_failure,
    raise_known,
)
from customergraph.store.postgresql import PostgreSQL
from customergraph.store.rows import Prepared
from customergraph.store.sqlite import SQLite
from customergraph.store.tables import project

NO_PROJECT = 0
DEMO_APPLICATION_ID = 0x43474456  # "CGDV"
ATTEMPTS = 5
FIRST_PAUSE_SECONDS = 0.02
# How long SQLite may wait for another program's lock, for what nobody waits for; writers wait behind it.
ASIDE_SECONDS = 0.1

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
Result = TypeVar("Result")
# Makes the error of a stopped transaction; the argument says whether its change was made.
Stopped = Callable[[bool | None], Exception]


class Transaction:
    """A transaction on one connection, opened by its first statement, for one project.

    Statements given at the same time run one after another.
    """

    # Whether the change was made that this transaction makes or reads back; None when nobody knows.
    done: bool | None = False

    def __init__(self, backend: Backend, engine: AsyncEngine, project_id: int, seat: Seat) -> None:
        self.project_id = project_id
        self.lateral = backend.lateral
        self._backend = backend
        self._engine = engine
        self._seat = seat
        self._connection: AsyncConnection | None = None
        self._driver: Any = None
        self._running: asyncio.Task[Any] | None = None
        self._turn = asyncio.Lock()
        self._has_ended = False
        # What is raised to whoever waits for a statement, once the transaction was stopped.
        self._stopped: Stopped | None = None

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
            self._refuse_stopped()
            self._running = asyncio.current_task()
            try:
                if self._connection is None:
                    self._connection = await self._seated()
                return await work(self._connection)
            except asyncio.CancelledError:
                self._refuse_stopped()
                raise
            except Exception as error:
                self._refuse_stopped()
                await raise_failure(error, self._backend, self._driver, done=self.done, races=True)
                raise
            finally:
                self._running = None

    async def _seated(self) -> AsyncConnection:
        """Give the connection, when the seat has been taken; keep no seat without one."""
        await self._seat.take()
        try:
            return await self._opened()
        except BaseException:
            self._seat.give_back()
            raise

    def _refuse_stopped(self) -> None:
        if self._stopped:
            raise self._stopped(self.done) from None

    async def _opened(self) -> AsyncConnection:
        """Give a connection on which the transaction has begun."""
        connection = await self._engine.connect()
        try:
            self._driver = _driver(connection)
            await self._begin(connection)
        except Exception as error:
            # Its state is asked for before others may have it.
            await self._give_back_after(error, connection)
            raise
        except BaseException:
            await self._give_back(connection)
            raise
        return connection

    async def _give_back_after(self, error: Exception, connection: AsyncConnection) -> None:
        try:
            await raise_failure(error, self._backend, self._driver, done=self.done, races=True)
        finally:
            await self._give_back(connection)

    async def _begin(self, connection: AsyncConnection) -> None:
        """Begin, where SQLAlchemy would not with the first statement."""

    async def interrupt(self) -> None:
        """Stop the statement that runs, at the database too; whoever waits for it gets an error."""
        if self._connection is not None and self._running is not None:
            await self._backend.interrupt(self._connection, self._running)
        elif self._seat.is_waited_for and self._running is not None:
            self._running.cancel()

    async def stop(self, error: Stopped) -> None:
        """Stop the statement that runs, and let none follow; whoever waits for one gets the error.

        A commit that has begun comes to its end.
        """
        self._stopped = error
        if self._connection is not None:
            await self.interrupt()
        elif self._running is not None:
            self._running.cancel()

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
                try:
                    await self._give_back(connection)
                finally:
                    self._seat.give_back()

    async def _closing(self) -> None:
        """End what SQLAlchemy does not know of."""

    async def _give_back(self, connection: AsyncConnection) -> None:
        try:
            try:
                await self._closing()
            finally:
                await connection.close()
        except Exception as error:  # noqa: BLE001 - what was read or committed stands
            # The pool has dropped what could not end its transaction.
            log_unclosed(error)


class Read(Transaction):
    """All its statements see one state of the store.

    SQLAlchemy writes them, and the driver runs them: what stands between costs as much as most of them do.
    """

    def __init__(
        self, backend: Backend, project_id: int, begin: str | None, seat: Seat, *, after_change: bool = False
    ) -> None:
        super().__init__(backend, backend.engine, project_id, seat)
        self.done = after_change
        self._begin_sql = begin

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
            return await self._backend.fetch(self._driver, sql, arguments)
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

    async def _begin(self, connection: AsyncConnection) -> None:  # noqa: ARG002 - the driver begins
        if self._begin_sql:
            await self._backend.command(self._driver, self._begin_sql)

    async def _closing(self) -> None:
        await self._backend.end(self._driver)


class Write(Transaction):
    """Its changes become visible together, when the block ends without an error."""

    async def _begin(self, connection: AsyncConnection) -> None:
        await self._backend.begin_writing(connection, self._seat.patience)

    async def change(self, statement: Executable, parameters: Parameters = None) -> int:
        """Run a statement, or the same one for each of many rows; gives how many rows it changed."""
        if isinstance(parameters, Sequence) and not parameters:
            return 0
        return (await self._run(statement, parameters)).rowcount

    async def insert(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert many rows of the project, all with the same columns; their ids follow their order."""
        if rows:
            tenants_rows = [{**row, "project_id": self.project_id} for row in rows]
            await self._in_turn(lambda connection: self._backend.insert(connection, table, tenants_rows))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None and self._connection is not None:
                await _whole(self._commit(self._connection))
        finally:
            await self.close()

    async def _commit(self, connection: AsyncConnection) -> None:
        """Commit; `done` says at each moment what is known of the change."""
        try:
            self._backend.refuse_closed(self._driver)
            self.done = None
            await connection.commit()
        except Exception as error:
            if self._backend.is_rolled_back(error):
                self.done = False
            await raise_failure(error, self._backend, self._driver, done=self.done, races=True)
            raise
        self.done = True


async def _whole(commit: Coroutine[Any, Any, None]) -> None:
    """Let a commit that has begun come to its end, even for a task that is canceled meanwhile."""
    task = asyncio.ensure_future(commit)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        # Nobody is left to be told; an error that nobody asks for would be logged.
        _ = task.cancelled() or task.exception()
        raise


class Database:
    """The configured store."""

    def __init__(self, url: str, connecting: ConnectionOptions = ConnectionOptions()) -> None:  # noqa: B008 - frozen
        kind = SQLite if make_url(url).get_backend_name() == "sqlite" else PostgreSQL
        self.url = url
        self.backend: Backend = kind(url, connecting)
        self._reading = self.backend.engine.execution_options(**self.backend.reading)
        self._writing = self.backend.engine.execution_options(**self.backend.writing)
        self._connections = Connections(
            connecting.pool_size,
            patience=connecting.pool_timeout,
            writers_patience=self.backend.writers_patience,
            is_embedded=self.backend.path is not None,
        )

    def read(self, project_id: int, *, holder: Hashable = None, after_change: bool = False) -> Read:
        """Give a snapshot; `after_change` when it reads back what was just committed.

        The connection is taken in the turn of its `holder`, a token; of the project where there is none.
        """
        seat = self._connections.seat(holder or project_id)
        return Read(self.backend, project_id, self.backend.begin, seat, after_change=after_change)

    def write(self, project_id: int, *, holder: Hashable = None) -> Write:
        """Give a write transaction, whose connection is taken in the turn of its `holder`, as `read` does."""
        return Write(self.backend, self._writing, project_id, self._connections.seat(holder or project_id, writes=True))

    async def change(
        self, project_id: int, job: Callable[[Write], Awaitable[Result]], *, holder: Hashable = None
    ) -> Result:
        """Do a job in a write transaction; done again, from the start, when another came between.

        Raises StoreUnavailable when that happens `ATTEMPTS` times in a row; then nothing was changed.
        """
        for attempt in range(ATTEMPTS - 1):
            try:
                return await self._attempt(project_id, job, holder)
            except LostRace:
                await asyncio.sleep(FIRST_PAUSE_SECONDS * 2**attempt * random.random())  # noqa: S311 - no secret
        return await self._attempt(project_id, job, holder)

    async def _attempt(self, project_id: int, job: Callable[[Write], Awaitable[Result]], holder: Hashable) -> Result:
        async with self.write(project_id, holder=holder) as write:
            return await job(write)

    @asynccontextmanager
    async def unbound(self, *, writing: bool = False) -> AsyncIterator[AsyncConnection]:
        """A transaction that belongs to no project: for projects, tokens and whole-store checks alone."""
        with self._known_failures():
            async with (self._writing if writing else self._reading).begin() as connection:
                driver = _driver(connection)
                try:
                    yield connection
                except Exception as error:
                    await raise_failure(error, self.backend, driver, done=False)
                    raise

    @asynccontextmanager
    async def aside(self) -> AsyncIterator[AsyncConnection]:
        """A write transaction as `unbound` gives, for what nobody waits for.

        Raises StoreUnavailable at once where a connection, or on SQLite the writer's turn, is not free.
        """
        seat = self._connections.seat(NO_PROJECT, writes=True)
        if not seat.is_free:
            raise StoreUnavailable(AGAIN, "requests hold the connections")
        await seat.take()
        try:
            writing = self._writing.execution_options(busy_timeout=ASIDE_SECONDS)
            with self._known_failures():
                async with writing.begin() as connection:
                    yield connection
        finally:
            seat.give_back()

    @asynccontextmanager
    async def upgrading(self) -> AsyncIterator[None]:
        """Keep other upgrades of the store out meanwhile; they wait."""
        with self._known_failures():
            async with self.backend.upgrading():
                yield

    @contextmanager
    def _known_failures(self) -> Iterator[None]:
        """Turn what the engine knows as an outage into an error that says what to do."""
        try:
            yield
        except Exception as error:
            raise_known(error, self.backend, done=False)
            raise

    async def unbound_row(
        self, statement: Executable, parameters: Mapping[str, Any], *, holder: Hashable = None
    ) -> Any:
        """Read one row of what belongs to no project, with as little around it as the engine allows.

        No transaction makes it wait: one connection is kept for such reads, which take turns by their `holder`.
        """
        async with Read(self.backend, NO_PROJECT, self.backend.single, self._connections.look_up(holder)) as read:
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


def _driver(connection: AsyncConnection) -> Any:
    """Give the driver's own connection under SQLAlchemy's."""
    under: Any = connection.sync_connection
    return under.connection.driver_connection
