"""The write-ahead log of the embedded store, in which overwritten and deleted rows would stay."""

import asyncio
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

PAUSE_SECONDS = 1
# Writers wait for a checkpoint that waits for readers.
BUSY_SECONDS = 0.05
CLOSING_BUSY_SECONDS = 1


class Checkpoints:
    """Empties the log after rows were overwritten or deleted, at most once a second.

    It has a connection and a thread of its own, so that no request waits for it. While readers keep
    it from emptying the log, it tries again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._requests = 0
        self._served = 0
        self._task: asyncio.Task[None] | None = None

    def request(self) -> None:
        """Have the log emptied: at once, or at the end of the second that the last time began."""
        self._requests += 1
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        while self._served < self._requests:
            await self._serve(BUSY_SECONDS)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _serve(self, busy_seconds: float) -> None:
        requests = self._requests
        if await asyncio.to_thread(_empty_log, self._path, busy_seconds):
            self._served = requests

    async def close(self) -> None:
        """Empty the log a last time, where that was requested and is not done."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        if self._served < self._requests:
            await self._serve(CLOSING_BUSY_SECONDS)


def _empty_log(path: Path, busy_seconds: float) -> bool:
    """Write the log into the database and truncate it; tells whether readers and writers let it."""
    # A file that is gone is not made again.
    address = f"{path.absolute().as_uri()}?mode=rw"
    with suppress(sqlite3.Error), closing(sqlite3.connect(address, uri=True, timeout=busy_seconds)) as connection:
        is_busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not is_busy
    return False
