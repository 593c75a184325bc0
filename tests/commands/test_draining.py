"""Servers that are told to stop, and are given time to do so: balancers leave them first, and nobody is cut off."""

import os
import re
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from commands.conftest import MakeServed
from commands.load import GRACE_SECONDS, Load, Served, clients_of, send_mutation, until
from customergraph.web.worker import SILENCE_SECONDS
from faults.expectations import SLACK_SECONDS
from faults.sessions import locked
from processes import signal_all
from raw_http import connect, read_answer

pytestmark = pytest.mark.slow

CLIENTS = 8
PACKAGE = Path(__file__).parents[2] / "src/customergraph"
DRAIN_SECONDS = 6
DRAIN = {"CUSTOMERGRAPH_DRAIN": str(DRAIN_SECONDS)}
PROBES = 20


def status(served: Served, path: str) -> int:
    """Return the status of an answer on a connection of its own."""
    with connect(served.url) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        return read_answer(connection).status


def health(served: Served) -> tuple[set[int], set[int]]:
    """Return the statuses of several readiness checks, and of several health checks."""
    return {status(served, "/readyz") for _ in range(PROBES)}, {status(served, "/healthz") for _ in range(PROBES)}


def seconds_until_unready(served: Served) -> float:
    started = time.monotonic()
    until(lambda: status(served, "/readyz") == httpx.codes.SERVICE_UNAVAILABLE, "it is not ready")
    return time.monotonic() - started


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("is_group", [False, True], ids=["the parent alone", "every process"])
def test_a_draining_server_is_not_ready_and_answers_every_request(
    start: MakeServed,
    sqlite_url: str,
    workers: int,
    is_group: bool,  # noqa: FBT001
) -> None:
    served = start(sqlite_url, workers, **DRAIN)
    load = Load(served)

    with clients_of(load, CLIENTS):
        until(lambda: load.answer_count > 10 * CLIENTS, "all clients are busy")
        assert health(served) == ({200}, {200})
        if is_group:
            signal_all(served.workers(), signal.SIGTERM)
        served.process.send_signal(signal.SIGTERM)
        signaled_at = time.monotonic()
        assert seconds_until_unready(served) < SLACK_SECONDS
        assert health(served) == ({503}, {200})
        count = load.answer_count
        until(lambda: load.answer_count > count + CLIENTS, "it goes on")
        assert served.process.poll() is None
        code = served.process.wait(DRAIN_SECONDS + GRACE_SECONDS + SLACK_SECONDS)

    assert (load.cut, code) == ([], 0)
    assert time.monotonic() - signaled_at >= DRAIN_SECONDS
    assert "Traceback" not in served.command.stderr()


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_the_drain_and_cuts_nobody_off(
    start: MakeServed, sqlite_url: str, workers: int, second: signal.Signals
) -> None:
    served = start(sqlite_url, workers, CUSTOMERGRAPH_DRAIN="600")
    load = Load(served)

    with clients_of(load, CLIENTS):
        served.process.send_signal(signal.SIGTERM)
        seconds_until_unready(served)
        time.sleep(1)
        code = served.signal(second)

    assert (load.cut, code) == ([], 0)
    assert load.answer_count > 0


@pytest.mark.parametrize("workers", [1, 2])
def test_sigint_stops_without_a_drain(start: MakeServed, sqlite_url: str, workers: int) -> None:
    served = start(sqlite_url, workers, CUSTOMERGRAPH_DRAIN="600")

    assert served.signal(signal.SIGINT) == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_without_a_drain_open_connections_see_at_once_that_it_is_not_ready(
    start: MakeServed, sqlite_url: str, workers: int
) -> None:
    served = start(sqlite_url, workers)
    id_ = served.tenant.add_customer()

    with ThreadPoolExecutor(1) as pool, connect(served.url) as busy, connect(served.url) as probe:
        with locked(sqlite_url):
            send_mutation(served, busy, id_)
            time.sleep(0.5)
            ended = pool.submit(served.signal, signal.SIGTERM)
            time.sleep(0.5)
            probe.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = read_answer(probe)
        assert read_answer(busy).status == 200
        assert ended.result() == 0

    assert (answer.status, answer.body) == (503, b"the gateway stops\n")


