"""A real PgBouncer in transaction mode, before the tests' PostgreSQL server."""

import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

from commands.command import until

PROGRAM = Path("/usr/sbin/pgbouncer")
MISSING = f"PgBouncer is not installed: {PROGRAM} (apt-get install pgbouncer)"
POOL_SIZE = 2

_SETTINGS = """
[databases]
* = host=127.0.0.1 port={postgresql}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = {pool_size}
"""


def variants() -> list[dict[str, int]]:
    """Return the settings to test: the defaults, and from version 1.21 on without support of prepared statements."""
    return [{}, {"max_prepared_statements": 0}] if PROGRAM.exists() and _version() >= (1, 21) else [{}]


def _version() -> tuple[int, int]:
    printed = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"PgBouncer (\d+)\.(\d+)", printed)
    assert version, printed
    return int(version[1]), int(version[2])


class PgBouncer:
    """Shares two connections to a PostgreSQL server among all clients, a transaction at a time."""

    def __init__(self, postgresql: int, port: int, settings: Mapping[str, int]) -> None:
        self.port = port
        self._folder = Path(tempfile.mkdtemp(prefix="customergraph-pgbouncer-"))
        self._folder.chmod(0o755)
        (self._folder / "users").write_text('"postgres" ""\n')
        common = _SETTINGS.format(postgresql=postgresql, port=port, folder=self._folder, pool_size=POOL_SIZE)
        more = "".join(f"{name} = {value}\n" for name, value in settings.items())
        (self._folder / "settings.ini").write_text(common + more)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [PROGRAM, "--quiet", self._folder / "settings.ini"],
            # PgBouncer does not run as root.
            user="nobody" if os.geteuid() == 0 else None,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(self._accepts, "PgBouncer accepts connections")

    def stop(self) -> None:
        """Stop as in a crash: connections are cut at once."""
        assert self._process
        self._process.kill()
        self._process.wait()

    def _accepts(self) -> bool:
        assert self._process
        assert self._process.poll() is None, "PgBouncer did not start"
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
            return True
        return False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()
        shutil.rmtree(self._folder)
