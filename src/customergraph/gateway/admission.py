"""The operations that a worker runs at once and lets wait. Tokens get turns in rotation."""

import time
from collections.abc import Hashable
from types import TracebackType
from typing import Self

from customergraph.errors import Overloaded, StoreUnavailable
from customergraph.store.failures import AGAIN
from customergraph.turns import Turns


class Admission:
    """Lets a bounded number of operations run at once, and a bounded number wait for their turn.

    Nobody waits longer than `patience` seconds.
    """

    def __init__(self, turns: Turns, waiting: int, patience: float) -> None:
        self._turns = turns
        self._may_wait = waiting
        self._patience = patience

    @property
    def running(self) -> int:
        return self._turns.taken

    @property
    def waiting(self) -> int:
        return self._turns.waiting

    def turn(self, key: Hashable) -> "AdmittedTurn":
        """Return a turn of the key, which a block waits for; raises Overloaded when too many wait already."""
        return AdmittedTurn(self, key)

    def enter_free(self, key: Hashable) -> bool:
        """Take a turn if one is free; returns whether it is."""
        return self._turns.take_free(key)

    async def enter(self, key: Hashable, *, writes: bool) -> None:
        """Wait for a turn, which `leave` ends."""
        if self._turns.take_free(key, writes=writes):
            return
        self._make_room(key)
        try:
            await self._turns.wait(key, writes=writes, patience=self._patience)
        except TimeoutError:
            if writes:
                raise StoreUnavailable(AGAIN, "other changes have kept their turns for too long") from None
            raise Overloaded from None

    def leave(self, key: Hashable, *, writes: bool) -> None:
        self._turns.give_back(key, writes=writes)

    def becomes_writer(self, key: Hashable) -> bool:
        return self._turns.becomes_writer(key)

    def _make_room(self, key: Hashable) -> None:
        """If no more may wait, refuse the newest waiting operation of the key that has the most of them."""
        if self._turns.waiting < self._may_wait:
            return
        longest = self._turns.longest_queue()
        if self._turns.waiting_of(key) >= self._turns.waiting_of(longest):
            raise Overloaded
        self._turns.refuse_newest(longest, Overloaded())


class AdmittedTurn:
    """One turn of an operation, from entering the block to leaving it; `waited` seconds long it was waited for."""

    __slots__ = ("_admission", "_is_held", "_key", "_writes", "waited")

    def __init__(self, admission: Admission, key: Hashable) -> None:
        self._admission = admission
        self._key = key
        self._writes = False
        self._is_held = False
        self.waited = 0.0

    async def write(self) -> None:
        """Turn it into a writer's turn, of which there are fewer. While it waits for one, it holds no turn."""
        self._writes = True
        if self._admission.becomes_writer(self._key):
            return
        self._is_held = False
        self._admission.leave(self._key, writes=False)
        await self._enter()

    async def __aenter__(self) -> Self:
        if self._admission.enter_free(self._key):
            self._is_held = True
        else:
            await self._enter()
        return self

    async def _enter(self) -> None:
        started = time.perf_counter()
        try:
            await self._admission.enter(self._key, writes=self._writes)
        finally:
            self.waited += time.perf_counter() - started
        self._is_held = True

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_held:
            self._admission.leave(self._key, writes=self._writes)
