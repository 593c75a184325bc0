"""A pool without a free connection: requests wait for a bounded time, and get what is free again."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

from commands.command import PATIENCE_SECONDS, until
from customergraph.store.failures import AGAIN, DONE_UNREAD
from factories import Tenant
from faults.around import COUNT, SLACK_SECONDS, Session, locked, noted, unavailable
from faults.conftest import MakeGateway
from mutations import on_customer
from statements import recorded

SIZE = 2
LOCK = "SELECT FROM customer WHERE id = {} FOR UPDATE"
ARCHIVE = on_customer("archiveCustomer")


def is_full(acme: Tenant) -> bool:
    return "errors" in acme.client.answer(COUNT)


def test_requests_that_find_no_connection_wait_for_a_bounded_time(
    gateway: MakeGateway, database_url: str, background: ThreadPoolExecutor
) -> None:
    acme = gateway(database_url, pool_size=SIZE, pool_timeout=0.5)
    id_ = acme.add_customer()
    noted(acme)

    with locked(database_url):
        holding = [background.submit(acme.client.data, ARCHIVE, id=id_) for _ in range(SIZE)]
        until(lambda: is_full(acme), "the pool is full")
        started = time.monotonic()
        within = 0.5 + SLACK_SECONDS
        refused = background.map(
            lambda query: unavailable(acme.client, query, within=within, id=id_), [COUNT, ARCHIVE] * 5
        )
        assert set(refused) == {AGAIN}
        assert time.monotonic() - started >= 0.5

    assert [future.result()["archiveCustomer"]["userErrors"] for future in holding] == [[], []]
    # As many as all of them wait for half a second at most, also where a machine is slow.
    again = 2 * SIZE
    assert list(background.map(acme.client.data, [COUNT] * again)) == [{"customers": {"totalCount": 0}}] * again


def test_a_request_waits_for_a_connection_that_is_given_back_in_time(
    gateway: MakeGateway, database_url: str, background: ThreadPoolExecutor
) -> None:
    acme = gateway(database_url, pool_size=SIZE, pool_timeout=0.5)
    id_ = acme.add_customer()
    noted(acme)

    with locked(database_url):
        holding = [background.submit(acme.client.data, ARCHIVE, id=id_) for _ in range(SIZE)]
        until(lambda: is_full(acme), "the pool is full")
        waiting = background.submit(acme.client.data, COUNT)

    assert waiting.result() == {"customers": {"totalCount": 0}}
    assert len([future.result() for future in holding]) == SIZE


def test_a_change_that_cannot_be_read_back_for_want_of_a_connection_is_told_as_done(
    gateway: MakeGateway, postgresql_url: str, somebody: Session, background: ThreadPoolExecutor
) -> None:
    acme = gateway(postgresql_url, pool_size=SIZE, pool_timeout=1)
    held, changed = acme.add_customers({}, {})
    noted(acme)
    body_comes = Event()

    with somebody.transaction(LOCK.format(held)), Session(postgresql_url) as other:
        with other.transaction(LOCK.format(changed)):
            with recorded() as statements:
                late = background.submit(archived_late, acme, held, body_comes)
                until(lambda: any("FROM token" in statement for statement in statements), "its token is known")
            holding = background.submit(acme.client.data, ARCHIVE, id=held)
            answer = background.submit(unavailable, acme.client, ARCHIVE, id=changed)
            other.until_waiting(SIZE)
            body_comes.set()
            time.sleep(0.3)  # the late one stands in line for the connection that is given back at the commit
        assert answer.result() == DONE_UNREAD

    assert acme.client.data("query($id: ID!) { customer(id: $id) { isArchived } }", id=changed) == {
        "customer": {"isArchived": True}
    }
    for future in (late, holding):
        assert future.result()["archiveCustomer"]["userErrors"] == []


def archived_late(acme: Tenant, id_: int, body_comes: Event) -> Any:
    """Archive a customer by a request whose body comes late, when its token has been checked."""

    def body() -> Iterator[bytes]:
        yield b" "
        assert body_comes.wait(PATIENCE_SECONDS)
        yield json.dumps({"query": ARCHIVE, "variables": {"id": id_}}).encode()

    response = acme.client.http.post("/graphql", content=body(), headers={"Content-Type": "application/json"})
    return response.json()["data"]
