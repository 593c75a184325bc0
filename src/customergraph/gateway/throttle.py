"""Token buckets: how many objects a token may ask for, and how fast it may ask again.

Not a window of time, as libraries have: what is spent is refilled from the same moment on.
"""

import time
from dataclasses import dataclass
from typing import Protocol

from customergraph.errors import LimitExceeded, Throttled

# With fewer buckets than this, full ones are not looked for.
FEWEST_BUCKETS = 1_000


@dataclass(frozen=True, slots=True)
class Rate:
    """The size of a bucket, and how much of it comes back in a second."""

    capacity: int
    refill: int


class Buckets(Protocol):
    """The buckets of all tokens."""

    async def take(self, key: str, amount: int) -> tuple[bool, float | None]:
        """Take an amount out of a bucket that holds it; returns whether it was taken, and what is left, if known."""

    def give_back(self, key: str, amount: int) -> None:
        """Put an amount back into a bucket; nobody waits for it."""

    async def close(self) -> None: ...


@dataclass(slots=True)
class Charge:
    """The cost of an operation: the objects that it may return at most, and those that it returned."""

    requested: int = 0
    actual: int = 0
    # What is left in the bucket, where that is known.
    available: float | None = None


@dataclass(frozen=True, slots=True)
class BucketState:
    """A token's bucket, as its client sees it."""

    rate: Rate
    available: int


class Throttle:
    """Charges tokens for the requested cost, and refunds what was not returned."""

    def __init__(self, buckets: Buckets, rate: Rate) -> None:
        self._buckets = buckets
        self._rate = rate

    async def take(self, token_id: int, charge: Charge) -> None:
        """Take the requested cost out of the token's bucket.

        Raises Throttled when the bucket holds less, and LimitExceeded when no bucket ever holds so much.
        """
        if charge.requested > self._rate.capacity:
            raise LimitExceeded("BUCKET_SIZE", "objects that it may return", charge.requested, self._rate.capacity)
        taken, charge.available = await self._buckets.take(str(token_id), charge.requested)
        if not taken:
            left = charge.available or 0
            seconds = (charge.requested - left) / self._rate.refill
            raise Throttled(seconds, int(left), self._rate.capacity, self._rate.refill)

    def refund(self, token_id: int, charge: Charge) -> None:
        """Put back what was requested and not returned."""
        unused = charge.requested - charge.actual
        if unused > 0:
            self._buckets.give_back(str(token_id), unused)
            if charge.available is not None:
                charge.available = min(self._rate.capacity, charge.available + unused)

    async def state(self, token_id: int, charge: Charge) -> BucketState | None:
        """Return the state of the token's bucket after a charge; None where it is not known."""
        if charge.available is None:
            _, charge.available = await self._buckets.take(str(token_id), 0)
        return None if charge.available is None else BucketState(self._rate, int(charge.available))

    async def close(self) -> None:
        await self._buckets.close()


class MemoryBuckets:
    """The buckets of one process. A full bucket is removed, so there are at most twice as many as fill up meanwhile."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._levels: dict[str, tuple[float, float]] = {}
        self._most = FEWEST_BUCKETS

    def __len__(self) -> int:
        return len(self._levels)

    async def take(self, key: str, amount: int) -> tuple[bool, float]:
        return self._take(key, amount)

    def give_back(self, key: str, amount: int) -> None:
        self._take(key, -amount)

    def _take(self, key: str, amount: int) -> tuple[bool, float]:
        now = time.monotonic()
        level, at = self._levels.get(key, (self._rate.capacity, now))
        level = min(self._rate.capacity, level + (now - at) * self._rate.refill)
        taken = amount <= level
        if taken:
            level = min(self._rate.capacity, level - amount)
        self._levels[key] = level, now
        if level >= self._rate.capacity:
            del self._levels[key]
        elif len(self) > self._most:
            self._forget_full(now)
        return taken, level

    def _forget_full(self, now: float) -> None:
        capacity, refill = self._rate.capacity, self._rate.refill
        levels = self._levels.items()
        self._levels = {key: (level, at) for key, (level, at) in levels if level + (now - at) * refill < capacity}
        self._most = max(FEWEST_BUCKETS, 2 * len(self))

    async def close(self) -> None:
        self._levels.clear()
