"""A pool without a free connection: requests wait for a limited time, and get a connection that becomes free."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from customergraph.store.failures import AGAIN, DONE_UNREAD
from factories import Tenant
from faults.conftest import MakeGateway
from faults.expectations import COUNT, SLACK_SECONDS, expect_unavailable, record_token_use
from faults.sessions import Session, locked
from mutations import on_customer

pytestmark = pytest.mark.slow

SIZE = 2
LOCK = "SELECT FROM customer WHERE id = {} FOR UPDATE"
LOCK_TABLE = "LOCK TABLE customer"
TAGS = "{ tags { slug } }"
ARCHIVE = on_customer("archiveCustomer")


def fill_pool_with_reads(
    acme: Tenant, background: ThreadPoolExecutor, session: Session
) -> list[Future[dict[str, Any]]]:
    """Let reads of a locked table take every connection of the pool."""
    reads = [background.submit(acme.client.data, COUNT) for _ in range(SIZE)]
    session.until_waiting(SIZE)
    return reads


def test_requests_that_find_no_connection_wait_for_a_bounded_time(
    gateway: MakeGateway, postgresql_url: str, other_session: Session, background: ThreadPoolExecutor
) -> None:
    acme = gateway(postgresql_url, pool_size=SIZE, pool_timeout=0.5)
    id_ = acme.add_customer()
    record_token_use(acme)

    with other_session.transaction(LOCK_TABLE):
        reads = fill_pool_with_reads(acme, background, other_session)
        started = time.monotonic()
        within = 0.5 + SLACK_SECONDS
        refused = background.map(
            lambda query: expect_unavailable(acme.client, query, within=within, id=id_), [COUNT, ARCHIVE] * 5
        )
        assert set(refused) == {AGAIN}
        assert time.monotonic() - started >= 0.5

    assert [read.result() for read in reads] == [{"customers": {"totalCount": 1}}] * SIZE
    # Few enough that each waits for less than half a second, even on a slow machine.
    again = 2 * SIZE
    assert list(background.map(acme.client.data, [COUNT] * again)) == [{"customers": {"totalCount": 1}}] * again


def test_a_request_waits_for_a_connection_that_is_given_back_in_time(
    gateway: MakeGateway, postgresql_url: str, other_session: Session, background: ThreadPoolExecutor
) -> None:
    acme = gateway(postgresql_url, pool_size=SIZE, pool_timeout=5)
    record_token_use(acme)

    with other_session.transaction(LOCK_TABLE):
        reads = fill_pool_with_reads(acme, background, other_session)
        waiting = background.submit(acme.client.data, COUNT)
        time.sleep(0.3)
        assert not waiting.done()

    assert waiting.result() == {"customers": {"totalCount": 0}}
    assert len([read.result() for read in reads]) == SIZE


def test_a_change_that_waits_keeps_a_connection_for_the_same_tokens_reads(
    gateway: MakeGateway, database_url: str, background: ThreadPoolExecutor
) -> None:
    acme = gateway(database_url, pool_size=SIZE, pool_timeout=5)
    id_ = acme.add_customer()
    record_token_use(acme)

    with locked(database_url):
        changes = [background.submit(acme.client.data, ARCHIVE, id=id_) for _ in range(SIZE)]
        time.sleep(0.5)
        assert [acme.client.data(COUNT) for _ in range(5)] == [{"customers": {"totalCount": 1}}] * 5
        assert not any(change.done() for change in changes)

    assert [change.result()["archiveCustomer"]["userErrors"] for change in changes] == [[]] * SIZE


def test_a_change_that_cannot_be_read_back_for_want_of_a_connection_is_reported_as_done(
    gateway: MakeGateway, postgresql_url: str, other_session: Session, background: ThreadPoolExecutor
) -> None:
    acme = gateway(postgresql_url, pool_size=SIZE, pool_timeout=3)
    changed = acme.add_customer()
    record_token_use(acme)

    with other_session.transaction(LOCK.format(changed)):
        answer = background.submit(expect_unavailable, acme.client, ARCHIVE, within=10, id=changed)
        other_session.until_waiting()
        with Session(postgresql_url) as other, other.transaction("LOCK TABLE tag"):
            reads = [background.submit(acme.client.data, TAGS) for _ in range(SIZE)]
            # One of them reads; the other gets its turn before the change is read back.
            other.until_waiting(SIZE)
            time.sleep(0.3)
            other_session.run("COMMIT; BEGIN")
            assert answer.result() == DONE_UNREAD

    assert [read.result() for read in reads] == [{"tags": []}] * SIZE
    assert acme.client.data("query($id: ID!) { customer(id: $id) { isArchived } }", id=changed) == {
        "customer": {"isArchived": True}
    }


def test_a_writer_gets_a_connection_that_is_kept_for_reads(
    gateway: MakeGateway, postgresql_url: str, other_session: Session, background: ThreadPoolExecutor
) -> None:
    acme = gateway(postgresql_url, pool_size=SIZE, pool_timeout=5)
    id_ = acme.add_customer()
    record_token_use(acme)
    with other_session.transaction(LOCK_TABLE):
        reads = fill_pool_with_reads(acme, background, other_session)
    assert [read.result() for read in reads] == [{"customers": {"totalCount": 1}}] * SIZE

    # One connection is kept for reads, and the other one is in use.
    with other_session.transaction("LOCK TABLE location"):
        slow = background.submit(acme.client.data, "{ locations { name } }")
        other_session.until_waiting()
        acme.client.data(COUNT)
        started = time.monotonic()
        answer = acme.client.data(on_customer("updateCustomerNotes"), id=id_)
        took = time.monotonic() - started

    assert answer["updateCustomerNotes"]["userErrors"] == []
    assert took < 4
    assert slow.result() == {"locations": []}


def test_an_operation_that_ends_early_gives_back_what_is_still_opening(
    gateway: MakeGateway, database_url: str, background: ThreadPoolExecutor
) -> None:
    acme = gateway(database_url, pool_size=SIZE, pool_timeout=5, list_limit=200)
    acme.add_customer()
    # The second field fails at once, and so the whole answer, while the first one waits for its connection.
    ids = ", ".join(f'"{number}"' for number in range(101))
    failing = f"{{ project {{ name }} nodes(ids: [{ids}]) {{ id }} }}"

    codes = list(background.map(lambda _: acme.client.code(failing), range(20)))

    assert set(codes) == {"BAD_USER_INPUT"}
    answers = list(background.map(lambda _: acme.client.data(COUNT), range(10)))
    assert answers == [{"customers": {"totalCount": 1}}] * 10
