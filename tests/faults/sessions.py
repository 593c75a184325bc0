"""Other programs that lock rows of the store under test."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Self

import asyncpg

from commands.command import until
from customergraph.store.database import embedded_path


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Keep others from changing any customer; on SQLite, from changing anything."""
    path = embedded_path(url)
    if path is None:
        with Session(url) as session, session.transaction("SELECT FROM customer FOR UPDATE"):
            yield
    else:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("COMMIT")


class Session:
    """Another program's session on a PostgreSQL store."""

    def __init__(self, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._connection: Any = self._loop.run_until_complete(asyncpg.connect(url.replace("+asyncpg", "")))

    def run(self, sql: str) -> None:
        self._loop.run_until_complete(self._connection.execute(sql))

    def value(self, sql: str) -> Any:
        return self._loop.run_until_complete(self._connection.fetchval(sql))

    @contextmanager
    def transaction(self, *statements: str) -> Iterator[Self]:
        """Begin a transaction and run statements in it; commits at the end of the block."""
        self.run("; ".join(("BEGIN", *statements)))
        yield self
        self.run("COMMIT")

    def connected(self) -> int:
        """Count the store's other sessions."""
        return self._others("true")

    def waiting(self) -> int:
        """Count the store's sessions that wait for a lock."""
        return self._others("wait_event_type = 'Lock'")

    def running(self) -> int:
        """Count the store's other sessions that run a statement or hold a transaction."""
        return self._others("state <> 'idle'")

    def _others(self, condition: str) -> int:
        # A transaction would see the same activity again and again.
        self.run("SELECT pg_stat_clear_snapshot()")
        return int(self.value(f"{_ACTIVITY} AND {condition}"))

    def until_waiting(self, sessions: int = 1) -> None:
        until(lambda: self.waiting() == sessions, f"{sessions} of the gateway's sessions wait for a lock")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._connection.terminate()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()


_ACTIVITY = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)
