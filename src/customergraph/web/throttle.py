"""Token buckets: how many objects a token may ask for, and how fast it may ask again.

Not a window of time, as libraries have: what is spent is refilled from the same moment on.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import redis.asyncio
import structlog
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from customergraph.errors import LimitExceeded, Throttled

_log = structlog.get_logger()

# As long as there are no more buckets, none is looked for that is full again.
FEWEST_BUCKETS = 1_000

# Both numbers of a bucket and the clock are Redis's own, so that workers need not agree on the time.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local capacity, refill, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local bucket = redis.call('HMGET', KEYS[1], 'level', 'at')
local level = tonumber(bucket[1]) or capacity
level = math.min(capacity, level + (now - (tonumber(bucket[2]) or now)) * refill)
local taken = 0
if wanted <= level then
  level = math.min(capacity, level - wanted)
  taken = 1
end
redis.call('HSET', KEYS[1], 'level', tostring(level), 'at', tostring(now))
redis.call('PEXPIRE', KEYS[1], math.ceil(capacity / refill * 1000) + 1000)
return {taken, tostring(level)}
"""


@dataclass(frozen=True, slots=True)
class Rate:
    """The size of a bucket, and how much of it comes back in a second."""

    capacity: int
    refill: int


class Buckets(Protocol):
    """The buckets of all tokens."""

    async def take(self, key: str, amount: int) -> tuple[bool, float]:
        """Take an amount out of a bucket, if it is there; tells whether it was, and what is left."""

    async def close(self) -> None: ...


@dataclass(slots=True)
class Charge:
    """The cost of an operation: the objects that it may return at most, and those that it returned."""

    requested: int = 0
    actual: int = 0


class Throttle:
    """Charges tokens for what they ask for, and gives back what they did not get."""

    def __init__(self, buckets: Buckets, rate: Rate) -> None:
        self._buckets = buckets
        self._rate = rate

    @asynccontextmanager
    async def charged(self, token_id: int, charge: Charge) -> AsyncIterator[None]:
        """Take the requested cost out of the token's bucket, and at the end put back what was not returned.

        Raises Throttled when the bucket holds less, and LimitExceeded when no bucket ever holds so much.
        """
        if charge.requested > self._rate.capacity:
            raise LimitExceeded("BUCKET_SIZE", "objects that it may return", charge.requested, self._rate.capacity)
        taken, left = await self._buckets.take(str(token_id), charge.requested)
        if not taken:
            seconds = (charge.requested - left) / self._rate.refill
            raise Throttled(seconds, int(left), self._rate.capacity, self._rate.refill)
        try:
            yield
        finally:
            unused = charge.requested - charge.actual
            if unused > 0:
                await self._buckets.take(str(token_id), -unused)

    async def close(self) -> None:
        await self._buckets.close()


class MemoryBuckets:
    """Buckets of one process. Full ones are not kept: at most twice as many as were used while one fills."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._levels: dict[str, tuple[float, float]] = {}
        self._most = FEWEST_BUCKETS

    def __len__(self) -> int:
        return len(self._levels)

    async def take(self, key: str, amount: int) -> tuple[bool, float]:
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


class RedisBuckets:
    """Buckets that several workers and machines share."""

    def __init__(self, url: str, rate: Rate) -> None:
        self._rate = rate
        # A request does not wait for a Redis that is away.
        at_once = Retry(NoBackoff(), 1)
        self._redis = redis.asyncio.from_url(url, socket_timeout=1, socket_connect_timeout=1, retry=at_once)
        self._take: Any = self._redis.register_script(_TAKE)

    async def take(self, key: str, amount: int) -> tuple[bool, float]:
        try:
            taken, level = await self._take(
                keys=[f"customergraph:bucket:{key}"], args=[self._rate.capacity, self._rate.refill, amount]
            )
        except RedisError as error:
            # Who asks is known and the store is well: it is answered, and the operator is told.
            _log.warning("buckets_unavailable", reason=type(error).__name__)
            return True, self._rate.capacity
        return bool(taken), float(level)

    async def close(self) -> None:
        await self._redis.aclose()
