"""A mutation whose connection breaks is done or not done, and the error says which, or that nobody knows."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from customergraph.store.failures import AGAIN, DONE_UNREAD, LOOK_FIRST
from factories import Tenant
from faults.conftest import MakeGateway
from faults.expectations import COUNT, expect_unavailable, record_token_use
from faults.sessions import Session
from faults.wire import Wire
from mutations import CANCELING, on_customer

pytestmark = pytest.mark.slow

READ = "query($id: ID!) { customer(id: $id) { messages { totalCount } } }"
TERMINATE = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def is_archived(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Return whether a customer and both its messages were changed; fails when only some of them were."""
    rows = [pair for table in ("customer", "message") for pair in zip(before[table], after[table], strict=True)]
    changed = {was != now for was, now in rows}
    assert (len(rows), len(changed)) == (3, 1)
    return changed == {True}


def customer_with_messages(tenant: Tenant) -> int:
    id_ = tenant.add_customer()
    tenant.add_messages(*({"customer_id": id_} for _ in range(2)))
    return id_


@pytest.mark.parametrize("name", CANCELING)
def test_a_connection_that_dies_before_the_commit_changes_nothing(
    gateway: MakeGateway, postgresql_url: str, other_session: Session, background: ThreadPoolExecutor, name: str
) -> None:
    acme = gateway(postgresql_url)
    id_ = customer_with_messages(acme)
    before = acme.rows()

    with other_session.transaction("SELECT FROM message FOR UPDATE"):
        answer = background.submit(expect_unavailable, acme.client, on_customer(name), id=id_)
        other_session.until_waiting()
        assert other_session.value(TERMINATE) == 1
        assert answer.result() == AGAIN

    assert acme.rows() == before
    acme.client.data(on_customer(name), id=id_)


@pytest.mark.parametrize("delivered", [True, False])
def test_a_connection_that_dies_at_the_commit_leaves_the_change_whole_or_undone(
    wired: Tenant, wire: Wire, *, delivered: bool
) -> None:
    id_ = customer_with_messages(wired)
    record_token_use(wired)
    before = wired.rows()

    wire.cut_at("COMMIT;", delivered=delivered)
    assert expect_unavailable(wired.client, on_customer("archiveCustomer"), id=id_) == LOOK_FIRST
    wire.mend()

    assert is_archived(before, wired.rows()) is delivered
    assert wired.client.data(COUNT) == {"customers": {"totalCount": 0 if delivered else 1}}


@pytest.mark.parametrize("delivered", [True, False])
def test_a_connection_that_dies_after_the_commit_is_reported_as_done(
    wired: Tenant, wire: Wire, *, delivered: bool
) -> None:
    id_ = customer_with_messages(wired)
    record_token_use(wired)
    before = wired.rows()

    wire.cut_at("REPEATABLE READ", delivered=delivered)
    assert expect_unavailable(wired.client, on_customer("archiveCustomer"), id=id_) == DONE_UNREAD
    wire.mend()

    assert is_archived(before, wired.rows())


@pytest.mark.parametrize("query", [READ, on_customer("archiveCustomer")], ids=["query", "mutation"])
def test_a_connection_that_dies_when_all_is_read_spoils_no_answer(wired: Tenant, wire: Wire, query: str) -> None:
    id_ = customer_with_messages(wired)
    record_token_use(wired)

    wire.cut_at("ROLLBACK;", delivered=False)
    assert wired.client.data(query, id=id_)
    wire.mend()

    wired.client.data(COUNT)
