"""What one operation uses of the store: its statements, their rows, and the time that they take."""

import time
from collections.abc import Callable

# SQL without values, or what makes it when it is needed.
Text = str | Callable[[], str]


class Usage:
    """Counts what one operation uses of the store. Times are in seconds of `time.perf_counter`.

    `seconds` is spent with connections and statements, `waited` on others who hold the connections.
    """

    __slots__ = ("_longest", "longest_seconds", "rows", "seconds", "statements", "waited")

    def __init__(self) -> None:
        self.statements = 0
        self.rows = 0
        self.seconds = 0.0
        self.waited = 0.0
        self.longest_seconds = 0.0
        self._longest: Text = ""

    @property
    def longest(self) -> str:
        """The statement that took longest, as SQL without values; empty where none was run."""
        return self._longest if isinstance(self._longest, str) else self._longest()

    def ran(self, sql: Text, started: float) -> None:
        """Count a statement that was started at this time and ends now, whatever came of it."""
        self.statements += 1
        seconds = time.perf_counter() - started
        if seconds > self.longest_seconds:
            self.longest_seconds = seconds
            self._longest = sql

    def add(self, other: "Usage") -> None:
        """Count what another operation has used."""
        self.statements += other.statements
        self.rows += other.rows
        self.seconds += other.seconds
        self.waited += other.waited
        if other.longest_seconds > self.longest_seconds:
            self.longest_seconds = other.longest_seconds
            self._longest = other._longest  # noqa: SLF001 - its own kind

    def batched(self, size: int, started: float) -> None:
        """Take notice of so many batches that were read together, and end now; only a trace tells of them."""
