"""Operations that take too long, whose client goes away, or that are too many at once."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from statistics import median
from typing import Any

import httpx
import pytest

import stores
from commands.command import until
from factories import Tenant
from faults.around import COUNT, SLACK_SECONDS, Session, locked, noted, seconds_until
from faults.conftest import MakeGateway
from mutations import on_customer

LOCKED = "LOCK TABLE customer"
PROJECT = "{ project { slug } }"
ARCHIVE = on_customer("archiveCustomer")
HEALTHY_SECONDS = 0.1
STOPPED_SECONDS = 1
# Whoever counts customers counts to a trillion first.
SLOW_SQLITE = """
CREATE VIEW customer AS SELECT kept.* FROM kept, (
  WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 1000000000000)
  SELECT count(*) AS all_numbers FROM number
) WHERE all_numbers > 0
"""
SLOW_COMMIT = """
CREATE FUNCTION sleep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1.5); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER sleep AFTER UPDATE ON customer DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION sleep()
"""


@contextmanager
def slowed_sqlite(url: str) -> Iterator[None]:
    """Keep everybody who reads customers busy for ever."""
    stores.execute(url, "ALTER TABLE customer RENAME TO kept")
    stores.execute(url, SLOW_SQLITE)
    yield
    stores.execute(url, "DROP VIEW customer")
    stores.execute(url, "ALTER TABLE kept RENAME TO customer")


def goes_away(tenant: Tenant, query: str, **variables: Any) -> None:
    """Send an operation, and go away before it is answered."""
    with pytest.raises(httpx.ReadTimeout):
        tenant.client.http.post("/graphql", json={"query": query, "variables": variables}, timeout=0.5)


def has_a_turn(tenant: Tenant) -> bool:
    return tenant.client.post(PROJECT).status_code == 200


def archived(tenant: Tenant) -> tuple[int, int]:
    """Count archived customers and canceled messages."""
    tables = ("customer", "message")
    columns = ("archived_at", "canceled_at")
    (customers,), (messages,) = (
        stores.rows(tenant.database_url, f"SELECT count({column}) FROM {table}")[0]  # noqa: S608 - ours
        for table, column in zip(tables, columns, strict=True)
    )
    return customers, messages


def test_an_operation_over_its_deadline_is_stopped_on_the_server_too(
    gateway: MakeGateway, postgresql_url: str, somebody: Session
) -> None:
    acme = gateway(postgresql_url, deadline=0.5, pool_size=2)

    with somebody.transaction(LOCKED):
        # More of them than there are connections.
        for _ in range(3):
            response = acme.client.post(COUNT)

            assert response.status_code == 504
            assert response.json()["errors"][0]["extensions"]["code"] == "TIMEOUT"
            assert somebody.waiting() == 0

    assert acme.client.data(COUNT) == {"customers": {"totalCount": 0}}


def test_the_operation_of_a_client_that_goes_away_is_stopped_on_the_server_too(
    gateway: MakeGateway, postgresql_url: str, somebody: Session
) -> None:
    acme = gateway(postgresql_url)

    with somebody.transaction(LOCKED):
        goes_away(acme, COUNT)
        until(lambda: somebody.waiting() == 0, "nobody waits any more")

    assert acme.client.data(COUNT) == {"customers": {"totalCount": 0}}


def test_more_operations_than_may_run_and_wait_are_sent_away(
    gateway: MakeGateway, postgresql_url: str, somebody: Session, background: ThreadPoolExecutor
) -> None:
    acme = gateway(postgresql_url, running_limit=1, waiting_limit=0)
    authorization = acme.client.http.headers["authorization"]

    with somebody.transaction(LOCKED):
        first = background.submit(acme.client.data, COUNT)
        somebody.until_waiting()
        response = httpx.post(
            f"{acme.base_url}/graphql", json={"query": COUNT}, headers={"authorization": authorization}
        )
        assert httpx.get(f"{acme.base_url}/healthz").status_code == 200

    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert response.json()["errors"][0]["extensions"]["code"] == "OVERLOADED"
    assert response.json()["extensions"] == {"cost": {"requested": 0, "actual": 0, "limit": 50_000}}
    assert first.result() == acme.client.data(COUNT)


def test_an_operation_over_its_deadline_is_interrupted_in_the_embedded_store(
    gateway: MakeGateway, sqlite_url: str
) -> None:
    acme = gateway(sqlite_url, deadline=0.5, pool_size=2)
    noted(acme)

    with slowed_sqlite(sqlite_url):
        # More of them than there are connections.
        for _ in range(3):
            started = time.monotonic()
            response = acme.client.post(COUNT)

            assert response.status_code == 504
            assert response.json()["errors"][0]["extensions"]["code"] == "TIMEOUT"
            assert time.monotonic() - started < 0.5 + SLACK_SECONDS

    assert acme.client.data(COUNT) == {"customers": {"totalCount": 0}}


def test_the_operation_of_a_client_that_goes_away_is_interrupted_in_the_embedded_store(
    gateway: MakeGateway, sqlite_url: str
) -> None:
    acme = gateway(sqlite_url, running_limit=1, waiting_limit=0)
    noted(acme)

    with slowed_sqlite(sqlite_url):
        goes_away(acme, COUNT)

        assert seconds_until(lambda: has_a_turn(acme)) < 1 + SLACK_SECONDS


def test_a_change_whose_client_goes_away_while_it_waits_is_not_made(gateway: MakeGateway, database_url: str) -> None:
    acme = gateway(database_url, running_limit=1, waiting_limit=0)
    id_ = acme.add_customer()
    acme.add_messages({"customer_id": id_})
    noted(acme)

    with locked(database_url):
        goes_away(acme, ARCHIVE, id=id_)
        assert seconds_until(lambda: has_a_turn(acme)) < STOPPED_SECONDS + SLACK_SECONDS

    # Nor later, by what was left of it; and it keeps nobody else from changing.
    time.sleep(0.5)
    assert archived(acme) == (0, 0)
    acme.client.data(ARCHIVE, id=id_)
    assert archived(acme) == (1, 1)


def test_a_change_that_commits_when_its_client_goes_away_is_made_whole(
    gateway: MakeGateway, postgresql_url: str, somebody: Session
) -> None:
    acme = gateway(postgresql_url, running_limit=1, waiting_limit=0)
    id_ = acme.add_customer()
    acme.add_messages({"customer_id": id_})
    noted(acme)
    somebody.run(SLOW_COMMIT)

    goes_away(acme, ARCHIVE, id=id_)

    assert archived(acme) == (0, 0)
    until(lambda: has_a_turn(acme), "the change has ended")
    assert archived(acme) == (1, 1)


def test_the_process_is_seen_to_live_while_operations_run_and_wait(
    gateway: MakeGateway, postgresql_url: str, somebody: Session, background: ThreadPoolExecutor
) -> None:
    acme = gateway(postgresql_url, running_limit=3, waiting_limit=30)

    with somebody.transaction(LOCKED), httpx.Client(base_url=acme.base_url) as http:
        operations = [background.submit(acme.client.data, COUNT) for _ in range(23)]
        somebody.until_waiting(3)
        took = [http.get("/healthz").elapsed.total_seconds() for _ in range(20)]

    assert median(took) < HEALTHY_SECONDS
    assert [operation.result() for operation in operations] == [{"customers": {"totalCount": 0}}] * 23
