"""Every error of a mutation says whether the change was made: not done, done, or that nobody knows."""

import time
from typing import Any

import pytest

import stores
from factories import Tenant
from faults.conftest import MakeGateway
from faults.expectations import record_token_use
from faults.sessions import Session, locked
from faults.test_limits_of_time import SLOW_COMMIT, archived_and_canceled
from mutations import on_customer

pytestmark = pytest.mark.slow

ARCHIVE = on_customer("archiveCustomer")
BOTH = "mutation($id: ID!) { a: archiveCustomer(id: $id) { userErrors { code } } b: updateCustomerNotes(id: $id) %s }"
REFUSE = {
    "sqlite": "CREATE TRIGGER refuse BEFORE UPDATE ON customer BEGIN SELECT RAISE(ABORT, 'refused'); END",
    "postgresql": "CREATE TRIGGER refuse AFTER UPDATE ON customer EXECUTE FUNCTION refuse()",
}
REFUSE_FUNCTION = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$
"""
REFUSE_COMMIT = """
CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON customer DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION refuse()
"""


def customer_with_message(tenant: Tenant) -> int:
    id_ = tenant.add_customer()
    tenant.add_messages({"customer_id": id_})
    record_token_use(tenant)
    return id_


def internal_error(tenant: Tenant, query: str, **variables: Any) -> tuple[str, dict[str, Any]]:
    """Send an operation that must fail with an internal error; returns its message without the id, and extensions."""
    error = tenant.client.error(query, **variables)
    extensions = error["extensions"]
    assert extensions.pop("code") == "INTERNAL_SERVER_ERROR", error
    id_ = extensions.pop("id")
    assert error["message"].endswith(f"this id: {id_}")
    return error["message"].partition(":")[0], extensions


def test_a_fault_before_the_commit_is_reported_as_internal_and_not_done(
    gateway: MakeGateway, database_url: str
) -> None:
    acme = gateway(database_url)
    id_ = customer_with_message(acme)
    engine = stores.engine_of(database_url)
    if engine == "postgresql":
        stores.execute(database_url, REFUSE_FUNCTION)
    stores.execute(database_url, REFUSE[engine])

    assert internal_error(acme, ARCHIVE, id=id_) == ("The change is not done", {"done": False})
    assert archived_and_canceled(acme) == (0, 0)


def test_a_fault_at_the_commit_is_reported_as_internal_and_not_done(gateway: MakeGateway, postgresql_url: str) -> None:
    acme = gateway(postgresql_url)
    id_ = customer_with_message(acme)
    stores.execute(postgresql_url, REFUSE_FUNCTION)
    stores.execute(postgresql_url, REFUSE_COMMIT)

    assert internal_error(acme, ARCHIVE, id=id_) == ("The change is not done", {"done": False})
    assert archived_and_canceled(acme) == (0, 0)


def test_a_fault_after_the_commit_is_reported_as_internal_and_done(gateway: MakeGateway, database_url: str) -> None:
    acme = gateway(database_url)
    id_ = customer_with_message(acme)
    stores.execute(database_url, "ALTER TABLE tag RENAME TO gone")

    error = internal_error(acme, on_customer("archiveCustomer", "customer { tags { slug } }"), id=id_)

    message = "The change is done, but something went wrong on our side. Do not repeat it. Tell us this id"
    assert error == (message, {"done": True})
    assert archived_and_canceled(acme) == (1, 1)


def test_a_fault_in_a_query_is_reported_without_a_word_about_changes(gateway: MakeGateway, database_url: str) -> None:
    acme = gateway(database_url)
    stores.execute(database_url, "ALTER TABLE tag RENAME TO gone")

    assert internal_error(acme, "{ tags { slug } }") == ("Something went wrong on our side. Tell us this id", {})


def test_a_bad_argument_in_what_a_mutation_answers_is_reported_with_the_change_that_was_made(
    gateway: MakeGateway, database_url: str
) -> None:
    acme = gateway(database_url)
    id_ = customer_with_message(acme)

    query = on_customer("archiveCustomer", 'customer { messages(after: "broken") { totalCount } }')
    error = acme.client.error(query, id=id_)

    assert error["message"].startswith("The change is done. ")
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "done": True}
    assert archived_and_canceled(acme) == (1, 1)


def timeout_error(tenant: Tenant, query: str, **variables: Any) -> tuple[str, bool | None]:
    """Send an operation that must be stopped at its deadline; returns the end of the message, and `done`."""
    response = tenant.client.post(query, variables)
    (error,) = response.json()["errors"]
    assert (response.status_code, error["extensions"].pop("code")) == (504, "TIMEOUT")
    return error["message"].partition(" and was stopped")[2], error["extensions"]["done"]


def test_a_change_that_waits_at_its_deadline_is_reported_as_not_done(gateway: MakeGateway, database_url: str) -> None:
    acme = gateway(database_url, deadline=0.5)
    id_ = customer_with_message(acme)

    with locked(database_url):
        error = timeout_error(acme, ARCHIVE, id=id_)

    assert error == (". It is not done: ask for less.", False)
    time.sleep(0.5)
    assert archived_and_canceled(acme) == (0, 0)


def test_a_change_that_commits_at_its_deadline_is_reported_as_done(
    gateway: MakeGateway, postgresql_url: str, other_session: Session
) -> None:
    acme = gateway(postgresql_url, deadline=0.5)
    id_ = customer_with_message(acme)
    other_session.run(SLOW_COMMIT)

    assert timeout_error(acme, ARCHIVE, id=id_) == (
        ". The change is done, but it was not read back. Do not repeat it.",
        True,
    )
    assert archived_and_canceled(acme) == (1, 1)


@pytest.mark.parametrize(
    "selection", ["{ userErrors { code } }", "{ userErrors { code } } ...on Mutation { __typename }"]
)
def test_a_change_that_was_made_before_the_deadline_keeps_its_answer(
    gateway: MakeGateway, postgresql_url: str, other_session: Session, selection: str
) -> None:
    acme = gateway(postgresql_url, deadline=1)
    id_ = customer_with_message(acme)
    other_session.run(SLOW_COMMIT)

    response = acme.client.post(BOTH % selection, {"id": id_})

    body = response.json()
    (error,) = body["errors"]
    assert (response.status_code, body["data"]["a"], body["data"]["b"]) == (200, {"userErrors": []}, None)
    assert (error["path"], error["extensions"]["code"]) == (["b"], "TIMEOUT")
    notes = other_session.value("SELECT count(*) FROM customer WHERE updated_at > archived_at")
    assert error["extensions"]["done"] is (notes == 1)
