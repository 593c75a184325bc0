"""Buckets in a Redis, which several workers and machines share.

A request waits only a moment for Redis. A Redis that does not answer in this time counts as away. While it is away,
operations are not charged, and a background task tries again until Redis answers.
"""

import asyncio
from contextlib import suppress
from contextvars import Context
from functools import partial
from typing import Any

import redis.asyncio
import structlog
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from customergraph.gateway.throttle import Rate

# The longest wait of a request, and the time limit of a command, which includes making the connection. A command
# goes on after its request has stopped waiting.
PATIENCE_SECONDS = 0.03
COMMAND_SECONDS = 1
PROBE_EVERY_SECONDS = 0.2
PROBE_KEY = "probe"
# After its wait, a request lets the event loop turn this often: if the loop was busy, the answer may be there already.
LOOP_TURNS = 40

_log = structlog.get_logger()

# Both numbers of a bucket and the clock are Redis's own, so that workers need not agree on the time.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local capacity, refill, amount = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local bucket = redis.call('HMGET', KEYS[1], 'level', 'at')
local level = tonumber(bucket[1]) or capacity
level = math.min(capacity, level + (now - (tonumber(bucket[2]) or now)) * refill)
local taken = 0
if amount <= level then
  level = math.min(capacity, level - amount)
  taken = 1
end
redis.call('HSET', KEYS[1], 'level', tostring(level), 'at', tostring(now))
redis.call('PEXPIRE', KEYS[1], math.ceil(capacity / refill * 1000) + 1000)
return {taken, tostring(level)}
"""

Level = tuple[bool, float]
Command = asyncio.Task[Level]


class RedisBuckets:
    """Buckets that several workers and machines share."""

    def __init__(self, url: str, rate: Rate) -> None:
        self._rate = rate
        # One retry, since Redis may have closed the connection while it was idle.
        self._redis = redis.asyncio.from_url(url, retry=Retry(NoBackoff(), 1))
        self._script: Any = self._redis.register_script(_TAKE)
        self._commands: set[Command] = set()
        # Runs while Redis is away.
        self._probe: asyncio.Task[None] | None = None

    async def take(self, key: str, amount: int) -> tuple[bool, float | None]:
        if self._probe is None:
            command = self._begin(key, amount)
            if not await _ended(command):
                self._notice_away(f"no answer in {PATIENCE_SECONDS} s")
            elif not command.exception():
                return command.result()
        return True, None

    def give_back(self, key: str, amount: int) -> None:
        if self._probe is None:
            self._begin(key, -amount)

    def _begin(self, key: str, amount: int) -> Command:
        """Begin a command. It ends even if nobody waits for it, so that its connection can be used again."""
        command = asyncio.ensure_future(self._run(key, amount))
        self._commands.add(command)
        command.add_done_callback(partial(self._end, was_away=self._probe is not None))
        return command

    async def _run(self, key: str, amount: int) -> Level:
        async with asyncio.timeout(COMMAND_SECONDS):
            keys, arguments = [f"customergraph:bucket:{key}"], [self._rate.capacity, self._rate.refill, amount]
            taken, level = await self._script(keys=keys, args=arguments)
        return bool(taken), float(level)

    def _end(self, command: Command, *, was_away: bool) -> None:
        self._commands.discard(command)
        error = None if command.cancelled() else command.exception()
        if error and not was_away:
            self._notice_away(f"{type(error).__name__}: {error}")

    def _notice_away(self, reason: str) -> None:
        if self._probe is None:
            _log.warning("redis_away", reason=reason)
            # A new context, without the id of the request that noticed it.
            self._probe = asyncio.get_running_loop().create_task(self._until_back(), context=Context())

    async def _until_back(self) -> None:
        # Earlier commands end first. Otherwise their failures would look like new ones.
        while self._commands or not await self._answers():  # noqa: ASYNC110 - Redis does not say when it is back
            await asyncio.sleep(PROBE_EVERY_SECONDS)
        self._probe = None
        _log.info("redis_back")

    async def _answers(self) -> bool:
        """Return whether Redis answers a request's command in the time that a request waits."""
        command = self._begin(PROBE_KEY, 0)
        in_time = await _ended(command)
        await asyncio.wait({command})
        return in_time and not command.exception()

    async def close(self) -> None:
        tasks = [*self._commands, *([self._probe] if self._probe else ())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(RedisError, OSError):
            async with asyncio.timeout(COMMAND_SECONDS):
                await self._redis.aclose()


async def _ended(command: Command) -> bool:
    """Wait for a command as long as a request may; returns whether it has ended."""
    await asyncio.wait({command}, timeout=PATIENCE_SECONDS)
    for _ in range(LOOP_TURNS):
        if command.done():
            break
        await asyncio.sleep(0)
    return command.done()
