"""The configured store: its connections, and the transactions that are opened on them."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Executable, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from customergraph.errors import StoreUnavailable
from customergraph.store.backend import Backend, ConnectionOptions
from customergraph.store.connections import Connections, IdleConnections, driver_of
from customergraph.store.failures import AGAIN, LostRace, raise_failure, raise_known
from customergraph.store.postgresql import PostgreSQL
from customergraph.store.servers import with_first_address
from customergraph.store.snapshots import Read
from customergraph.store.sqlite import SQLite
from customergraph.store.tables import project
from customergraph.store.transactions import Write
from customergraph.store.usage import Usage

NO_PROJECT = 0
# How long the feed keeps changes, unless the operator decides otherwise.
FEED_DAYS = 30
DEMO_APPLICATION_ID = 0x43474456  # "CGDV"
ATTEMPTS = 5
FIRST_PAUSE_SECONDS = 0.02
# How long a background write may wait for another program's lock on SQLite; all other writers wait behind it.
BACKGROUND_BUSY_SECONDS = 0.1

Result = TypeVar("Result")


class Database:
    """The configured store."""

    def __init__(
        self,
        url: str,
        options: ConnectionOptions = ConnectionOptions(),  # noqa: B008 - frozen
        *,
        feed_days: float = FEED_DAYS,
    ) -> None:
        kind = SQLite if _parts(url).get_backend_name() == "sqlite" else PostgreSQL
        self.url = url
        self.backend: Backend = kind(url, options)
        self._reading = self.backend.engine.execution_options(**self.backend.reading)
        self._writing = self.backend.engine.execution_options(**self.backend.writing)
        self.connections = Connections(
            options.pool_size,
            patience=options.pool_timeout,
            writers_patience=self.backend.writers_patience,
            is_embedded=self.backend.path is not None,
        )
        self._idle = IdleConnections(self.backend)
        self._feed_kept = timedelta(days=feed_days)

    def read(self, project_id: int, *, holder: Hashable = None, usage: Usage | None = None) -> Read:
        """Return a snapshot, whose statements are counted in `usage`.

        Connections are shared out fairly among holders: tokens, or the project where there is no token.
        """
        seat = self.connections.seat(holder or project_id)
        return Read(self.backend, project_id, seat, self._idle, usage or Usage(), begin=self.backend.begin)

    def write(self, project_id: int, *, token_id: int | None = None, usage: Usage | None = None) -> Write:
        """Return a write transaction for the holder of a token, if there is one; `usage` as in `read`."""
        seat = self.connections.seat(token_id or project_id, writes=True)
        common = (self.backend, self._writing, project_id, seat, self._idle, usage or Usage())
        return Write(*common, token_id=token_id, feed_kept=self._feed_kept)

    async def change(
        self,
        project_id: int,
        job: Callable[[Write], Awaitable[Result]],
        *,
        token_id: int | None = None,
        usage: Usage | None = None,
    ) -> Result:
        """Do a job in a write transaction, and do it again from the start when another transaction came between.

        Raises StoreUnavailable when that happens `ATTEMPTS` times in a row; then nothing was changed.
        """
        for attempt in range(ATTEMPTS - 1):
            try:
                return await self._attempt(project_id, job, token_id, usage)
            except LostRace:
                await asyncio.sleep(FIRST_PAUSE_SECONDS * 2**attempt * random.random())  # noqa: S311 - no secret
        return await self._attempt(project_id, job, token_id, usage)

    async def _attempt(
        self, project_id: int, job: Callable[[Write], Awaitable[Result]], token_id: int | None, usage: Usage | None
    ) -> Result:
        async with self.write(project_id, token_id=token_id, usage=usage) as write:
            return await job(write)

    @asynccontextmanager
    async def unbound(self, *, writing: bool = False) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that belongs to no project: for projects, tokens and checks of the whole store."""
        await self._idle.make_room()
        with self._known_failures():
            async with (self._writing if writing else self._reading).begin() as connection:
                driver = driver_of(connection)
                try:
                    yield connection
                except Exception as error:
                    await raise_failure(error, self.backend, driver, done=False)
                    raise

    @asynccontextmanager
    async def background_write(self) -> AsyncIterator[AsyncConnection]:
        """Open a write transaction like `unbound`, for work in the background.

        Raises StoreUnavailable at once when no connection, or on SQLite no writer's turn, is free.
        """
        seat = self.connections.seat(NO_PROJECT, writes=True)
        if not seat.is_free:
            raise StoreUnavailable(AGAIN, "requests hold the connections")
        await seat.take()
        try:
            await self._idle.make_room()
            writing = self._writing.execution_options(busy_timeout=BACKGROUND_BUSY_SECONDS)
            with self._known_failures():
                async with writing.begin() as connection:
                    yield connection
        finally:
            seat.give_back()

    @asynccontextmanager
    async def upgrading(self) -> AsyncIterator[None]:
        """Keep other upgrades of the store out; they wait."""
        with self._known_failures():
            async with self.backend.upgrading():
                yield

    @contextmanager
    def _known_failures(self) -> Iterator[None]:
        """Turn an outage into an error that says what to do."""
        try:
            yield
        except Exception as error:
            raise_known(error, self.backend, done=False)
            raise

    async def unbound_row(
        self,
        statement: Executable,
        parameters: Mapping[str, Any],
        *,
        holder: Hashable = None,
        usage: Usage | None = None,
    ) -> Any:
        """Read one row that belongs to no project, with as few commands as the engine allows.

        Other transactions do not delay it: one connection is kept for such reads, shared out by `holder`.
        """
        async with self._look_up(holder, usage) as read:
            return await read.row(statement, parameters)

    async def unbound_rows(self, statement: Executable, parameters: Mapping[str, Any]) -> Sequence[Any]:
        """Read the rows of one statement as `unbound_row` does."""
        async with self._look_up(None, None) as read:
            return await read.rows(statement, parameters)

    def _look_up(self, holder: Hashable, usage: Usage | None) -> Read:
        seat = self.connections.look_up(holder)
        begin = self.backend.begin_single
        return Read(self.backend, NO_PROJECT, seat, self._idle, usage or Usage(), begin=begin)

    async def answers(self) -> bool:
        """Return whether the store can be read."""
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
        await self._idle.close()
        await self.backend.close()


def without_password(url: str) -> str:
    """Return a store's URL as logs may have it."""
    return _parts(url).render_as_string(hide_password=True)


def embedded_path(url: str) -> Path | None:
    """Return the file of an embedded store; None for a store on a server."""
    address = _parts(url)
    return Path(address.database or "") if address.get_backend_name() == "sqlite" else None


def _parts(url: str) -> URL:
    return make_url(with_first_address(url))
