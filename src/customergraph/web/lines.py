"""Lines of log that are written together, a few times a second, and when the server stops."""

import asyncio
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import orjson

from customergraph import logs
from customergraph.logs import LEVEL, TIMESTAMP, Format

# A crash loses the lines of this time at most.
FLUSH_SECONDS = 0.1


class Lines:
    """Writes lines to standard error, past Python's logging, which takes ten times as long."""

    def __init__(self, format_: Format) -> None:
        self._text: Callable[[dict[str, Any]], bytes] = _json if format_ is Format.JSON else _console(format_)
        self._lines: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, level: str, entries: Mapping[str, Any]) -> None:
        """Add a line."""
        self._lines.append(self._text({**entries, LEVEL: level, TIMESTAMP: datetime.now(UTC)}))
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


def _json(line: dict[str, Any]) -> bytes:
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z)


def _console(format_: Format) -> Callable[[dict[str, Any]], bytes]:
    render = logs.renderer(format_)

    def text(line: dict[str, Any]) -> bytes:
        told = {name: value for name, value in line.items() if value is not None}
        told[TIMESTAMP] = line[TIMESTAMP].isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return f"{render(None, '', told)}\n".encode()

    return text
