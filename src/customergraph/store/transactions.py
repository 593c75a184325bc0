"""Transactions on one connection: what all have in common, and those that write."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

from sqlalchemy import CursorResult, Executable, Table, insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from customergraph.errors import StoreUnavailable
from customergraph.rows import Rows
from customergraph.store import change_log, tenancy
from customergraph.store.backend import Backend
from customergraph.store.batches import Batch
from customergraph.store.connections import IdleConnections, Seat, driver_of
from customergraph.store.failures import TransactionEnded, log_unclosed, raise_failure
from customergraph.store.usage import Text, Usage

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
Result = TypeVar("Result")
# Makes the error of a stopped transaction. The argument says whether its change was made.
Stopped = Callable[[bool | None], Exception]


class Transaction:
    """A transaction on one connection, opened by its first statement, for one project.

    Statements that are started at the same time run one after another.
    """

    # Whether the change was made that this transaction makes or reads back; None when nobody knows.
    done: bool | None = False

    def __init__(
        self,
        backend: Backend,
        engine: AsyncEngine,
        project_id: int,
        seat: Seat,
        idle: IdleConnections,
        usage: Usage,
    ) -> None:
        self.project_id = project_id
        self._tenant = {tenancy.TENANT.key: project_id}
        self.lateral = backend.lateral
        self._usage = usage
        self._backend = backend
        self._engine = engine
        self._seat = seat
        self._idle = idle
        self._connection: AsyncConnection | None = None
        self._driver: Any = None
        self._running: asyncio.Task[Any] | None = None
        self._turn = asyncio.Lock()
        self._has_ended = False
        self._stopped: Stopped | None = None
        # Why the store could not be read; then nothing more is tried.
        self._outage: StoreUnavailable | None = None

    async def rows(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Any]:
        """Run a statement and return its rows."""
        rows = (await self._run(statement, parameters or {})).all()
        self._usage.rows += len(rows)
        return rows

    async def row(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Any:
        """Run a statement and return its first row, or None."""
        rows = await self.rows(statement, parameters)
        return rows[0] if rows else None

    async def value(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Any:
        """Run a statement and return the first column of its first row, or None."""
        row = await self.row(statement, parameters)
        return row and row[0]

    async def values(self, batch: Batch, keys: Sequence[Any]) -> Sequence[Any]:
        """Run the statement of a batch and return the values of its keys."""
        result = await self._run(batch.statement, batch.parameters)
        names, rows = tuple(result.keys()), result.all()
        self._usage.rows += len(rows)
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
        return batch.values(Rows(dict(zip(names, columns, strict=True)), len(rows)), keys)

    async def _run(self, statement: Executable, parameters: Parameters) -> CursorResult[Any]:
        tenancy.check(statement)
        text = partial(self._backend.text, statement)
        return await self._in_turn(
            lambda connection: self._timed(text, connection.execute(statement, self._bound(parameters)))
        )

    async def _timed(self, text: Text, work: Awaitable[Result]) -> Result:
        started = time.perf_counter()
        try:
            return await work
        finally:
            self._usage.ran(text, started)

    async def _in_turn(self, work: Callable[[AsyncConnection], Awaitable[Result]]) -> Result:
        """Do some work on the connection after the work that was started before."""
        await self._turn.acquire()
        try:
            if self._has_ended:
                # Nobody waits for this statement any more, and it would leave a connection open.
                raise TransactionEnded
            self._refuse_stopped()
            self._running = asyncio.current_task()
            started, waited = time.perf_counter(), self._usage.waited
            try:
                if self._connection is None:
                    self._connection = await self._open()
                return await work(self._connection)
            except asyncio.CancelledError:
                if self._stopped:
                    # The task goes on with the error.
                    self._running.uncancel()  # type: ignore[union-attr] # it is this task
                self._refuse_stopped()
                raise
            except Exception as error:
                self._refuse_stopped()
                await self._raise_failure(error)
                raise
            finally:
                self._running = None
                self._usage.seconds += time.perf_counter() - started - (self._usage.waited - waited)
        finally:
            self._turn.release()

    def _refuse_stopped(self) -> None:
        if self._stopped:
            raise self._stopped(self.done) from None
        if self._outage:
            raise self._outage

    async def _raise_failure(self, error: Exception) -> None:
        await raise_failure(error, self._backend, self._driver, done=self.done, races=True)

    async def _open(self) -> AsyncConnection:
        """Take the seat and return a connection on which the transaction has begun."""
        await self._take_seat()
        try:
            connection = await self._connect()
            try:
                self._driver = driver_of(connection)
                await self._begin(connection)
            except BaseException as error:
                await self._give_back_after(error, connection)
                raise
        except BaseException:
            self._seat.give_back()
            raise
        return connection

    async def _take_seat(self) -> None:
        started = time.perf_counter()
        try:
            await self._seat.take()
        finally:
            self._usage.waited += time.perf_counter() - started

    async def _connect(self) -> AsyncConnection:
        await self._idle.make_room()
        return await self._engine.connect()

    async def _give_back_after(self, error: BaseException, connection: AsyncConnection) -> None:
        try:
            if isinstance(error, Exception):
                # The connection is tested while nobody else can have it.
                await self._raise_failure(error)
        finally:
            await self._give_back(connection)

    async def _begin(self, connection: AsyncConnection) -> None:
        """Begin, where SQLAlchemy would not with the first statement."""

    async def interrupt(self) -> None:
        """Stop the statement that runs, at the database too; its caller gets an error."""
        if self._connection is not None and self._running is not None:
            await self._backend.interrupt(self._connection, self._running)
        elif self._seat.is_waited_for and self._running is not None:
            self._running.cancel()

    async def stop(self, error: Stopped) -> None:
        """Stop the statement that runs, and refuse all that follow; their callers get the error.

        A commit that has begun is completed.
        """
        self._stopped = error
        if self._connection is not None:
            await self.interrupt()
        elif self._running is not None:
            self._running.cancel()

    def _bound(self, parameters: Parameters) -> Any:
        if isinstance(parameters, Sequence):
            return [{**row, **self._tenant} for row in parameters]
        return {**(parameters or {}), **self._tenant}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the transaction; changes that were not committed are undone."""
        self._has_ended = True
        # One that is still opening is waited for: nobody else would give its connection back.
        if self._connection is not None or self._turn.locked():
            await self._release()

    async def _release(self) -> None:
        """Give the connection back. A statement that follows begins another transaction."""
        await self._turn.acquire()
        try:
            connection, self._connection = self._connection, None
            if connection is not None:
                try:
                    await self._give_back(connection)
                finally:
                    self._seat.give_back()
        finally:
            self._turn.release()

    async def _give_back(self, connection: AsyncConnection) -> None:
        try:
            await connection.close()
        except Exception as error:  # noqa: BLE001 - what was read or committed stands
            # The pool has dropped a connection that could not end its transaction.
            log_unclosed(error)


