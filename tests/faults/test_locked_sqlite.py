"""SQLite locked by another writer: changes wait, within a bound; reading goes on."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from customergraph.store.failures import AGAIN
from customergraph.store.sqlite import BUSY_TIMEOUT_SECONDS
from faults.conftest import MakeGateway
from faults.expectations import COUNT, SLACK_SECONDS, expect_unavailable, record_token_use
from faults.sessions import locked
from mutations import on_customer

pytestmark = pytest.mark.slow

ARCHIVE = on_customer("archiveCustomer")


def test_a_change_waits_for_another_writer_until_the_busy_timeout(
    gateway: MakeGateway, sqlite_url: str, background: ThreadPoolExecutor
) -> None:
    acme = gateway(sqlite_url, bucket_refill=10**6)
    id_ = acme.add_customer()
    record_token_use(acme)
    before = acme.rows()

    with locked(sqlite_url):
        started = time.monotonic()
        within = BUSY_TIMEOUT_SECONDS + SLACK_SECONDS
        changes = [background.submit(expect_unavailable, acme.client, ARCHIVE, within=within, id=id_) for _ in range(2)]
        reads = 0
        while not all(change.done() for change in changes):
            assert acme.client.data(COUNT) == {"customers": {"totalCount": 1}}
            reads += 1
        assert time.monotonic() - started >= BUSY_TIMEOUT_SECONDS * 0.9

    assert [change.result() for change in changes] == [AGAIN, AGAIN]
    assert reads >= BUSY_TIMEOUT_SECONDS
    assert acme.rows() == before
    acme.client.data(ARCHIVE, id=id_)


def test_a_writer_that_ends_in_time_is_waited_for(
    gateway: MakeGateway, sqlite_url: str, background: ThreadPoolExecutor
) -> None:
    acme = gateway(sqlite_url)
    id_ = acme.add_customer()
    record_token_use(acme)

    with locked(sqlite_url):
        change = background.submit(acme.client.data, ARCHIVE, id=id_)
        time.sleep(1)
        assert not change.done()

    assert change.result()["archiveCustomer"]["userErrors"] == []
    assert acme.client.data(COUNT) == {"customers": {"totalCount": 0}}
