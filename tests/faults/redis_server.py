"""A real Redis without persistence, which tests stop, halt and slow down."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import pytest

from commands.command import until


class RedisServer:
    """A Redis server; entering the block starts it."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port = port
        self.url = f"redis://127.0.0.1:{port}/0"
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        program = shutil.which("redis-server")
        if program is None:
            pytest.skip("no redis-server is installed (Debian's package redis-server is one)")
        command = [program, "--port", str(self.port), "--save", "", "--appendonly", "no", "--dir", str(self._folder)]
        self._process = process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        until(lambda: "Ready to accept connections" in str(process.stdout and process.stdout.readline()), "Redis")
        return self

    def __exit__(self, *_error: object) -> None:
        assert self._process
        self._process.kill()
        self._process.communicate(timeout=10)

    @contextmanager
    def halted(self) -> Iterator[None]:
        """Suspend Redis: it neither answers nor closes connections."""
        assert self._process
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)

    def command(self, *words: str) -> None:
        """Send a command."""
        program = str(shutil.which("redis-cli"))
        subprocess.run([program, "-p", str(self.port), *words], stdout=subprocess.DEVNULL, check=True)
