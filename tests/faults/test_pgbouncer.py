"""The gateway behind PgBouncer in transaction mode: each transaction may run on another server connection."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import stores
from commands.command import Command, until
from conftest import free_port
from customergraph.domain.principal import Scope
from customergraph.store.failures import AGAIN
from factories import Tenant
from faults import pgbouncer
from faults.conftest import MakeGateway
from faults.expectations import (
    COUNT,
    PROMISED_SECONDS,
    SLACK_SECONDS,
    expect_unavailable,
    record_token_use,
    seconds_until,
)
from faults.pgbouncer import POOL_SIZE, PgBouncer
from faults.sessions import Session, locked
from faults.wire import on_port
from mutations import CREATE, on_customer
from stores import PostgreSQLServer

# SQLAlchemy and asyncpg prepare a few statements themselves.
DRIVERS_STATEMENTS = 5
NESTED = """query($id: ID!) {
  customer(id: $id) { name tags { slug } messages { nodes { status } } reviews { nodes { score } } }
  customers(first: 3) { totalCount nodes { databaseId location { slug } charges { nodes { amount } } } }
}"""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not pgbouncer.PROGRAM.exists(), reason=pgbouncer.MISSING)]


@pytest.fixture(params=pgbouncer.variants(), ids=str)
def bouncer(request: pytest.FixtureRequest, postgresql: PostgreSQLServer) -> Iterator[PgBouncer]:
    """A PgBouncer before the tests' PostgreSQL server, with each of the settings to test."""
    with PgBouncer(postgresql.port, free_port(), request.param) as bouncer:
        yield bouncer


@pytest.fixture
def bounced(gateway: MakeGateway, postgresql_url: str, bouncer: PgBouncer) -> Tenant:
    """A project whose gateway connects to PostgreSQL through PgBouncer."""
    return gateway(postgresql_url, through=on_port(postgresql_url, bouncer.port), pgbouncer=True, statement_timeout=2)


def test_many_queries_and_mutations_share_two_servers(
    bounced: Tenant, other_session: Session, background: ThreadPoolExecutor
) -> None:
    id_ = bounced.add_histories(3)[0]
    expected = bounced.client.data(NESTED, id=id_)
    assert expected["customers"]["totalCount"] == 3

    answers = background.map(lambda _: bounced.client.data(NESTED, id=id_), range(40))
    assert list(answers) == [expected] * 40
    created = background.map(
        lambda number: bounced.client.data(CREATE, input={"firstName": f"Ada {number}"})["createCustomer"], range(40)
    )
    assert [payload["userErrors"] for payload in created] == [[]] * 40
    archived = background.map(lambda _: bounced.client.data(on_customer("archiveCustomer"), id=id_), range(10))
    assert [payload["archiveCustomer"]["userErrors"] for payload in archived] == [[]] * 10
    slug = expected["customer"]["tags"][0]["slug"]
    tags = f', tagSlugs: ["{slug}"]'
    tagged = bounced.client.data(on_customer("updateCustomerTags", "customer { tags { slug } }", tags), id=id_)
    assert tagged["updateCustomerTags"]["customer"]["tags"] == [{"slug": slug}]

    assert bounced.client.data(COUNT) == {"customers": {"totalCount": 42}}
    assert other_session.connected() == POOL_SIZE


def test_a_server_is_left_without_prepared_statements(
    bounced: Tenant, bouncer: PgBouncer, background: ThreadPoolExecutor
) -> None:
    list(background.map(bounced.client.data, [COUNT] * 100))

    # The query that counts them is one itself.
    prepared = "SELECT count(*) FROM pg_prepared_statements WHERE statement NOT LIKE '%pg_prepared_statements%'"
    assert stores.rows(on_port(bounced.database_url, bouncer.port), prepared)[0][0] <= DRIVERS_STATEMENTS


def test_the_statement_timeout_holds_on_the_server(
    bounced: Tenant, postgresql_url: str, other_session: Session
) -> None:
    id_ = bounced.add_customer()
    record_token_use(bounced)

    with locked(postgresql_url):
        assert (
            expect_unavailable(bounced.client, on_customer("archiveCustomer"), within=2 + SLACK_SECONDS, id=id_)
            == AGAIN
        )
        assert other_session.waiting() == 0


def test_the_statement_timeout_is_not_left_to_others_on_the_same_server(bounced: Tenant, bouncer: PgBouncer) -> None:
    bounced.client.data(CREATE, input={"firstName": "Ada"})

    limit = stores.rows(on_port(bounced.database_url, bouncer.port), "SHOW statement_timeout")
    assert limit == [("0",)]


def test_tokens_are_rotated_and_projects_deleted_through_it(
    bounced: Tenant, bouncer: PgBouncer, tmp_path: Path
) -> None:
    bounced.add_histories(3)
    inside = Command(tmp_path, on_port(bounced.database_url, bouncer.port)).inside
    inside.env["CUSTOMERGRAPH_PGBOUNCER"] = "true"

    rotated = inside.succeed("token", "rotate", bounced.token_with(Scope.READ)[:12])
    inside.succeed("project", "rename", "acme", "--slug", "acme-inc")
    inside.succeed("project", "delete", "acme-inc", "--confirm", "acme-inc")

    assert rotated.startswith("cg_")
    counts = "SELECT (SELECT count(*) FROM project), (SELECT count(*) FROM customer)"
    assert stores.rows(bounced.database_url, counts) == [(0, 0)]


def test_a_restart_of_pgbouncer_is_survived(
    bounced: Tenant, bouncer: PgBouncer, background: ThreadPoolExecutor
) -> None:
    def all_are_served() -> bool:
        return not any("errors" in answer for answer in background.map(bounced.client.answer, [COUNT] * 40))

    until(all_are_served, "the pool is full")

    bouncer.stop()
    assert set(background.map(lambda query: expect_unavailable(bounced.client, query), [COUNT] * 20)) == {AGAIN}
    bouncer.start()

    assert seconds_until(lambda: "errors" not in bounced.client.answer(COUNT)) < PROMISED_SECONDS
    until(all_are_served, "all are served again")
