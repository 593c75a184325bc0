"""A worker that is replaced, and a gateway that is restarted: no request is lost, and no acknowledged change."""

import os
import pty
import signal
import socket
import subprocess
import time
from collections.abc import Iterator

import httpx
import pytest

from commands.command import PATIENCE_SECONDS, Command
from commands.conftest import MakeServed
from commands.load import Load, Served, clients_of, until
from conftest import free_port
from faults.ledger import WRITERS, ledger_while
from raw_http import PROJECT, SLUG, connect, head, read_answer

pytestmark = pytest.mark.slow

CLIENTS = 8
TIMES = 3
BUCKET = {"CUSTOMERGRAPH_BUCKET_SIZE": "100000000"}


@pytest.fixture
def kept() -> Iterator[socket.socket]:
    """A socket that is open all the time, as systemd keeps one for a socket unit."""
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as own:
        yield own


def replace_worker(served: Served) -> None:
    before = served.workers()
    served.process.send_signal(signal.SIGHUP)
    until(lambda: len(served.workers()) == 1 and served.workers() != before, "another worker serves alone")


def go_on(load: Load) -> None:
    """Wait until more requests are answered."""
    count = load.answer_count
    until(lambda: load.answer_count > count + 10 * CLIENTS, "clients are answered")


def test_sighup_replaces_a_single_worker_and_cuts_nobody_off(start: MakeServed, sqlite_url: str) -> None:
    served = start(sqlite_url, 1)
    load = Load(served)

    with clients_of(load, CLIENTS):
        for _ in range(TIMES):
            replace_worker(served)
            go_on(load)

    assert load.cut == []
    assert served.signal(signal.SIGTERM) == 0


def test_changes_while_a_single_worker_is_replaced_are_made(start: MakeServed, database_url: str) -> None:
    served = start(database_url, 1, **BUCKET)

    def replace() -> None:
        for _ in range(TIMES):
            replace_worker(served)

    ledger = ledger_while(served.tenant, replace)

    ledger.check(served.tenant, allowed=set())
    assert len(ledger.entries) > WRITERS * TIMES


def test_requests_during_a_restart_wait_in_the_socket_of_systemd(
    start: MakeServed, database_url: str, kept: socket.socket
) -> None:
    made = [start(database_url, 1, passed=kept, **BUCKET)]
    load = Load(made[0])

    def restart() -> None:
        for _ in range(TIMES):
            go_on(load)
            assert made[-1].signal(signal.SIGTERM) == 0
            made.append(start(database_url, 1, passed=kept, **BUCKET))
        go_on(load)

    with clients_of(load, CLIENTS):
        ledger = ledger_while(made[0].tenant, restart)

    assert load.cut == []
    ledger.check(made[0].tenant, allowed=set())
    assert len(ledger.entries) > WRITERS * TIMES


def test_a_request_waits_for_the_next_process_when_the_first_one_is_killed(
    start: MakeServed, sqlite_url: str, kept: socket.socket
) -> None:
    served = start(sqlite_url, 1, passed=kept)
    served.process.kill()
    served.process.wait(PATIENCE_SECONDS)
    # Its worker follows it.
    time.sleep(3)

    with connect(served.url) as connection:
        connection.sendall(head(served.authorization) + PROJECT)
        start(sqlite_url, 1, passed=kept)

        assert read_answer(connection).json["data"] == SLUG


def test_the_address_of_a_socket_of_systemd_counts_and_not_that_of_the_settings(
    start: MakeServed, sqlite_url: str, kept: socket.socket
) -> None:
    other = free_port()
    served = start(sqlite_url, 1, port=other, passed=kept, CUSTOMERGRAPH_HOST="0.0.0.0")  # noqa: S104

    answer = httpx.get(f"{served.url}/readyz", headers={"host": "evil.example"})

    # A page of any site can name a loopback address.
    assert answer.status_code == httpx.codes.MISDIRECTED_REQUEST
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", other)) != 0


@pytest.mark.parametrize("kind", ["a socket of datagrams", "a socket that does not listen", "a Unix socket"])
def test_another_kind_of_socket_is_refused(embedded: Command, kind: str) -> None:
    with socket.socket(
        socket.AF_UNIX if kind == "a Unix socket" else socket.AF_INET,
        socket.SOCK_DGRAM if kind == "a socket of datagrams" else socket.SOCK_STREAM,
    ) as own:
        code = embedded.start("serve", passed=own).wait(PATIENCE_SECONDS)

    assert code == 1
    assert embedded.stderr() == (
        "customergraph: systemd passed a socket that does not listen for TCP:"
        " let the socket unit have ListenStream= with a port, and Accept=no\n"
    )


# Makes the terminal that it is started with the one that controls it, as a shell's is.
IN_TERMINAL = "import os, sys; os.login_tty(0); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"


@pytest.mark.parametrize("command", ["demo", "serve"])
def test_a_gateway_ends_with_the_terminal_that_started_it(embedded: Command, command: str) -> None:
    ours, terminal = pty.openpty()
    port = free_port()
    words = [embedded.words()[0], "-c", IN_TERMINAL, *embedded.words(command, "--port", port)[1:]]
    process = subprocess.Popen(words, env=embedded.env, cwd=embedded.folder, stdin=terminal, stdout=subprocess.DEVNULL)
    os.close(terminal)
    until(lambda: lives(port), "it serves")

    os.close(ours)

    assert process.wait(PATIENCE_SECONDS) == 0
    assert not lives(port)


def lives(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz").is_success
    except httpx.TransportError:
        return False
