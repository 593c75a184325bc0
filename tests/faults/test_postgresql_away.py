"""PostgreSQL that is stopped or hangs: errors come in time, and service resumes by itself afterwards."""

import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import httpx
import pytest

import stores
from commands.command import until
from conftest import MakeServer, free_port
from customergraph.settings import Settings
from customergraph.store.failures import AGAIN
from event_stream import subscribed
from factories import Tenant
from faults import pgbouncer
from faults.conftest import MakeGateway
from faults.expectations import COUNT, PROMISED_SECONDS, expect_unavailable, seconds_until
from faults.pgbouncer import PgBouncer
from faults.wire import on_port
from graphql_client import GraphQLClient
from mutations import on_customer
from processes import signal_all
from stores import PostgreSQLServer

pytestmark = pytest.mark.slow

# Begins with a command, not with a statement: the engine is asked to plan for its values.
SEARCH = '{ customers(q: "anna") { nodes { id } } }'
PROCESSES = """
SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int UNION ALL SELECT pid FROM pg_stat_activity
"""


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgreSQLServer]:
    """A PostgreSQL server that a test may stop, with the database `empty`."""
    with PostgreSQLServer(free_port()) as server:
        stores.execute(server.url("postgres"), "CREATE DATABASE empty")
        stores.upgraded(server.url("empty"))
        yield server


@pytest.fixture
def own_url(own_server: PostgreSQLServer) -> str:
    """The URL of a database on a server that the test may stop."""
    return own_server.url(own_server.create("empty"))


@contextmanager
def stopped(server: PostgreSQLServer) -> Iterator[None]:
    # The tests' servers do not sync their writes, and are stopped as in a crash.
    stores.execute(server.url("postgres"), "CHECKPOINT")
    server.stop()
    try:
        yield
    finally:
        server.start()


@contextmanager
def hanging(url: str) -> Iterator[None]:
    """Suspend a PostgreSQL server: it neither answers nor closes connections."""
    # One of them is the session that lists them, which ends.
    pids = [pid for (pid,) in stores.rows(url, PROCESSES)]
    signal_all(pids, signal.SIGSTOP)
    try:
        yield
    finally:
        signal_all(pids, signal.SIGCONT)


def health(tenant: Tenant) -> list[int]:
    """Return the statuses of /readyz and /healthz, each answered in time."""
    return [httpx.get(tenant.base_url + path, timeout=PROMISED_SECONDS).status_code for path in ("/readyz", "/healthz")]


def customer_count(tenant: Tenant) -> object:
    return tenant.client.data(COUNT)["customers"]["totalCount"]


def serves(tenant: Tenant) -> bool:
    return "errors" not in tenant.client.answer(COUNT)


def test_a_stopped_postgresql_is_reported_and_service_resumes_by_itself(
    gateway: MakeGateway, own_server: PostgreSQLServer, own_url: str, background: ThreadPoolExecutor
) -> None:
    acme = gateway(own_url)
    id_ = acme.add_customer()
    # Every connection of the pool is open when the server goes away.
    assert list(background.map(customer_count, [acme] * 40)) == [1] * 40
    assert health(acme) == [200, 200]

    with stopped(own_server):
        answers = background.map(lambda query: expect_unavailable(acme.client, query, id=id_), [COUNT] * 20)
        assert set(answers) == {AGAIN}
        assert expect_unavailable(acme.client, on_customer("archiveCustomer"), id=id_) == AGAIN
        assert health(acme) == [503, 200]

    assert seconds_until(lambda: serves(acme)) < PROMISED_SECONDS
    assert list(background.map(customer_count, [acme] * 40)) == [1] * 40
    assert acme.client.data(on_customer("updateCustomerNotes"), id=id_)["updateCustomerNotes"]["userErrors"] == []
    assert health(acme) == [200, 200]


