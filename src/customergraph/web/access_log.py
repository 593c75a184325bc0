"""A line of log for each request. Lines are written together, a few times a second, and when the server stops."""

import asyncio
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import orjson

from customergraph.logs import LEVEL, LOGGER, TIMESTAMP

# A crash loses the lines of this time at most.
FLUSH_SECONDS = 0.1


class AccessLog:
    """Writes what was requested, and how it was answered, but no query: it may hold customers' contacts."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, scope: Any, status: int, request_id: str, started: float) -> None:
        """Add the line of one request, which began at this time of `time.perf_counter`."""
        client = scope.get("client")
        self._lines.append(
            orjson.dumps(
                {
                    "event": "request",
                    "method": scope["method"],
                    # As it was sent: percent-encoded, it can break no line.
                    "path": scope["raw_path"].decode("ascii", "backslashreplace"),
                    "status": status,
                    "milliseconds": round((time.perf_counter() - started) * 1000, 2),
                    "client": f"{client[0]}:{client[1]}" if client else None,
                    "request_id": request_id,
                    LEVEL: "info",
                    LOGGER: "customergraph.access",
                    TIMESTAMP: datetime.now(UTC),
                },
                option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z,
            )
        )
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)

    def flush(self) -> None:
        """Write the lines that were added."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lines, self._lines = self._lines, []
        if lines:
            # Where nobody can write, there is nobody to tell.
            with suppress(OSError, ValueError):
                sys.stderr.write(b"".join(lines).decode())
                sys.stderr.flush()
