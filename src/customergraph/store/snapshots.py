"""Snapshots: transactions that read. SQLAlchemy compiles their statements, and the driver runs them."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.ext.asyncio import AsyncConnection

from customergraph.errors import StoreUnavailable
from customergraph.rows import Rows
from customergraph.store.backend import Backend
from customergraph.store.batches import Batch
from customergraph.store.connections import IdleConnections, Seat
from customergraph.store.failures import StatementFailed, log_unclosed
from customergraph.store.linked import MAX_BATCHES, LinkedStatements, link_of
from customergraph.store.transactions import Transaction
from customergraph.store.usage import Usage


class Read(Transaction):
    """All its statements see one state of the store.

    SQLAlchemy compiles them and the driver runs them: the layers between cost as much as most statements do.
    """

    def __init__(
        self,
        backend: Backend,
        project_id: int,
        seat: Seat,
        idle: IdleConnections,
        usage: Usage,
        *,
        begin: str | None,
    ) -> None:
        super().__init__(backend, backend.engine, project_id, seat, idle, usage)
        self._begin_sql = begin
        self._has_begun = False
        # The pool resets a connection on which a statement failed, or was canceled, before others get it.
        self._is_clean = True

    async def rows(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Any]:
        prepared = self._backend.prepared(statement)
        arguments = prepared.arguments(self._bound(parameters))
        records = await self._in_turn(lambda _: self._fetch(prepared.sql, arguments))
        self._usage.rows += len(records)
        return prepared.rows(records)

    async def values(self, batch: Batch, keys: Sequence[Any]) -> Sequence[Any]:
        (rows,) = await self.together([batch])
        return batch.values(rows, keys)

    async def together(self, batches: Sequence[Batch], *, is_last: bool = False) -> list[Rows]:
        """Run the statements of batches, as many at once as there may be, and return the rows of each.

        The keys of linked batches may be a column of an earlier one's rows: `FromParent`. With the last batches
        the transaction ends, and the connection is given back.
        """
        if len(batches) <= MAX_BATCHES:
            return await self._at_once(batches, is_last=is_last)
        rows: list[Rows] = []
        for start in range(0, len(batches), MAX_BATCHES):
            stop = start + MAX_BATCHES
            rows += await self._at_once(batches[start:stop], is_last=is_last and stop >= len(batches))
        return rows

    async def _at_once(self, batches: Sequence[Batch], *, is_last: bool) -> list[Rows]:
        parameters = [
            {**(batch.parameters if batch.before is None else await self._looked_up(batch)), **self._tenant}
            for batch in batches
        ]
        linked = self._backend.linked([batch.statement for batch in batches], list(map(link_of, parameters)))
        started = time.perf_counter()
        try:
            rows = await self._in_turn(lambda _: self._fetch_linked(linked, parameters, is_last=is_last))
        except StatementFailed:
            # PostgreSQL would refuse the statements that follow in this transaction.
            await self._release()
            raise
        finally:
            self._usage.batched(len(batches), started)
        if is_last:
            await self._release()
        self._usage.rows += sum(one.count for one in rows)
        return rows

    def sql(self, batches: Sequence[Batch]) -> list[str]:
        """Return the statements that `together` runs, in the engine's SQL."""
        links = [link_of(batch.parameters) for batch in batches]
        return self._backend.sql(self._backend.linked([batch.statement for batch in batches], links))

    def may_be_linked(self, batches: Sequence[Batch]) -> bool:
        """Return whether batches can be read at once, though some depend on others."""
        return len(batches) <= MAX_BATCHES and not [batch for batch in batches if batch.before]

    async def _looked_up(self, batch: Batch) -> Mapping[str, Any]:
        return {**batch.parameters, **await batch.before(self)} if batch.before else batch.parameters

    async def _fetch(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        self._is_clean = False
        await self._ensure_begun()
        started = time.perf_counter()
        try:
            records = await self._backend.fetch(self._driver, sql, arguments)
        except self._backend.driver_errors as error:
            raise self._known(error, sql) from None
        finally:
            self._usage.ran(sql, started)
        self._is_clean = True
        return records

    async def _fetch_linked(
        self, linked: LinkedStatements, parameters: Sequence[Mapping[str, Any]], *, is_last: bool
    ) -> list[Rows]:
        begin = None
        if not self._has_begun:
            is_snapshot = is_last and self._backend.is_snapshot(linked)
            begin = self._backend.begin_single if is_snapshot else self._begin_sql
            self._has_begun = begin is not None
        # Elsewhere it ends when the connection is given back, and what was read stands if that fails.
        ends = is_last and self._has_begun and self._backend.ends_with_last
        self._is_clean = False
        try:
            rows = await self._backend.fetch_linked(
                self._driver, linked, parameters, self._usage, begin=begin, ends=ends
            )
        except self._backend.driver_errors as error:
            raise self._known(error, linked.statements[0].sql) from None
        self._is_clean = True
        self._has_begun = self._has_begun and not ends
        return rows

    async def _ensure_begun(self) -> None:
        if not self._has_begun and self._begin_sql:
            self._has_begun = True
            await self._backend.command(self._driver, self._begin_sql)

    def _known(self, error: Exception, sql: str) -> Exception:
        """Return StatementFailed for a statement that the engine refuses, which is a fault of ours."""
        return StatementFailed(error, sql) if self._backend.failure(error) is None else error

    async def end_snapshot(self) -> None:
        """End the snapshot, and give its connection back. The next statement begins another one."""
        await self._release()
        self._outage = None

    async def plan_for_values(self) -> None:
        """Let the engine plan the next statements for their values: a plan for rare values is slow for common ones."""
        command = self._backend.plan_for_values
        if command:
            await self._in_turn(lambda _: self._command(command))

    async def _command(self, command: str) -> None:
        await self._ensure_begun()
        await self._backend.command(self._driver, command)

    async def _open(self) -> AsyncConnection:
        await self._take_seat()
        try:
            connection, self._driver = self._idle.take() or await self._idle.connect()
        except BaseException:
            self._seat.give_back()
            raise
        return connection

    async def _raise_failure(self, error: Exception) -> None:
        try:
            await super()._raise_failure(error)
        except StoreUnavailable as outage:
            # Its traceback would hold this transaction.
            self._outage = outage.with_traceback(None)
            raise

    async def _give_back(self, connection: AsyncConnection) -> None:
        if self._has_begun or self._stopped:
            await self._end(connection)
        if not (self._is_clean and not self._stopped and self._idle.put(connection, self._driver)):
            await super()._give_back(connection)

    async def _end(self, connection: AsyncConnection) -> None:
        try:
            if self._has_begun:
                await self._backend.end(self._driver)
            if self._stopped:
                # asyncpg asks the server to stop beside the statement: the next one waits until it has.
                await self._backend.answers(self._driver)
        except Exception as error:  # noqa: BLE001 - what was read stands
            self._is_clean = False
            log_unclosed(error)
        except asyncio.CancelledError:
            self._backend.abandon(self._driver)
            await super()._give_back(connection)
            raise
        finally:
            self._has_begun = False
