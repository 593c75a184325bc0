"""Servers that are told to stop: what was sent is answered, and the port is free at once."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

import httpx
import pytest

from commands.command import PATIENCE_SECONDS, Command
from conftest import free_port
from factories import Tenant
from faults.expectations import SLACK_SECONDS
from faults.sessions import Session, locked
from mutations import on_customer
from processes import command_line, signal_all, workers_of
from raw_http import PROJECT, SLUG, connect, head, read_answer

pytestmark = pytest.mark.slow

ARCHIVE = on_customer("archiveCustomer")
GRACE_SECONDS = 10
CONNECTIONS = 16
# How long several processes may take to import what they need, on a machine that does other things besides.
START_SECONDS = 120


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
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.05)


MakeServed = Callable[..., Served]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[MakeServed]:
    """Serves a store with so many workers, as a process."""
    made: list[Served] = []

    def start(store_url: str, workers: int, port: int | None = None) -> Served:
        command, port = Command(tmp_path, store_url), port or free_port()
        process = command.start("serve", "--port", port, "--workers", workers)
        slug = f"acme-{len(made)}" if made else "acme"
        made.append(Served(command, process, Tenant(f"http://127.0.0.1:{port}", store_url, slug)))
        until(made[-1].lives, "it serves")
        until(lambda: command.stderr().count("startup complete") >= workers, "all workers serve")
        return made[-1]

    yield start
    for served in made:
        served.tenant.close()
        served.command.stop()


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


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("is_group", [False, True], ids=["the parent alone", "every process"])
def test_busy_connections_are_answered_while_it_stops(
    start: MakeServed,
    sqlite_url: str,
    workers: int,
    is_group: bool,  # noqa: FBT001
) -> None:
    served = start(sqlite_url, workers)
    load = Load(served)

    with clients_of(load, CONNECTIONS):
        until(lambda: load.answer_count > 10 * CONNECTIONS, "all clients are busy")
        if is_group:
            signal_all(served.workers(), signal.SIGTERM)
        code = served.signal(signal.SIGTERM)

    assert load.cut == []
    assert code == 0
    assert "Traceback" not in served.command.stderr()


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_exit_code_0_while_clients_hold_idle_connections(
    start: MakeServed, sqlite_url: str, workers: int, number: signal.Signals
) -> None:
    served = start(sqlite_url, workers)

    with connect(served.url) as unused, connect(served.url) as used:
        used.sendall(head(served.authorization) + PROJECT)
        assert read_answer(used).json["data"] == SLUG
        started = time.monotonic()
        code = served.signal(number)
        assert (unused.recv(1), used.recv(1)) == (b"", b"")

    assert code == 0
    assert time.monotonic() - started < 2 + SLACK_SECONDS


def send_mutation(served: Served, connection: socket.socket, id_: int) -> None:
    body = json.dumps({"query": ARCHIVE, "variables": {"id": id_}}).encode()
    connection.sendall(head(served.authorization, length=len(body)) + body)


def send_mutations(served: Served, connections: list[socket.socket], ids: list[int]) -> None:
    for connection, id_ in zip(connections, ids, strict=True):
        send_mutation(served, connection, id_)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_answer_of_an_operation_under_way_is_sent_whole(start: MakeServed, sqlite_url: str, workers: int) -> None:
    served = start(sqlite_url, workers)
    id_ = served.tenant.add_customer()

    with ThreadPoolExecutor(1) as pool, connect(served.url) as busy:
        with locked(sqlite_url):
            send_mutation(served, busy, id_)
            time.sleep(0.5)
            ended = pool.submit(served.signal, signal.SIGTERM)
            time.sleep(1.5)
            assert not ended.done()
        answer = read_answer(busy)
        assert ended.result() == 0

    assert answer.json["data"]["archiveCustomer"]["userErrors"] == []
    assert answer.headers["connection"] == "close"


def test_an_idle_connection_is_good_for_one_request_more_while_another_is_answered(
    start: MakeServed, sqlite_url: str
) -> None:
    served = start(sqlite_url, 1)
    id_ = served.tenant.add_customer()

    with ThreadPoolExecutor(1) as pool, connect(served.url) as busy, connect(served.url) as idle:
        with locked(sqlite_url):
            send_mutation(served, busy, id_)
            time.sleep(0.5)
            ended = pool.submit(served.signal, signal.SIGTERM)
            time.sleep(1.5)
            idle.sendall(head(served.authorization) + PROJECT)
            late = read_answer(idle)
        answer = read_answer(busy)
        assert ended.result() == 0

    assert (late.json["data"], late.headers["connection"]) == (SLUG, "close")
    assert answer.status == 200


@pytest.mark.parametrize("workers", [1, 2])
def test_mutations_that_wait_for_a_lock_when_the_time_is_over_are_told_that_nothing_was_done(
    start: MakeServed, postgresql_url: str, workers: int
) -> None:
    served = start(postgresql_url, workers)
    ids = [served.tenant.add_customer() for _ in range(4)]

    with Session(postgresql_url) as somebody, ThreadPoolExecutor(5) as pool, ExitStack() as stack:
        with somebody.transaction("SELECT FROM customer FOR UPDATE"):
            connections = [stack.enter_context(connect(served.url)) for _ in ids]
            # They would wait until after the grace.
            ended_at, ended = time.monotonic(), pool.submit(served.signal, signal.SIGTERM)
            send_mutations(served, connections, ids)
            errors = [answer.json["errors"] for answer in pool.map(read_answer, connections)]
            stack.close()
            assert ended.result() == 0
        rows = somebody.value("SELECT count(archived_at) FROM customer")

    assert time.monotonic() - ended_at < GRACE_SECONDS + 2 * SLACK_SECONDS
    assert [[error["extensions"]["code"] for error in answer] for answer in errors] == [["STORE_UNAVAILABLE"]] * 4
    assert all("Try again" in answer[0]["message"] for answer in errors)
    assert rows == 0


def test_workers_whose_parent_is_killed_stop_and_free_the_port(start: MakeServed, sqlite_url: str) -> None:
    served = start(sqlite_url, 2)
    workers = served.workers()
    assert len(workers) == 2

    served.process.kill()
    served.process.wait(PATIENCE_SECONDS)
    killed_at = time.monotonic()
    until(lambda: not any(map(command_line, workers)), "the workers have ended")

    assert time.monotonic() - killed_at < 2 + SLACK_SECONDS
    assert start(sqlite_url, 1, int(served.url.rpartition(":")[2])).lives()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_that_ends_is_replaced(start: MakeServed, sqlite_url: str, number: signal.Signals) -> None:
    served = start(sqlite_url, 2)
    first, second = served.workers()

    os.kill(first, number)

    until(lambda: served.command.stderr().count("startup complete") == 3, "another worker serves")
    assert second in served.workers()
    assert first not in served.workers()
    assert served.lives()
    assert served.signal(signal.SIGTERM) == 0


def test_sighup_replaces_each_worker_and_cuts_nobody_off(start: MakeServed, sqlite_url: str) -> None:
    served = start(sqlite_url, 2)
    before = served.workers()
    load = Load(served)

    with clients_of(load, 4):
        served.process.send_signal(signal.SIGHUP)
        until(lambda: len(served.workers()) == 2 and not {*before} & {*served.workers()}, "new workers serve")

    assert (load.cut, served.lives()) == ([], True)
    assert load.answer_count > 0