class Write(Transaction):
    """Its changes become visible together, when the block ends without an error; the feed then tells of them.

    `token_id` is the token that it writes for, if it does so for one. The feed keeps changes for `feed_kept`.
    """

    def __init__(self, *arguments: Any, token_id: int | None, feed_kept: timedelta) -> None:
        super().__init__(*arguments)
        self.token_id = token_id
        self.feed_kept = feed_kept
        self.changes = change_log.Changes()

    async def _run(self, statement: Executable, parameters: Parameters) -> CursorResult[Any]:
        change_log.check(statement)
        return await super()._run(statement, parameters)

    async def _begin(self, connection: AsyncConnection) -> None:
        await self._backend.begin_writing(connection, self._seat.patience)

    async def change(self, statement: Executable, parameters: Parameters = None) -> int:
        """Run a statement once, or once for each set of parameters; returns the number of changed rows."""
        if isinstance(parameters, Sequence) and not parameters:
            return 0
        changed = (await self._run(statement, parameters)).rowcount
        self._usage.rows += changed
        return changed

    async def add(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> Sequence[int]:
        """Insert many rows of an entity, all with the same columns; returns their ids, which follow their order.

        They become changes of the feed.
        """
        if not rows:
            return []
        # The feed needs the ids. To have them before is cheaper than to look each up after.
        ids = await self._in_turn(lambda connection: self._backend.new_ids(connection, table, len(rows)))
        await self.insert(table, {"id": ids, **{name: [row[name] for row in rows] for name in rows[0]}})
        self.changes.added(table, ids, rows)
        return ids

    async def insert(self, table: Table, columns: Mapping[str, Sequence[Any]]) -> None:
        """Insert many rows of the project, given by column; no change tells of them."""
        count = len(next(iter(columns.values())))
        if not count:
            return
        tenants = {**columns, "project_id": [self.project_id] * count}
        text = partial(self._backend.text, insert(table))
        await self._in_turn(lambda connection: self._timed(text, self._backend.insert(connection, table, tenants)))
        self._usage.rows += count

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None and self._connection is not None:
                await change_log.append(self, self.changes)
                await _completed(self._commit(self._connection))
        finally:
            await self.close()

    def _refuse_closed(self) -> None:
        if self._backend.is_closed(self._driver):
            raise ConnectionResetError("the connection was closed before the commit")

    async def _commit(self, connection: AsyncConnection) -> None:
        """Commit; `done` says at each moment what is known of the change."""
        started = time.perf_counter()
        try:
            self._refuse_closed()
            self.done = None
            await connection.commit()
        except Exception as error:
            if self._backend.is_rolled_back(error):
                self.done = False
            await self._raise_failure(error)
            raise
        finally:
            self._usage.seconds += time.perf_counter() - started
        self.done = True


async def _completed(commit: Coroutine[Any, Any, None]) -> None:
    """Complete a commit that has begun, even when the task is canceled meanwhile."""
    task = asyncio.ensure_future(commit)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        # Nobody else reads the error, and asyncio logs an error that nobody has read.
        _ = task.cancelled() or task.exception()
        raise
