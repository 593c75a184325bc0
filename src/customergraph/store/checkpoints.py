"""The write-ahead log of the embedded store, in which overwritten and deleted rows would stay."""

import asyncio
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

PAUSE_SECONDS = 1
# A checkpoint that waits for readers makes writers wait, so it waits only this long.
BUSY_SECONDS = 0.05
CLOSING_BUSY_SECONDS = 1


class Checkpoints:
    """Empties the log after rows were overwritten or deleted, at most once a second.

    It uses a separate connection and thread, so that no request waits for it. It tries again for as
    long as readers prevent it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._requests = 0
        self._served = 0
        self._task: asyncio.Task[None] | None = None

    def request(self) -> None:
        """Have the log emptied at once, or a second after the last time."""
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
        """Empty the log a last time, if a request has not been served yet."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        if self._served < self._requests:
            await self._serve(CLOSING_BUSY_SECONDS)


def _empty_log(path: Path, busy_seconds: float) -> bool:
    """Write the log into the database and truncate it; returns False when readers or writers prevented it."""
    # mode=rw: SQLite does not create a file that was removed.
    address = f"{path.absolute().as_uri()}?mode=rw"
    with suppress(sqlite3.Error), closing(sqlite3.connect(address, uri=True, timeout=busy_seconds)) as connection:
        is_busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not is_busy
    return False
