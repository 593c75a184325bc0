"""Fair shares of the connection pool: no token, and no writers alone, can hold every connection.

SQLAlchemy's pool serves the first that asks, so one token, or writers that wait for a lock, could
hold every connection. Here a transaction takes a seat before it takes a connection: there is one free for each seat.
"""

import os
import time
from collections.abc import Hashable
from typing import Any

from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection

from customergraph.store.backend import Backend
from customergraph.turns import Bounds, Turns

# In a pool of this size or larger, one connection is kept for look-ups.
MIN_CONNECTIONS_TO_KEEP_ONE = 3
ONE_WRITER = Bounds(1, 1)


class Connections:
    """The seats of one pool."""

    def __init__(self, pool_size: int, *, patience: float, writers_patience: float, is_embedded: bool) -> None:
        whole = Bounds.halved(pool_size)
        seats = pool_size - (pool_size >= MIN_CONNECTIONS_TO_KEEP_ONE)
        # An embedded store works in this process: more statements than processors only slow each other down.
        share = min(whole.share, max(2, os.cpu_count() or 1)) if is_embedded else whole.share
        writers = ONE_WRITER if is_embedded else whole.of_writers
        self._turns = Turns(seats, share=share, writers=writers)
        self._look_ups = Turns(pool_size)
        self._patience = patience
        self._writers_patience = writers_patience

    @property
    def in_use(self) -> int:
        """The number of transactions that have a connection."""
        return self._turns.taken + self._look_ups.taken

    @property
    def waiting(self) -> int:
        """The number of transactions that wait for a connection."""
        return self._turns.waiting + self._look_ups.waiting

    def seat(self, holder: Hashable, *, writes: bool = False) -> "Seat":
        """Return a seat for one transaction of the holder; `Seat.take` takes it."""
        return Seat(self._turns, holder, self._writers_patience if writes else self._patience, writes=writes)

    def look_up(self, holder: Hashable) -> "Seat":
        """Return a seat for a read of one row, which other transactions do not delay."""
        return Seat(self._look_ups, holder, self._patience, writes=False)


class Seat:
    """The right of one transaction to a connection."""

    def __init__(self, turns: Turns, holder: Hashable, patience: float, *, writes: bool) -> None:
        self._turns = turns
        self._holder = holder
        self._writes = writes
        # How many seconds the transaction may still wait before it begins.
        self.patience = patience
        self.is_waited_for = False
        self._whole_patience = patience

    @property
    def is_free(self) -> bool:
        """Whether it could be taken without waiting."""
        return self._turns.is_free(self._holder, writes=self._writes)

    async def take(self) -> None:
        """Wait for the seat; raises the error of the pool when none becomes free in time."""
        if self._turns.take_free(self._holder, writes=self._writes):
            return
        started = time.monotonic()
        self.is_waited_for = True
        try:
            await self._turns.wait(self._holder, writes=self._writes, patience=self.patience)
        except TimeoutError:
            raise PoolTimeoutError(f"no connection became free in {self.patience:g} s") from None
        finally:
            self.is_waited_for = False
        self.patience -= time.monotonic() - started

    def give_back(self) -> None:
        self._turns.give_back(self._holder, writes=self._writes)
        self.patience = self._whole_patience


class IdleConnections:
    """Connections that stay checked out between reads: a checkout takes longer than a small read.

    At most half of the pool is kept here, and `make_room` gives one back for a transaction that asks the pool.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._most = backend.options.pool_size // 2
        # With their drivers'. The last one that was given back is the next one that is taken.
        self._idle: list[tuple[AsyncConnection, Any]] = []

    def take(self) -> tuple[AsyncConnection, Any] | None:
        """Return an idle connection and its driver's; None where `connect` has to find one."""
        is_open = self._idle and not self._backend.is_closed(self._idle[-1][1])
        return self._idle.pop() if is_open else None

    async def connect(self) -> tuple[AsyncConnection, Any]:
        """Return a connection and its driver's."""
        while self._idle:
            taken = self.take()
            if taken is not None:
                return taken
            closed, _ = self._idle.pop()
            await closed.close()
        connection = await self._backend.engine.connect()
        return connection, driver_of(connection)

    def put(self, connection: AsyncConnection, driver: Any) -> bool:
        """Keep a connection, if there is room; returns whether there was."""
        has_room = len(self._idle) < self._most
        if has_room:
            self._idle.append((connection, driver))
        return has_room

    async def make_room(self) -> None:
        """Give a connection back to the pool when it has no other."""
        pool: Any = self._backend.engine.pool
        if self._idle and pool.checkedout() >= self._backend.options.pool_size:
            await self._idle.pop(0)[0].close()

    async def close(self) -> None:
        # What is still in use is not kept either.
        self._most = 0
        while self._idle:
            await self._idle.pop()[0].close()


def driver_of(connection: AsyncConnection) -> Any:
    """Return the driver's own connection under SQLAlchemy's."""
    sync_connection: Any = connection.sync_connection
    return sync_connection.connection.driver_connection
