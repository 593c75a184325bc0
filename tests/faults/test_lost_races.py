"""A mutation that loses a race against another transaction is done again from the start, a few times."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.engine import make_url

import stores
from customergraph.store.database import ATTEMPTS
from customergraph.store.failures import AGAIN
from faults.conftest import MakeGateway
from faults.expectations import COUNT, expect_unavailable
from faults.sessions import Session
from mutations import CANCELING, CREATE, on_customer
from statements import recorded

pytestmark = pytest.mark.slow

# Counts the attempts in a sequence, which no rollback undoes.
LOSE = """
CREATE SEQUENCE attempts;
CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF nextval('attempts') <= {losing} THEN RAISE 'another came between' USING ERRCODE = '{state}'; END IF;
  RETURN NULL;
END $$;
"""
AT_THE_CHANGE = "CREATE TRIGGER lose AFTER INSERT OR UPDATE ON customer EXECUTE FUNCTION lose()"
AT_THE_COMMIT = (
    "CREATE CONSTRAINT TRIGGER lose AFTER INSERT OR UPDATE ON customer"
    " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION lose()"
)
INPUT = {"firstName": "Ada", "email": "ada@example.com"}


def lose_first_attempts(session: Session, attempts: int, trigger: str = AT_THE_CHANGE, state: str = "40001") -> None:
    """Make the first attempts at any change of a customer fail."""
    session.run(LOSE.format(losing=attempts, state=state) + trigger)


def attempts(session: Session) -> int:
    return int(session.value("SELECT last_value - 1 + is_called::int FROM attempts"))


def test_the_victim_of_a_deadlock_is_tried_again(
    gateway: MakeGateway, postgresql_url: str, other_session: Session, background: ThreadPoolExecutor
) -> None:
    # The gateway's session checks for a deadlock first, and so becomes the victim.
    stores.execute(postgresql_url, f"ALTER DATABASE {make_url(postgresql_url).database} SET deadlock_timeout = 1500")
    other_session.run("SET deadlock_timeout = 60000")
    acme = gateway(postgresql_url)
    id_ = acme.add_customer()
    acme.add_messages({"customer_id": id_}, {"customer_id": id_})

    with recorded() as statements:
        with other_session.transaction("SELECT FROM message FOR UPDATE"):
            answer = background.submit(acme.client.data, on_customer("archiveCustomer"), id=id_)
            other_session.until_waiting()
            other_session.run("UPDATE customer SET notes = 'theirs'")
        assert answer.result()["archiveCustomer"]["userErrors"] == []

    # It may lose at the second attempt too.
    attempts = len([statement for statement in statements if "FOR UPDATE" in statement])
    assert 1 < attempts <= ATTEMPTS
    rows = stores.rows(postgresql_url, "SELECT notes, count(canceled_at) FROM customer, message GROUP BY notes")
    assert rows == [("theirs", 2)]


@pytest.mark.parametrize("trigger", [AT_THE_CHANGE, AT_THE_COMMIT], ids=["change", "commit"])
@pytest.mark.parametrize("state", ["40001", "40P01"])
def test_a_race_lost_twice_is_won_at_the_third_attempt(
    gateway: MakeGateway, postgresql_url: str, other_session: Session, state: str, trigger: str
) -> None:
    acme = gateway(postgresql_url)
    lose_first_attempts(other_session, 2, trigger, state)

    payload = acme.client.data(CREATE, input=INPUT)["createCustomer"]

    assert payload["userErrors"] == []
    assert attempts(other_session) == 3
    assert acme.client.data(COUNT) == {"customers": {"totalCount": 1}}


@pytest.mark.parametrize("trigger", [AT_THE_CHANGE, AT_THE_COMMIT], ids=["change", "commit"])
@pytest.mark.parametrize("name", CANCELING[:2])
def test_a_race_that_is_always_lost_ends_after_a_few_attempts_and_changes_nothing(
    gateway: MakeGateway, postgresql_url: str, other_session: Session, trigger: str, name: str
) -> None:
    acme = gateway(postgresql_url)
    id_ = acme.add_customer()
    acme.add_messages({"customer_id": id_})
    before = acme.rows()
    lose_first_attempts(other_session, 1_000_000, trigger)

    assert expect_unavailable(acme.client, on_customer(name), id=id_) == AGAIN

    assert attempts(other_session) == ATTEMPTS
    assert acme.rows() == before


def test_what_is_no_race_is_not_tried_again(gateway: MakeGateway, postgresql_url: str, other_session: Session) -> None:
    acme = gateway(postgresql_url)
    lose_first_attempts(other_session, 1_000_000, state="P0001")

    error = acme.client.error(CREATE, input=INPUT)

    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert "came between" not in str(error)
    assert attempts(other_session) == 1
