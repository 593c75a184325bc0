"""The command `serve` as a process, and clients that send it requests without pause."""

import json
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread

import httpx

from commands import command
from commands.command import PATIENCE_SECONDS, START_SECONDS, Command
from factories import Tenant
from faults.expectations import SLACK_SECONDS
from mutations import on_customer
from processes import workers_of
from raw_http import PROJECT, SLUG, connect, head, read_answer

ARCHIVE = on_customer("archiveCustomer")
GRACE_SECONDS = 10


@dataclass
class Served:
    """The command `serve` as a process, and a project of its store."""

    command: Command
    process: subprocess.Popen[str]
    tenant: Tenant

    @property
    def url(self) -> str:
        return self.tenant.base_url

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def authorization(self) -> str:
        return self.tenant.client.http.headers["authorization"]

    def workers(self) -> list[int]:
        """Return the process ids of the workers that serve."""
        return workers_of(self.process.pid)

    def signal(self, number: signal.Signals) -> int:
        """Send a signal, and wait for the end; returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(GRACE_SECONDS + 2 * SLACK_SECONDS + 4)

    def lives(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for what has to do with the start of processes."""
    command.until(condition, what, START_SECONDS)


@dataclass
class Load:
    """Clients that send one request after another, on kept connections and on fresh ones, until they are refused."""

    served: Served
    answer_count: int = 0
    cut: list[str] = field(default_factory=list)
    stopped: Event = field(default_factory=Event)

    def keep(self) -> None:
        """Send on one connection, until an answer says that it is the last."""
        self._send("Connection: keep-alive", "kept")

    def renew(self) -> None:
        """Send each request on a connection of its own."""
        self._send("Connection: close", "fresh")

    def _send(self, line: str, kind: str) -> None:
        while not self.stopped.is_set():
            try:
                connection = connect(self.served.url)
            except OSError:
                return
            with connection:
                while self._exchange(connection, line, kind):
                    pass

    def _exchange(self, connection: socket.socket, line: str, kind: str) -> bool:
        """Send a request; returns whether another may follow."""
        try:
            connection.sendall(head(self.served.authorization, line) + PROJECT)
        except OSError:
            return False  # Closed before the request was sent.
        try:
            answer = read_answer(connection)
            assert answer.json["data"] == SLUG
        except Exception as error:  # noqa: BLE001 - whatever it is, the request has no answer
            self.cut.append(f"{kind}: {error!r}")
            return False
        self.answer_count += 1
        return answer.headers.get("connection") != "close" and not self.stopped.is_set()


@contextmanager
def clients_of(load: Load, count: int) -> Iterator[None]:
    """Let clients send their requests until the end of the context."""
    clients = [Thread(target=(load.keep, load.renew)[number % 2]) for number in range(count)]
    for client in clients:
        client.start()
    yield
    load.stopped.set()
    for client in clients:
        client.join(PATIENCE_SECONDS)


def send_mutation(served: Served, connection: socket.socket, id_: int) -> None:
    body = json.dumps({"query": ARCHIVE, "variables": {"id": id_}}).encode()
    connection.sendall(head(served.authorization, length=len(body)) + body)
