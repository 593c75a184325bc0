"""A URL with several servers: when the one that takes writes is killed or frozen, its successor is used by itself."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import stores
from commands.command import until
from conftest import free_port, make_empty
from factories import Tenant
from faults.conftest import MakeGateway
from faults.expectations import COUNT, PROMISED_SECONDS
from faults.ledger import ledger_while
from mutations import CREATE
from processes import command_line, signal_all
from stores import PostgreSQLServer, Standby

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(stores.contrib_programs() is None, reason="Debian's package postgresql is not installed"),
]

FOLLOWS = "SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')"


@pytest.fixture
def primary() -> Iterator[PostgreSQLServer]:
    """A server that takes writes, with the database `empty`."""
    with PostgreSQLServer(free_port(), stores.contrib_programs()) as server:
        make_empty(server)
        yield server


@pytest.fixture
def standby(primary: PostgreSQLServer) -> Iterator[Standby]:
    """A server that has all that the primary has acknowledged."""
    programs = stores.contrib_programs()
    assert programs
    with Standby(free_port(), programs, primary) as server:
        until(lambda: stores.rows(primary.url("postgres"), FOLLOWS) == [(1,)], "the standby follows")
        yield server


@pytest.fixture
def pair(gateway: MakeGateway, primary: PostgreSQLServer, standby: Standby) -> Tenant:
    """A project on a gateway whose URL names the standby first, and then the primary."""
    hosts = f"127.0.0.1:{standby.port},127.0.0.1:{primary.port}"
    return gateway(
        primary.url("empty"), through=f"postgresql+asyncpg://postgres@{hosts}/empty", statement_timeout=10, deadline=8
    )


@contextmanager
def lost(server: PostgreSQLServer, number: signal.Signals) -> Iterator[None]:
    """Kill or freeze a server; after the block it is fenced off."""
    pids = server.pids()
    signal_all(pids, number)
    try:
        yield
    finally:
        signal_all(pids, signal.SIGKILL)
        until(lambda: not any(map(command_line, pids)), "its processes have ended")


def writes(tenant: Tenant) -> bool:
    return "errors" not in tenant.client.answer(CREATE, input={"firstName": f"probe {time.monotonic()}"})


def test_the_server_that_takes_writes_is_found_wherever_it_stands_in_the_url(pair: Tenant) -> None:
    assert writes(pair)
    assert pair.client.data(COUNT)["customers"]["totalCount"] == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
def test_after_a_failover_the_successor_is_used_and_nothing_acknowledged_is_lost(
    pair: Tenant, primary: PostgreSQLServer, standby: Standby, number: signal.Signals
) -> None:
    assert writes(pair)
    took = 0.0

    def fail_over() -> None:
        nonlocal took
        time.sleep(1)
        with lost(primary, number):
            began = time.monotonic()
            standby.promote()
            until(lambda: writes(pair), "the successor is used", seconds=20)
            took = time.monotonic() - began
            time.sleep(1)

    ledger = ledger_while(pair, fail_over)

    pair.database_url = standby.url("empty")
    ledger.check(pair, allowed={"STORE_UNAVAILABLE", "TIMEOUT"})
    assert len([entry for entry in ledger.entries if entry.done]) > 20
    assert took < PROMISED_SECONDS


def test_a_server_that_becomes_read_only_is_left_by_readers_too(
    pair: Tenant, primary: PostgreSQLServer, standby: Standby
) -> None:
    assert writes(pair)
    before = stores.sessions(primary.url("empty"))

    stores.execute(primary.url("postgres"), "ALTER SYSTEM SET default_transaction_read_only = on")
    stores.execute(primary.url("postgres"), "SELECT pg_reload_conf()")
    standby.promote()
    until(lambda: writes(pair), "the successor is used")

    until(lambda: stores.sessions(primary.url("empty")) == 0, "no session stays behind")
    assert before > 0
    assert pair.client.data(COUNT)["customers"]["totalCount"] == 2
