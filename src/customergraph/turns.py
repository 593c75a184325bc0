"""Turns to use something that only a few can use at once, shared out in rotation among keys.

First come, first served would let the key with most requests delay all others. Here a key with
a thousand waiting requests delays a key with one request by at most one turn.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass
from types import TracebackType

# Of fewer turns than these, one key may hold all: half of them would be too few.
MIN_TURNS_TO_HALVE = 4


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many turns there can be at once, and how many of them one key may hold."""

    capacity: int
    share: int

    @classmethod
    def halved(cls, capacity: int) -> "Bounds":
        """Reserve half of the turns for other keys, even while none of them needs one."""
        return cls(capacity, capacity // 2 if capacity >= MIN_TURNS_TO_HALVE else capacity)

    @property
    def of_writers(self) -> "Bounds":
        """Half of the turns, and half of a key's share, so that each key's readers have the other half."""
        return Bounds(max(1, self.capacity // 2), max(1, self.share // 2))


class _Ledger:
    """Counts the turns that keys hold, and compares them with the bounds."""

    def __init__(self, bounds: Bounds) -> None:
        self.free = bounds.capacity
        self._share = bounds.share
        self._held: dict[Hashable, int] = {}

    def allows(self, key: Hashable) -> bool:
        return self.free > 0 and self._held.get(key, 0) < self._share

    def take(self, key: Hashable) -> bool:
        """Count a turn of the key, if the bounds allow it; returns whether they do."""
        held = self._held.get(key, 0)
        if self.free <= 0 or held >= self._share:
            return False
        self.free -= 1
        self._held[key] = held + 1
        return True

    def remove(self, key: Hashable) -> None:
        self.free += 1
        held = self._held[key] - 1
        if held:
            self._held[key] = held
        else:
            del self._held[key]


@dataclass(slots=True, eq=False)
class _Waiter:
    turn: "asyncio.Future[None]"
    writes: bool


class Turns:
    """Lets at most `capacity` turns run at once, and at most `share` of them for one key.

    Turns of writers also count against the bounds of `writers`.
    """

    def __init__(self, capacity: int, *, share: int | None = None, writers: Bounds | None = None) -> None:
        bounds = Bounds(capacity, share or capacity)
        self._capacity = capacity
        self._all = _Ledger(bounds)
        self._writers = _Ledger(writers or bounds)
        self._waiting: OrderedDict[Hashable, deque[_Waiter]] = OrderedDict()

    @property
    def taken(self) -> int:
        """The number of turns that run."""
        return self._capacity - self._all.free

    @property
    def waiting(self) -> int:
        """The number of requests that wait for a turn."""
        return sum(map(len, self._waiting.values()))

    def waiting_of(self, key: Hashable) -> int:
        """Return the number of requests of the key that wait for a turn."""
        return len(self._waiting.get(key, ()))

    def of(self, key: Hashable, *, writes: bool = False) -> "Turn":
        """Return a context manager that waits for a turn of the key and holds it."""
        return Turn(self, key, writes=writes)

    def is_free(self, key: Hashable, *, writes: bool = False) -> bool:
        """Return whether the key would get a turn without waiting."""
        # A waiting request cannot use a free turn, because of the bounds, so nobody is passed over.
        return self._all.allows(key) and (not writes or self._writers.allows(key))

    def take_free(self, key: Hashable, *, writes: bool = False) -> bool:
        """Take a turn if the key gets one without waiting; returns whether it does."""
        if not writes:
            return self._all.take(key)
        return self._writers.allows(key) and self._all.take(key) and self._writers.take(key)

    async def take(self, key: Hashable, *, writes: bool = False) -> None:
        """Take a turn, which `give_back` ends; waits for it."""
        if not self.take_free(key, writes=writes):
            await self.wait(key, writes=writes)

    async def wait(self, key: Hashable, *, writes: bool = False, patience: float | None = None) -> None:
        """Wait for a turn where none is free; raises TimeoutError when it does not begin within `patience` seconds."""
        loop = asyncio.get_running_loop()
        waiter = _Waiter(loop.create_future(), writes)
        self._waiting.setdefault(key, deque()).append(waiter)
        timer = None if patience is None else loop.call_later(patience, self._refuse, key, waiter, TimeoutError())
        try:
            await waiter.turn
        except asyncio.CancelledError:
            if _has_begun(waiter.turn):
                self.give_back(key, writes=writes)
            else:
                self._leave(key, waiter)
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def give_back(self, key: Hashable, *, writes: bool = False) -> None:
        """End a turn of the key, and let the next ones begin."""
        self._all.remove(key)
        if writes:
            self._writers.remove(key)
        if key in self._waiting:
            # Behind the keys that came while it had its turn.
            self._waiting.move_to_end(key)
        while self._waiting and self._all.free and self._begin_next():
            pass

    def becomes_writer(self, key: Hashable) -> bool:
        """Count a turn of the key as a writer's from now on, if the bounds allow it; returns whether they do."""
        return self._writers.take(key)

    def longest_queue(self) -> Hashable:
        """Return the key with the most waiting requests; of several, the one whose turn comes last."""
        return max(reversed(self._waiting), key=self.waiting_of, default=None)

    def refuse_newest(self, key: Hashable, error: Exception) -> None:
        """Raise an error in the newest waiting request of a key."""
        self._refuse(key, self._waiting[key][-1], error)

    def _refuse(self, key: Hashable, waiter: _Waiter, error: Exception) -> None:
        self._leave(key, waiter)
        if not waiter.turn.done():
            waiter.turn.set_exception(error)

    def _begin_next(self) -> bool:
        """Begin a turn of the key that has waited longest; returns whether a turn could begin."""
        for key, waiters in self._waiting.items():
            for waiter in waiters if self._all.allows(key) else ():
                # One that was canceled leaves by itself.
                if not waiter.turn.done() and self.take_free(key, writes=waiter.writes):
                    self._waiting.move_to_end(key)
                    self._leave(key, waiter)
                    waiter.turn.set_result(None)
                    return True
        return False

    def _leave(self, key: Hashable, waiter: _Waiter) -> None:
        waiters = self._waiting.get(key)
        if waiters and waiter in waiters:
            waiters.remove(waiter)
            if not waiters:
                del self._waiting[key]


def _has_begun(turn: "asyncio.Future[None]") -> bool:
    return turn.done() and not turn.cancelled() and turn.exception() is None


class Turn:
    """One turn of a key, from entering the block to leaving it."""

    __slots__ = ("_key", "_turns", "_writes")

    def __init__(self, turns: Turns, key: Hashable, *, writes: bool) -> None:
        self._turns = turns
        self._key = key
        self._writes = writes

    async def __aenter__(self) -> None:
        await self._turns.take(self._key, writes=self._writes)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._turns.give_back(self._key, writes=self._writes)
