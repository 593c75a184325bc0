"""Operations that take too long, whose client disconnects, or that are too many at once."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from statistics import median
from typing import Any

import httpx
import pytest

import stores
from commands.command import until
from factories import Tenant
from faults.conftest import MakeGateway
from faults.expectations import COUNT, SLACK_SECONDS, STOPPED_SECONDS, record_token_use, seconds_until
from faults.sessions import Session, locked
from graphql_client import cost
from mutations import on_customer

pytestmark = pytest.mark.slow

LOCKED = "LOCK TABLE customer"
PROJECT = "{ project { slug } }"
ARCHIVE = on_customer("archiveCustomer")
HEALTHY_SECONDS = 0.1
# A read of this view counts to a trillion first.
SLOW_SQLITE = """
CREATE VIEW customer AS SELECT hidden.* FROM hidden, (
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
    """Make every read of customers run for ever."""
    stores.execute(url, "ALTER TABLE customer RENAME TO hidden")
    stores.execute(url, SLOW_SQLITE)
    yield
    stores.execute(url, "DROP VIEW customer")
    stores.execute(url, "ALTER TABLE hidden RENAME TO customer")


def send_and_disconnect(tenant: Tenant, query: str, **variables: Any) -> None:
    """Send an operation, and disconnect before it is answered."""
    with pytest.raises(httpx.ReadTimeout):
        tenant.client.http.post("/graphql", json={"query": query, "variables": variables}, timeout=0.5)


def code_of_timeout(tenant: Tenant) -> str:
    """Send a query that must be stopped at its deadline; returns the code of the error."""
    response = tenant.client.post(COUNT)
    assert response.status_code == 504
    code: str = response.json()["errors"][0]["extensions"]["code"]
    return code


def has_free_turn(tenant: Tenant) -> bool:
    return tenant.client.post(PROJECT).status_code == 200


def archived_and_canceled(tenant: Tenant) -> tuple[int, int]:
    """Return the numbers of archived customers and canceled messages."""
    tables = ("customer", "message")
    columns = ("archived_at", "canceled_at")
    (customers,), (messages,) = (
        stores.rows(tenant.database_url, f"SELECT count({column}) FROM {table}")[0]  # noqa: S608 - ours
        for table, column in zip(tables, columns, strict=True)
    )
    return customers, messages


def test_an_operation_over_its_deadline_is_stopped_on_the_server_too(
    gateway: MakeGateway, postgresql_url: str, other_session: Session
) -> None:
    acme = gateway(postgresql_url, deadline=0.5, pool_size=2)

    with other_session.transaction(LOCKED):
        # More operations than there are connections.
        timed_out = [(code_of_timeout(acme), other_session.waiting()) for _ in range(3)]

    assert timed_out == [("TIMEOUT", 0)] * 3

    assert acme.client.data(COUNT) == {"customers": {"totalCount": 0}}


def test_the_operation_of_a_client_that_goes_away_is_stopped_on_the_server_too(
    gateway: MakeGateway, postgresql_url: str, other_session: Session
) -> None:
    acme = gateway(postgresql_url)

    with other_session.transaction(LOCKED):
        send_and_disconnect(acme, COUNT)
        until(lambda: other_session.waiting() == 0, "no session waits any more")

    assert acme.client.data(COUNT) == {"customers": {"totalCount": 0}}


def test_more_operations_than_may_run_and_wait_are_sent_away(
    gateway: MakeGateway, postgresql_url: str, other_session: Session, background: ThreadPoolExecutor
) -> None:
    acme = gateway(postgresql_url, running_limit=1, waiting_limit=0)
    authorization = acme.client.http.headers["authorization"]

    with other_session.transaction(LOCKED):
        first = background.submit(acme.client.data, COUNT)
        other_session.until_waiting()
        response = httpx.post(
            f"{acme.base_url}/graphql", json={"query": COUNT}, headers={"authorization": authorization}
        )
        assert httpx.get(f"{acme.base_url}/healthz").status_code == 200

    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert response.json()["errors"][0]["extensions"]["code"] == "OVERLOADED"
    assert cost(response.json()) == {"requested": 0, "actual": 0, "limit": 50_000}
    assert first.result() == acme.client.data(COUNT)


def test_an_operation_over_its_deadline_is_interrupted_in_the_embedded_store(
    gateway: MakeGateway, sqlite_url: str
) -> None:
    acme = gateway(sqlite_url, deadline=0.5, pool_size=2)
    record_token_use(acme)

    with slowed_sqlite(sqlite_url):
        started = time.monotonic()
        # More operations than there are connections.
        timed_out = [(code_of_timeout(acme), time.monotonic()) for _ in range(3)]

    assert [code for code, _ in timed_out] == ["TIMEOUT"] * 3
    ends = [started, *(end for _, end in timed_out)]
    assert max(end - begin for begin, end in pairwise(ends)) < 0.5 + SLACK_SECONDS

    assert acme.client.data(COUNT) == {"customers": {"totalCount": 0}}


def test_the_operation_of_a_client_that_goes_away_is_interrupted_in_the_embedded_store(
    gateway: MakeGateway, sqlite_url: str
) -> None:
    acme = gateway(sqlite_url, running_limit=1, waiting_limit=0)
    record_token_use(acme)

    with slowed_sqlite(sqlite_url):
        send_and_disconnect(acme, COUNT)

        assert seconds_until(lambda: has_free_turn(acme)) < 1 + SLACK_SECONDS


def test_a_change_whose_client_goes_away_while_it_waits_is_not_made(gateway: MakeGateway, database_url: str) -> None:
    acme = gateway(database_url, running_limit=1, waiting_limit=0)
    id_ = acme.add_customer()
    acme.add_messages({"customer_id": id_})
    record_token_use(acme)

    with locked(database_url):
        send_and_disconnect(acme, ARCHIVE, id=id_)
        assert seconds_until(lambda: has_free_turn(acme)) < STOPPED_SECONDS + SLACK_SECONDS

    # It is not made later either, and does not block other changes.
    time.sleep(0.5)
    assert archived_and_canceled(acme) == (0, 0)
    acme.client.data(ARCHIVE, id=id_)
    assert archived_and_canceled(acme) == (1, 1)


def test_a_change_that_commits_when_its_client_goes_away_is_made_whole(
    gateway: MakeGateway, postgresql_url: str, other_session: Session
) -> None:
    acme = gateway(postgresql_url, running_limit=1, waiting_limit=0)
    id_ = acme.add_customer()
    acme.add_messages({"customer_id": id_})
    record_token_use(acme)
    other_session.run(SLOW_COMMIT)

    send_and_disconnect(acme, ARCHIVE, id=id_)

    assert archived_and_canceled(acme) == (0, 0)
    until(lambda: has_free_turn(acme), "the change has ended")
    assert archived_and_canceled(acme) == (1, 1)


def test_the_health_check_is_answered_while_operations_run_and_wait(
    gateway: MakeGateway, postgresql_url: str, other_session: Session, background: ThreadPoolExecutor
) -> None:
    acme = gateway(postgresql_url, running_limit=3, waiting_limit=30)

    with other_session.transaction(LOCKED), httpx.Client(base_url=acme.base_url) as http:
        operations = [background.submit(acme.client.data, COUNT) for _ in range(23)]
        other_session.until_waiting(3)
        durations = [http.get("/healthz").elapsed.total_seconds() for _ in range(20)]

    assert median(durations) < HEALTHY_SECONDS
    assert [operation.result() for operation in operations] == [{"customers": {"totalCount": 0}}] * 23
