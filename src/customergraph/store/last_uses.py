"""The time of each token's last use: written in the background, at most once a minute."""

import asyncio
import time
from contextlib import suppress

import structlog

from customergraph.store import access
from customergraph.store.access import USE_RECORDED_EVERY
from customergraph.store.database import Database

# The time limit of one attempt, and the pauses before the attempts. When all fail, the next use begins again.
ATTEMPT_SECONDS = 1
PAUSES_SECONDS = (0, 0.2, 0.5, 1, 2, 4)

_log = structlog.get_logger()


class LastUses:
    """Writes the uses of tokens, one after another."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._started_at: dict[int, float] = {}
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def record(self, token_id: int) -> None:
        """Write the use of a token soon, unless that was begun within the last minute."""
        now = time.monotonic()
        oldest = now - USE_RECORDED_EVERY.total_seconds()
        if self._started_at.get(token_id, oldest) > oldest:
            return
        self._started_at = {id_: at for id_, at in self._started_at.items() if at > oldest}
        self._started_at[token_id] = now
        task = asyncio.create_task(self._record(token_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _record(self, token_id: int) -> None:
        try:
            for pause in PAUSES_SECONDS:
                await asyncio.sleep(pause)
                if await self._attempt(token_id):
                    return
        except Exception:  # noqa: BLE001 - nobody waits for it
            _log.exception("token_use_not_recorded", token_id=token_id)
        self._started_at.pop(token_id, None)

    async def _attempt(self, token_id: int) -> bool:
        """Try to write a use; returns whether it was written."""
        async with self._turn:
            with suppress(TimeoutError):
                async with asyncio.timeout(ATTEMPT_SECONDS):
                    return await access.record_use(self._database, token_id)
        return False

    async def close(self) -> None:
        """Drop what is not written yet."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
