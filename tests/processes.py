"""Signals to processes that may end meanwhile, and the workers of a server."""

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def signal_all(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to each of these processes that has not ended."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def workers_of(pid: int) -> list[int]:
    """Return the process ids of the workers that a server has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    return [int(child) for child in children if b"spawn_main" in command_line(int(child))]


def command_line(pid: int) -> bytes:
    """Return the command line of a process; empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
