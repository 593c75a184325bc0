"""Changes that wait for another program's lock: reads go on, and the answer to each change is true."""

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx
import pytest

import stores
from commands.command import until
from customergraph.domain.principal import Scope
from customergraph.store.database import embedded_path
from customergraph.store.failures import AGAIN
from factories import Tenant
from faults.conftest import MakeGateway
from faults.expectations import COUNT, SLACK_SECONDS, STOPPED_SECONDS, record_token_use
from faults.sessions import Session, locked
from mutations import on_customer

pytestmark = pytest.mark.slow

NOTES = on_customer("updateCustomerNotes", arguments=', notes: "changed"')
READS = 37
CHANGES = 30
LOCKED_SECONDS = 4
# 0.3 s is promised, on a machine that does nothing else.
LONGEST_READ_SECONDS = 1.5
# Takes the write lock of a file, prints `locked`, and holds the lock for some seconds.
HOLDER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
time.sleep(float(sys.argv[2]))
connection.execute("COMMIT")
"""


@contextmanager
def locked_by_a_program(url: str, seconds: float) -> Iterator[None]:
    """Let another program hold the write lock of an embedded store."""
    command = [sys.executable, "-c", HOLDER, str(embedded_path(url)), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout
        assert program.stdout.readline() == "locked\n"
        yield
        assert program.wait(seconds + 10) == 0


def read(acme: Tenant, query: str = COUNT) -> float:
    """Send a read, which must succeed; returns how long it took."""
    started = time.monotonic()
    acme.client.data(query)
    return time.monotonic() - started


def outcome(answer: dict[str, Any]) -> str:
    """Return `done` for a change that was made, and `not done` for one whose error says so."""
    if "errors" not in answer:
        assert answer["data"]["updateCustomerNotes"]["userErrors"] == []
        return "done"
    (error,) = answer["errors"]
    assert (error["extensions"], error["message"]) == ({"code": "STORE_UNAVAILABLE", "done": False}, AGAIN)
    return "not done"


def changes(acme: Tenant, background: ThreadPoolExecutor, ids: list[int]) -> list[Any]:
    """Send changes of the notes of customers."""
    return [background.submit(acme.client.answer, NOTES, id=id_) for id_ in ids]


def test_reads_are_answered_while_another_program_holds_the_write_lock(
    gateway: MakeGateway, sqlite_url: str, background: ThreadPoolExecutor
) -> None:
    acme = gateway(sqlite_url)
    ids = acme.add_customers(*({} for _ in range(CHANGES)))
    record_token_use(acme)

    with locked_by_a_program(sqlite_url, LOCKED_SECONDS):
        waiting = changes(acme, background, ids)
        time.sleep(0.5)
        with ThreadPoolExecutor(READS) as readers:
            durations = list(readers.map(partial(read, acme), [COUNT] * READS))
        assert not any(change.done() for change in waiting)

    assert max(durations) < LONGEST_READ_SECONDS
    assert_answers_are_true(acme, [change.result() for change in waiting])


def assert_answers_are_true(acme: Tenant, answers: list[dict[str, Any]]) -> None:
    outcomes = [outcome(answer) for answer in answers]
    (changed,) = stores.rows(acme.database_url, "SELECT count(*) FROM customer WHERE notes = 'changed'")
    assert changed == (outcomes.count("done"),)
    assert outcomes.count("done") > 0


@pytest.mark.parametrize(
    "lock",
    ["SELECT FROM customer FOR UPDATE", "LOCK TABLE customer IN EXCLUSIVE MODE"],
    ids=["rows", "the table"],
)
def test_reads_are_answered_while_another_program_locks_what_is_to_be_changed(
    gateway: MakeGateway, postgresql_url: str, other_session: Session, background: ThreadPoolExecutor, lock: str
) -> None:
    acme = gateway(postgresql_url, pool_timeout=20)
    ids = acme.add_customers(*({} for _ in range(CHANGES)))
    record_token_use(acme)

    with other_session.transaction(lock):
        waiting = changes(acme, background, ids)
        # One token's changes may hold a quarter of the ten connections.
        other_session.until_waiting(2)
        with ThreadPoolExecutor(READS) as readers:
            durations = list(readers.map(partial(read, acme), [COUNT] * READS))
        assert other_session.waiting() == 2
        assert not any(change.done() for change in waiting)

    assert max(durations) < LONGEST_READ_SECONDS
    assert [outcome(change.result()) for change in waiting] == ["done"] * CHANGES


def test_changes_of_many_tokens_hold_half_of_the_pool_at_most(
    gateway: MakeGateway, postgresql_url: str, other_session: Session, background: ThreadPoolExecutor
) -> None:
    acme = gateway(postgresql_url, pool_timeout=20)
    ids = acme.add_customers(*({} for _ in range(16)))
    record_token_use(acme)
    clients = [acme.client_with(Scope.READ, Scope.WRITE) for _ in range(8)]
    until(lambda: all(client.answer(COUNT) for client in clients), "the tokens are used")

    with other_session.transaction("SELECT FROM customer FOR UPDATE"):
        waiting = [
            background.submit(client.answer, NOTES, id=id_) for client, id_ in zip(clients * 2, ids, strict=True)
        ]
        other_session.until_waiting(5)
        time.sleep(0.3)
        assert other_session.waiting() == 5
        assert read(acme) < LONGEST_READ_SECONDS

    assert [outcome(change.result()) for change in waiting] == ["done"] * 16


def test_a_token_with_one_change_is_not_the_last_of_anothers_many(
    gateway: MakeGateway, database_url: str, background: ThreadPoolExecutor
) -> None:
    acme = gateway(database_url, pool_timeout=20)
    ids = acme.add_customers(*({} for _ in range(CHANGES + 1)))
    record_token_use(acme)
    other = acme.client_with(Scope.READ, Scope.WRITE)
    other.data(COUNT)

    with locked(database_url):
        many = changes(acme, background, ids[:-1])
        time.sleep(1)
        one = background.submit(other.answer, NOTES, id=ids[-1])
        time.sleep(0.5)

    assert outcome(one.result()) == "done"
    assert not all(change.done() for change in many)
    assert [outcome(change.result()) for change in many] == ["done"] * CHANGES


def test_a_change_whose_client_goes_away_leaves_the_queue_of_writers(
    gateway: MakeGateway, database_url: str, background: ThreadPoolExecutor
) -> None:
    acme = gateway(database_url, running_limit=40, pool_timeout=20)
    ids = acme.add_customers(*({} for _ in range(CHANGES)))
    record_token_use(acme)

    with locked(database_url):
        send_and_disconnect(acme, ids[:-1])
        last = background.submit(acme.client.answer, NOTES, id=ids[-1])
        # The server needs a second to see that a client has disconnected.
        time.sleep(STOPPED_SECONDS + SLACK_SECONDS)

    assert outcome(last.result()) == "done"
    changed = "SELECT count(*) FROM customer WHERE notes = 'changed'"
    assert stores.rows(database_url, changed) == [(1,)]


def send_and_disconnect(acme: Tenant, ids: list[int]) -> None:
    """Send a change of each customer, and disconnect before it is answered."""
    for id_ in ids:
        with pytest.raises(httpx.ReadTimeout):
            acme.client.http.post("/graphql", json={"query": NOTES, "variables": {"id": id_}}, timeout=0.02)


def test_a_new_tokens_use_is_written_once_and_takes_no_connection_from_requests(
    gateway: MakeGateway, database_url: str, background: ThreadPoolExecutor
) -> None:
    acme = gateway(database_url)
    acme.add_customer()

    with stores.holding(database_url, "UPDATE token SET scopes = scopes"):
        durations = list(background.map(partial(read, acme), [COUNT] * 40))
        assert stores.sessions(database_url) <= 11
        unused = "SELECT count(*) FROM token WHERE last_used_at IS NULL"
        assert stores.rows(database_url, unused) == [(1,)]

    assert max(durations) < LONGEST_READ_SECONDS
    until(lambda: stores.rows(database_url, unused) == [(0,)], "the use is written when the lock is gone")
