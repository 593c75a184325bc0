"""Stores that hold something are brought up to date while they are served."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import stores
from factories import Tenant
from mutations import CREATE

LIST = "{ customers(filter: UNSUBSCRIBED, sortKey: ASKED_AT) { totalCount nodes { id } } }"


def make_first_version(url: str) -> None:
    """Take a store back to what the first migration makes."""
    stores.execute(url, "DROP INDEX ix_customer_unsubscribed_by_asked")
    stores.execute(url, "UPDATE alembic_version SET version_num = '0001'")


@contextmanager
def asked_again_and_again(tenant: Tenant) -> Iterator[list[str]]:
    """Read and write from another thread meanwhile; gives the codes of the errors that were answered."""
    errors: list[str] = []
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            for answer in (tenant.client.answer(LIST), tenant.client.answer(CREATE, input={"firstName": "Ada"})):
                errors.extend(error["extensions"]["code"] for error in answer.get("errors", ()))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield errors
    finally:
        ended.set()
        thread.join(20)


def test_a_filled_store_is_upgraded_while_an_older_worker_serves_it(acme: Tenant) -> None:
    make_first_version(acme.database_url)
    acme.add_histories(20)
    before = acme.rows()

    with asked_again_and_again(acme) as errors:
        upgraded = stores.upgraded(acme.database_url)

    assert upgraded
    assert errors == []
    assert stores.problems(acme.database_url) == stores.known_problems(acme.database_url)
    kept = acme.rows()
    for table, rows in before.items():
        assert set(rows) <= set(kept[table]), table
    assert not stores.upgraded(acme.database_url)


def test_a_store_of_an_older_version_is_told(database_url: str) -> None:
    make_first_version(database_url)

    (problem,) = stores.problems(database_url)

    assert problem == "the store's schema is behind (version 0001, needed 0002): run `customergraph db upgrade`"
