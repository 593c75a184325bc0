"""What stands around a gateway in these tests: others' transactions, and a wire that can be cut."""

import asyncio
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from threading import Lock, Thread
from typing import Any, Self

import asyncpg
from sqlalchemy.engine import make_url

import stores
from commands.command import until
from customergraph.store.database import embedded_path
from customergraph.store.failures import MESSAGES
from factories import Tenant
from graphql_client import GraphQLClient

COUNT = "{ customers { totalCount } }"
PROMISED_SECONDS = 5
# What `extensions.done` says beside each message.
DONE = {message: done for done, message in MESSAGES.items()}
# What a machine that does other things besides may add to a time that is promised otherwise.
SLACK_SECONDS = 2


def unavailable(client: GraphQLClient, query: str, *, within: float = PROMISED_SECONDS, **variables: Any) -> str:
    """Send an operation that must find the store unavailable, in time; returns all that the error says."""
    started = time.monotonic()
    error = client.error(query, **variables)
    assert time.monotonic() - started < within
    assert error["extensions"] == {"code": "STORE_UNAVAILABLE", "done": DONE[error["message"]]}, error
    assert set(error) <= {"message", "extensions", "path", "locations"}
    message: str = error["message"]
    return message


def on_port(url: str, port: int) -> str:
    """Return the URL of the same store behind another port."""
    return make_url(url).set(port=port).render_as_string(hide_password=False)


def seconds_until(condition: Callable[[], bool]) -> float:
    """Wait for something to become true; returns how long that took."""
    started = time.monotonic()
    until(condition, "what was promised")
    return time.monotonic() - started


def noted(tenant: Tenant) -> None:
    """Use a tenant's token, and wait until that is written: the next minute's requests write nothing on the side."""
    tenant.client.data(COUNT)
    unnoted = "SELECT count(*) FROM token WHERE last_used_at IS NULL"
    until(lambda: stores.rows(tenant.database_url, unnoted) == [(0,)], "the use is noted")


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
    """A session of somebody else on a PostgreSQL store, that keeps what it locked until told otherwise."""

    def __init__(self, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._connection: Any = self._loop.run_until_complete(asyncpg.connect(url.replace("+asyncpg", "")))

    def run(self, sql: str) -> None:
        self._loop.run_until_complete(self._connection.execute(sql))

    def value(self, sql: str) -> Any:
        return self._loop.run_until_complete(self._connection.fetchval(sql))

    @contextmanager
    def transaction(self, *statements: str) -> Iterator[Self]:
        """Begin, with some statements; commits at the end of the block."""
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


class Wire:
    """Carries connections to a server, and keeps what clients sent; a word of theirs can cut it.

    `cut_at` is that word. The message with it is `delivered`, and answered, or is lost; in both
    cases the client hears nothing more, on any connection, until the wire is `mended`.
    """

    def __init__(self, port: int) -> None:
        self._to = ("127.0.0.1", port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._open: list[socket.socket] = []
        self._changing = Lock()
        self._word = b""
        self._delivered = False
        self._is_cut = False
        self.sent = b""
        Thread(target=self._accept, daemon=True).start()

    def cut_at(self, word: str, *, delivered: bool) -> None:
        self._word, self._delivered = word.encode(), delivered

    def mended(self) -> None:
        self._word, self._is_cut = b"", False

    def cut(self) -> None:
        """End every connection, and refuse new ones."""
        with self._changing:
            self._is_cut = True
            for end in self._open:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            self._open.clear()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            if self._is_cut:
                client.close()
                continue
            server = socket.create_connection(self._to)
            with self._changing:
                self._open += (client, server)
            Thread(target=self._carry_asked, args=(client, server), daemon=True).start()
            Thread(target=self._carry_answers, args=(server, client), daemon=True).start()

    def _carry_asked(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError), client:
            while message := client.recv(65536):
                self.sent += message
                if self._word and self._word in message:
                    self._cut_with(message, server)
                    return
                server.sendall(message)
            server.shutdown(socket.SHUT_WR)

    def _cut_with(self, message: bytes, server: socket.socket) -> None:
        self._is_cut = True
        if self._delivered:
            server.sendall(message)
            server.settimeout(PROMISED_SECONDS)
            # The other direction carries the answer no further.
        else:
            self.cut()

    def _carry_answers(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError), server:
            while message := server.recv(65536):
                if self._is_cut:
                    self.cut()
                    return
                client.sendall(message)
            client.shutdown(socket.SHUT_WR)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.cut()
        self._listening.close()
