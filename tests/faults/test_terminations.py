"""A store that is disturbed under load: outages are reported as outages, and answers to writers are true."""

import time
from collections.abc import Iterator

import pytest

import stores
from commands.command import until
from conftest import free_port, make_empty
from faults.conftest import MakeGateway
from faults.expectations import COUNT, SLACK_SECONDS, seconds_until
from faults.ledger import ledger_while
from faults.sessions import Session, locked
from stores import PostgreSQLServer

pytestmark = pytest.mark.slow

TERMINATIONS = 10
PAUSE_SECONDS = 0.3
TERMINATE = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture(params=["postgresql", "contrib_postgresql"], ids=["bundled", "installed"])
def any_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a new database on each PostgreSQL server of the tests."""
    server: PostgreSQLServer = request.getfixturevalue(request.param)
    name = server.create("empty")
    yield server.url(name)
    server.drop(name)


def test_sixteen_writers_over_ten_terminations_get_true_answers(gateway: MakeGateway, any_url: str) -> None:
    acme = gateway(any_url, bucket_refill=10**6)

    def terminate() -> None:
        with Session(any_url) as session:
            for _ in range(TERMINATIONS):
                time.sleep(PAUSE_SECONDS)
                until(lambda: session.connected() > 1, "the gateway is connected again")
                session.value(TERMINATE)
            time.sleep(PAUSE_SECONDS)

    ledger = ledger_while(acme, terminate)

    ledger.check(acme)
    assert ledger.codes["STORE_UNAVAILABLE"] > 0
    assert seconds_until(lambda: "errors" not in acme.client.answer(COUNT)) < SLACK_SECONDS


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_sixteen_writers_over_restarts_get_true_answers(gateway: MakeGateway, mode: str) -> None:
    with PostgreSQLServer(free_port()) as server:
        make_empty(server)
        name = server.create("empty")
        # Committed changes have to survive a crash of the server.
        stores.execute(server.url("postgres"), f"ALTER DATABASE {name} SET synchronous_commit = on")
        stores.execute(server.url("postgres"), "CHECKPOINT")
        acme = gateway(server.url(name), bucket_refill=10**6)

        def restart() -> None:
            for _ in range(2):
                time.sleep(2 * PAUSE_SECONDS)
                server.stop(mode)
                time.sleep(PAUSE_SECONDS)
                server.start()
            time.sleep(2 * PAUSE_SECONDS)

        ledger = ledger_while(acme, restart)

        until(lambda: "errors" not in acme.client.answer(COUNT), "service resumes")
        ledger.check(acme)
        assert ledger.codes["STORE_UNAVAILABLE"] > 0


def test_sixteen_writers_on_sqlite_that_others_lock_get_true_answers(gateway: MakeGateway, sqlite_url: str) -> None:
    acme = gateway(sqlite_url, deadline=1, bucket_refill=10**6)

    def lock() -> None:
        for seconds in (0.1, 1.5, 0.1, 1.5, 0.1):
            time.sleep(PAUSE_SECONDS)
            with locked(sqlite_url):
                time.sleep(seconds)

    ledger = ledger_while(acme, lock)

    ledger.check(acme, allowed={"STORE_UNAVAILABLE", "TIMEOUT"})
    assert ledger.codes["TIMEOUT"] > 0
