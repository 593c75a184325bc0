"""A statement that takes too long ends, on the server too."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from commands.command import until
from customergraph.store.failures import AGAIN
from faults.conftest import MakeGateway
from faults.expectations import COUNT, SLACK_SECONDS, expect_unavailable, record_token_use
from faults.sessions import Session, locked
from mutations import on_customer

pytestmark = pytest.mark.slow

LIMIT_SECONDS = 0.5
WITHIN = LIMIT_SECONDS + SLACK_SECONDS
SLOW = """
CREATE FUNCTION sleep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$;
CREATE TRIGGER sleep BEFORE UPDATE ON customer FOR EACH ROW EXECUTE FUNCTION sleep()
"""


def test_a_change_that_takes_too_long_ends_on_the_server_too(
    gateway: MakeGateway, postgresql_url: str, other_session: Session
) -> None:
    acme = gateway(postgresql_url, statement_timeout=LIMIT_SECONDS)
    id_ = acme.add_customer()
    record_token_use(acme)
    before = acme.rows()
    other_session.run(SLOW)

    assert expect_unavailable(acme.client, on_customer("archiveCustomer"), within=WITHIN, id=id_) == AGAIN

    until(lambda: other_session.running() == 0, "nothing runs")
    assert acme.rows() == before


def test_a_change_that_waits_too_long_for_a_lock_waits_no_more_on_the_server(
    gateway: MakeGateway, postgresql_url: str, other_session: Session
) -> None:
    acme = gateway(postgresql_url, statement_timeout=LIMIT_SECONDS)
    id_ = acme.add_customer()
    record_token_use(acme)

    with locked(postgresql_url):
        assert expect_unavailable(acme.client, on_customer("archiveCustomer"), within=WITHIN, id=id_) == AGAIN
        assert other_session.waiting() == 0

    acme.client.data(on_customer("archiveCustomer"), id=id_)


def test_a_query_that_takes_too_long_ends_on_the_server_too(
    gateway: MakeGateway, postgresql_url: str, other_session: Session, background: ThreadPoolExecutor
) -> None:
    acme = gateway(postgresql_url, statement_timeout=LIMIT_SECONDS)
    record_token_use(acme)

    with other_session.transaction("LOCK TABLE customer IN ACCESS EXCLUSIVE MODE"):
        refused = background.map(lambda query: expect_unavailable(acme.client, query, within=WITHIN), [COUNT] * 8)
        assert set(refused) == {AGAIN}
        assert other_session.waiting() == 0

    # The connections serve on.
    assert list(background.map(acme.client.data, [COUNT] * 8)) == [{"customers": {"totalCount": 0}}] * 8