def test_a_worker_that_is_killed_while_it_drains_is_replaced_by_one_that_is_not_ready(
    start: MakeServed, sqlite_url: str
) -> None:
    served = start(sqlite_url, 2, CUSTOMERGRAPH_DRAIN="600")
    served.process.send_signal(signal.SIGTERM)
    seconds_until_unready(served)

    os.kill(served.workers()[0], signal.SIGKILL)
    until(lambda: served.command.stderr().count("startup complete") == 3, "another worker serves")

    assert health(served) == ({503}, {200})
    assert served.signal(signal.SIGTERM) == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_sighup_leaves_it_ready_all_the_time(start: MakeServed, sqlite_url: str, workers: int) -> None:
    served = start(sqlite_url, workers, **DRAIN)
    before = served.workers()
    load, statuses = Load(served), []

    def is_replaced() -> bool:
        # On connections that are kept as well as on fresh ones.
        statuses.extend([kept.get("/readyz").status_code, status(served, "/readyz")])
        return len(served.workers()) == workers and not {*before} & {*served.workers()}

    with httpx.Client(base_url=served.url) as kept, clients_of(load, CLIENTS):
        served.process.send_signal(signal.SIGHUP)
        until(is_replaced, "new workers serve")

    assert (load.cut, {*statuses}) == ([], {200})
    assert load.answer_count > 0


def test_a_new_worker_that_starts_slowly_costs_the_others_nothing(start: MakeServed, sqlite_url: str) -> None:
    served = start(sqlite_url, 2)
    before = served.workers()
    load = Load(served)

    def new_workers() -> set[int]:
        return {*served.workers()} - {*before}

    with clients_of(load, CLIENTS):
        served.process.send_signal(signal.SIGHUP)
        until(lambda: len(new_workers()) == 1, "a new worker begins")
        first = new_workers()
        until(lambda: len(new_workers()) == 2, "another one begins, while the first one serves")
        (second,) = new_workers() - first
        os.kill(second, signal.SIGSTOP)
        time.sleep(SILENCE_SECONDS + 2)
        os.kill(second, signal.SIGCONT)
        until(lambda: len(served.workers()) == 2 and not {*before} & {*served.workers()}, "new workers serve")

    assert load.cut == []
    assert "worker_ended" not in served.command.stderr()


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("pause", [0.0, 1.0, 2.0])
def test_sigterm_while_workers_are_replaced_cuts_nobody_off(
    start: MakeServed, sqlite_url: str, pause: float, workers: int
) -> None:
    served = start(sqlite_url, workers)
    load = Load(served)

    with clients_of(load, CLIENTS):
        served.process.send_signal(signal.SIGHUP)
        time.sleep(pause)
        code = served.signal(signal.SIGTERM)

    assert (load.cut, code) == ([], 0)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_sighup_takes_a_newer_version_with_new_settings_into_use(
    start: MakeServed, sqlite_url: str, tmp_path: Path
) -> None:
    # The command runs in this folder, and finds the package here first.
    package = tmp_path / "customergraph"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    served = start(sqlite_url, 2)

    edit(package / "settings.py", "    host: str", '    motto: str = "newer"\n    host: str')
    edit(package / "web/app.py", "    logs.configure()", "    logs.configure()\n    print(settings.motto)")
    served.process.send_signal(signal.SIGHUP)
    until(lambda: served.command.stderr().count("startup complete") == 4, "new workers serve")

    assert served.signal(signal.SIGTERM) == 0
    assert served.process.stdout is not None
    assert served.process.stdout.read() == "newer\n" * 2


def test_a_killed_worker_cuts_its_own_requests_off_and_no_others(start: MakeServed, sqlite_url: str) -> None:
    served = start(sqlite_url, 2)
    killed, other = served.workers()
    load = Load(served)

    with clients_of(load, CLIENTS):
        until(lambda: load.answer_count > 10 * CLIENTS, "all clients are busy")
        os.kill(killed, signal.SIGKILL)
        until(lambda: served.command.stderr().count("startup complete") == 3, "another worker serves")
        after, count = len(load.cut), load.answer_count
        until(lambda: load.answer_count > count + 10 * CLIENTS, "the others go on")

    assert after <= CLIENTS
    assert len(load.cut) == after
    assert all(re.search("Reset|Disconnected|IncompleteRead", reason) for reason in load.cut), load.cut
    assert other in served.workers()
