"""A query on PostgreSQL reads one snapshot, and cannot change anything."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from factories import Tenant
from faults.conftest import MakeGateway
from faults.expectations import COUNT, record_token_use
from faults.sessions import Session
from faults.wire import Wire
from mutations import on_customer

pytestmark = pytest.mark.slow

NESTED = "{ customers%s { totalCount nodes { isArchived messages { totalCount nodes { status } } } } }"
# A search has a plan of its own, so that its levels are read one after another.
SEARCH = '(q: "Ann")'


def test_what_is_committed_between_two_levels_of_a_query_is_not_seen_by_it(
    gateway: MakeGateway, postgresql_url: str, other_session: Session, background: ThreadPoolExecutor
) -> None:
    acme = gateway(postgresql_url)
    id_ = acme.add_customer(first_name="Ann")
    acme.add_messages({"customer_id": id_}, {"customer_id": id_})

    with other_session.transaction("LOCK TABLE message IN ACCESS EXCLUSIVE MODE"):
        # The query has read the customers, and waits for their messages.
        answer = background.submit(acme.client.data, NESTED % SEARCH)
        other_session.until_waiting()
        other_session.run("UPDATE message SET canceled_at = now(); UPDATE customer SET archived_at = now()")
        other_session.run("DELETE FROM message WHERE id = (SELECT max(id) FROM message)")

    scheduled = {"totalCount": 2, "nodes": [{"status": "SCHEDULED"}] * 2}
    assert answer.result() == {"customers": {"totalCount": 1, "nodes": [{"isArchived": False, "messages": scheduled}]}}
    assert acme.client.data(COUNT) == {"customers": {"totalCount": 0}}


def test_a_query_that_is_one_statement_sees_one_state(
    gateway: MakeGateway, postgresql_url: str, other_session: Session, background: ThreadPoolExecutor
) -> None:
    acme = gateway(postgresql_url)
    id_ = acme.add_customer()
    acme.add_messages({"customer_id": id_}, {"customer_id": id_})

    with other_session.transaction("LOCK TABLE message IN ACCESS EXCLUSIVE MODE"):
        answer = background.submit(acme.client.data, NESTED % "")
        other_session.until_waiting()
        other_session.run("UPDATE customer SET archived_at = now(); DELETE FROM message")

    # PostgreSQL takes the snapshot of a statement when it has all its locks.
    assert answer.result() == {"customers": {"totalCount": 0, "nodes": []}}


def test_a_query_is_read_only_and_a_mutation_writes_in_one_transaction(wired: Tenant, wire: Wire) -> None:
    id_ = wired.add_customer()
    record_token_use(wired)

    def transactions(query: str) -> list[bytes]:
        wire.sent = b""
        wired.client.data(query, id=id_)
        return re.findall(rb"(BEGIN[^;]*|COMMIT|ROLLBACK);", wire.sent)

    snapshot = [b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", b"ROLLBACK"]
    assert transactions('query($id: ID!) { customer(id: $id) { id } customers(q: "Ann") { totalCount } }') == snapshot
    assert transactions("query($id: ID!) { customer(id: $id) { messages { totalCount } } }") == []
    mutation = transactions(on_customer("archiveCustomer"))
    assert mutation[1:] == [b"COMMIT", *snapshot]
    assert b"READ ONLY" not in mutation[0]