def test_a_restart_between_two_requests_is_noticed_by_neither(
    gateway: MakeGateway, own_server: PostgreSQLServer, own_url: str, background: ThreadPoolExecutor
) -> None:
    acme = gateway(own_url)
    assert list(background.map(customer_count, [acme] * 40)) == [0] * 40

    with stopped(own_server):
        pass

    assert list(background.map(customer_count, [acme] * 40)) == [0] * 40


def test_a_subscription_is_silent_while_postgresql_is_stopped_and_goes_on(
    gateway: MakeGateway, own_server: PostgreSQLServer, own_url: str
) -> None:
    acme = gateway(own_url)
    with subscribed(acme.client, "subscription { changes { nodes { position } } }") as events:
        next(events)
        with stopped(own_server):
            time.sleep(2)
        acme.add_customers({}, {})
        event = next(events)

    assert event["data"]["changes"]["nodes"] == [{"position": 1}, {"position": 2}]


@pytest.mark.skipif(not pgbouncer.PROGRAM.exists(), reason=pgbouncer.MISSING)
def test_a_stopped_postgresql_behind_pgbouncer_is_reported_and_service_resumes_by_itself(
    gateway: MakeGateway, own_server: PostgreSQLServer, own_url: str, background: ThreadPoolExecutor
) -> None:
    with PgBouncer(own_server.port, free_port(), {"server_login_retry": 1, "query_wait_timeout": 2}) as bouncer:
        acme = gateway(own_url, through=on_port(own_url, bouncer.port), pgbouncer=True)
        assert list(background.map(customer_count, [acme] * 40)) == [0] * 40

        with stopped(own_server):
            for _ in range(2):
                answers = background.map(lambda query: expect_unavailable(acme.client, query), [COUNT] * 20)
                assert set(answers) == {AGAIN}
            assert health(acme) == [503, 200]

        assert seconds_until(lambda: serves(acme)) < PROMISED_SECONDS
        assert list(background.map(customer_count, [acme] * 40)) == [0] * 40


def test_the_answers_to_a_stopped_postgresql_reveal_nothing_of_it(
    gateway: MakeGateway, own_server: PostgreSQLServer, own_url: str
) -> None:
    acme = gateway(own_url)

    with stopped(own_server):
        response = acme.client.post(COUNT)
        ready = httpx.get(f"{acme.base_url}/readyz")

    assert response.json()["errors"] == [{"message": AGAIN, "extensions": {"code": "STORE_UNAVAILABLE", "done": False}}]
    assert ready.text == "the store does not answer\n"


def test_a_postgresql_that_hangs_is_reported_by_when_its_statement_should_have_ended(
    gateway: MakeGateway, own_url: str, background: ThreadPoolExecutor
) -> None:
    acme = gateway(own_url, statement_timeout=1, pool_size=8)
    id_ = acme.add_customer()
    assert list(background.map(customer_count, [acme] * 20)) == [1] * 20

    with hanging(own_url):
        within = 1 + 1 + 1.5
        first = background.map(
            lambda query: expect_unavailable(acme.client, query, within=within, id=id_),
            [COUNT, COUNT, SEARCH, on_customer("archiveCustomer")],
        )
        assert set(first) == {AGAIN}
        assert health(acme) == [503, 200]

    assert seconds_until(lambda: serves(acme)) < PROMISED_SECONDS
    assert list(background.map(customer_count, [acme] * 20)) == [1] * 20


def test_an_address_that_accepts_and_says_nothing_is_reported_in_time(
    serve: MakeServer, background: ThreadPoolExecutor
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=100) as silent:
        port = silent.getsockname()[1]
        base = serve(Settings(database_url=f"postgresql+asyncpg://nobody@127.0.0.1:{port}/nothing"))
        with closing(GraphQLClient(base, "cg_anything")) as client:
            assert set(background.map(lambda query: expect_unavailable(client, query), [COUNT] * 25)) == {AGAIN}
            until(lambda: httpx.get(f"{base}/healthz").status_code == httpx.codes.OK, "it lives")
