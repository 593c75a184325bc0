"""The subscriptions of a worker: how many there may be, and what wakes them.

While there are any, one statement at a time asks for all of them which feeds have moved, and which tokens still
hold. A subscription that waits takes nothing else: no turn, no connection, no statement.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextvars import Context
from types import TracebackType
from typing import Self

import structlog

from customergraph.errors import StoreUnavailable, SubscriptionsExceeded, WorkerFull
from customergraph.store import watching
from customergraph.store.database import Database
from customergraph.turns import Bounds, Turns

_log = structlog.get_logger()


class Streams:
    """The subscriptions of one worker, at most `most`, and at most `most_of_token` of one token."""

    def __init__(self, database: Database, *, poll: float, most: int, most_of_token: int, running: int) -> None:
        self._database = database
        self._poll = poll
        self._most = most
        self._most_of_token = most_of_token
        # How many changes the subscriptions of this worker were sent, since its start.
        self.changes_sent = 0
        # By token.
        self._open: defaultdict[int, set[Stream]] = defaultdict(set)
        self._polling: asyncio.Task[None] | None = None
        self._is_stopping = False
        # All that follow a feed want to read at once: they wait here, and leave the other operations their turns.
        bounds = Bounds.halved(running)
        self.turns = Turns(max(1, bounds.share), share=Bounds.halved(bounds.share).share)

    def __len__(self) -> int:
        return sum(map(len, self._open.values()))

    def open(self, token_id: int) -> "Stream":
        """Begin a subscription; raises SubscriptionsExceeded, and WorkerFull."""
        if len(self._open.get(token_id, ())) >= self._most_of_token:
            raise SubscriptionsExceeded(self._most_of_token)
        if len(self) >= self._most:
            raise WorkerFull
        stream = Stream(token_id, self._close)
        self._open[token_id].add(stream)
        if self._is_stopping:
            stream.cut()
        if self._polling is None or self._polling.done():
            # Its log lines are of no request.
            self._polling = asyncio.create_task(self._keep_polling(), context=Context())
        return stream

    def _close(self, stream: "Stream") -> None:
        of_token = self._open[stream.token_id]
        of_token.discard(stream)
        if not of_token:
            del self._open[stream.token_id]

    def stop(self) -> None:
        """Cut all subscriptions, and those that still come."""
        self._is_stopping = True
        for of_token in tuple(self._open.values()):
            for stream in tuple(of_token):
                stream.cut()

    async def close(self) -> None:
        self.stop()
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.wait({self._polling})

    async def _keep_polling(self) -> None:
        while self._open:
            await asyncio.sleep(self._poll)
            try:
                await self._ask()
            except StoreUnavailable:
                # The subscriptions are silent until it is back.
                continue
            except Exception:  # noqa: BLE001 - the others have to be woken the next time
                _log.exception("fault")

    async def _ask(self) -> None:
        token_ids = list(self._open)
        positions = await watching.feed_positions(self._database, token_ids)
        for token_id in token_ids:
            for stream in self._open.get(token_id, ()):
                stream.tell(positions.get(token_id))


class Stream:
    """One subscription, as the worker wakes it. It is open until its block is left."""

    __slots__ = ("_close", "_cut", "_seen", "_waits", "_woken", "is_cut", "is_refused", "token_id")

    def __init__(self, token_id: int, close: Callable[["Stream"], None]) -> None:
        self.token_id = token_id
        # Whether the worker stops, and whether the token does not hold any more.
        self.is_cut = False
        self.is_refused = False
        self._close = close
        self._cut: Callable[[], None] | None = None
        self._waits = False
        self._seen: int | None = None
        self._woken = asyncio.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close(self)

    async def wait(self, seen: int | None) -> None:
        """Wait until the newest change is another one than this position, or until the stream has to end.

        Without a position, wait until the store has answered again.
        """
        self._seen = seen
        self._waits = True
        await self._sleep(None)
        self._waits = False

    async def pause(self, seconds: float) -> None:
        """Wait for some seconds, or until the stream has to end."""
        await self._sleep(seconds)

    async def _sleep(self, seconds: float | None) -> None:
        self._woken.clear()
        if self.is_cut or self.is_refused:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return

    def tell(self, position: int | None) -> None:
        """Take the position of the newest change; None for a token that does not hold any more."""
        if position is None:
            self.is_refused = True
            self._woken.set()
        elif self._waits and position != self._seen:
            self._woken.set()

    def when_cut(self, action: Callable[[], None]) -> None:
        """Do something when the stream is cut."""
        self._cut = action

    def cut(self) -> None:
        """End the stream, because the worker stops."""
        self.is_cut = True
        self._woken.set()
        if self._cut is not None:
            self._cut()
