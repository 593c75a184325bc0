"""Turns on something that only a few can use at once, dealt out in rotation among keys.

First come, first served would let the key that asks most often hold up all others. Here a key
with a thousand waiting requests delays a key with one request by no more than one turn.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Hashable
from types import TracebackType

_Waiting = deque["asyncio.Future[None]"]


class Turns:
    """Gives at most `capacity` turns at once, and at most `share` of them to one key."""

    def __init__(self, capacity: int, *, share: int | None = None) -> None:
        self._free = capacity
        self._share = share or capacity
        self._held: Counter[Hashable] = Counter()
        self._waiting: OrderedDict[Hashable, _Waiting] = OrderedDict()

    @property
    def waiting(self) -> int:
        """How many wait for a turn."""
        return sum(map(len, self._waiting.values()))

    def of(self, key: Hashable) -> "Turn":
        """Give a turn for the key as a context manager, which waits until there is one."""
        return Turn(self, key)

    def is_free(self, key: Hashable) -> bool:
        """Tell whether the key would get a turn without waiting."""
        # Where a turn is free, whoever waits has its share already, so nobody is passed over.
        return self._free > 0 and self._held[key] < self._share

    async def take(self, key: Hashable) -> None:
        """Wait for a turn, which `give_back` ends."""
        if self.is_free(key):
            self._take(key)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give_back(key)
            else:
                self._leave(key, turn)
            raise

    def give_back(self, key: Hashable) -> None:
        """End a turn of the key, and let the next one begin."""
        self._free += 1
        self._held[key] -= 1
        if not self._held[key]:
            del self._held[key]
        if key in self._waiting:
            # Behind the keys that came while it had its turn.
            self._waiting.move_to_end(key)
        while self._free and self._begin_next():
            pass

    def _take(self, key: Hashable) -> None:
        self._free -= 1
        self._held[key] += 1

    def _begin_next(self) -> bool:
        """Begin the turn of the key that waited longest for one; tells whether there was such a key."""
        for key, turns in self._waiting.items():
            if self._held[key] < self._share:
                turn = turns.popleft()
                self._waiting.move_to_end(key)
                if not turns:
                    del self._waiting[key]
                if not turn.done():
                    self._take(key)
                    turn.set_result(None)
                return True
        return False

    def _leave(self, key: Hashable, turn: "asyncio.Future[None]") -> None:
        turns = self._waiting.get(key)
        if turns and turn in turns:
            turns.remove(turn)
            if not turns:
                del self._waiting[key]


class Turn:
    """One turn of a key, from entering the block to leaving it."""

    __slots__ = ("_key", "_turns")

    def __init__(self, turns: Turns, key: Hashable) -> None:
        self._turns = turns
        self._key = key

    async def __aenter__(self) -> None:
        await self._turns.take(self._key)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._turns.give_back(self._key)
