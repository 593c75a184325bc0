"""Servers that are told to stop: what was sent is answered, and the port is free at once."""

import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from commands.command import PATIENCE_SECONDS
from commands.conftest import MakeServed
from commands.load import GRACE_SECONDS, Load, Served, clients_of, send_mutation, until
from faults.expectations import SLACK_SECONDS
from faults.sessions import Session, locked
from processes import command_line, signal_all
from raw_http import PROJECT, SLUG, connect, head, read_answer

pytestmark = pytest.mark.slow

CONNECTIONS = 16


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
    assert start(sqlite_url, 1, served.port).lives()


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


def test_replaced_workers_know_the_documents_of_that_time(start: MakeServed, sqlite_url: str, tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "slug.json").write_text('{"slug": "{ project { slug } }"}')
    (tmp_path / ".env").write_text("CUSTOMERGRAPH_DOCUMENTS=documents\n")
    served = start(sqlite_url, 2)
    before = served.workers()

    def answer(id_: str) -> Any:
        return served.tenant.client.http.post("/graphql", json={"documentId": id_}).json().get("data")

    (documents / "name.json").write_text('{"name": "{ project { nothing } }"}')
    served.process.send_signal(signal.SIGHUP)
    until(lambda: "worker_not_replaced" in served.command.stderr(), "the document is refused")
    assert "setting CUSTOMERGRAPH_DOCUMENTS: name.json name: Cannot query field 'nothing'" in served.command.stderr()
    assert (served.workers(), answer("slug"), answer("name")) == (before, SLUG, None)

    (documents / "name.json").write_text('{"name": "{ project { name } }"}')
    served.process.send_signal(signal.SIGHUP)
    until(lambda: len(served.workers()) == 2 and not {*before} & {*served.workers()}, "new workers serve")
    assert answer("name") == {"project": {"name": "Acme"}}
