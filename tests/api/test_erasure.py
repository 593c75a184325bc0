"""Deleted and overwritten values disappear from all files of the embedded store soon after."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import stores
from commands.command import Imports, until
from conftest import RunningServer
from customergraph.settings import Settings
from factories import NOON, Tenant
from mutations import CREATE, on_customer

DELETE = on_customer("deleteCustomer")
INPUT = {
    "firstName": "Quillbertina",
    "lastName": "Vexworthing",
    "email": "quill.vex@erasure.example",
    "phone": "+31 20 794 8321",
    "company": "Zumbrotti Bakers",
    "notes": "Allergic to Brambleberries",
    "address1": "17 Oddfellow Crescent",
    "city": "Wexcombe",
    "postalCode": "99X77",
}
REASON = "mailbox of the lady is full"
# As they stand in the columns and in the keys for sorting and searching.
TRACES = [
    *(text for name, text in INPUT.items() if name != "phone"),
    *(INPUT[name].casefold() for name in ("firstName", "lastName", "company")),
    "+31207948321",
    REASON,
]


@pytest.fixture
def server(sqlite_url: str) -> Iterator[RunningServer]:
    with RunningServer(Settings(database_url=sqlite_url)) as server:
        yield server


@pytest.fixture
def acme(server: RunningServer, sqlite_url: str) -> Iterator[Tenant]:
    tenant = Tenant(server.url, sqlite_url, "acme")
    # Rows of other customers around the deleted ones.
    tenant.add_histories(20)
    yield tenant
    tenant.close()


@pytest.fixture
def path(sqlite_url: str) -> Path:
    return Path(sqlite_url.partition(":///")[2])


def traces(path: Path, words: list[str] = TRACES) -> list[str]:
    """Return the words that occur in the store's files."""
    content = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    return [word for word in words if word.encode() in content]


def add_traced_customer(acme: Tenant, **others: Any) -> int:
    """Add a customer with a history, and return its id."""
    id_: int = acme.client.data(CREATE, input={**INPUT, **others})["createCustomer"]["customer"]["databaseId"]
    acme.add_messages({"customer_id": id_, "failed_at": NOON, "failed_reason": REASON})
    acme.add_charges({"customer_id": id_})
    return id_


def delete(acme: Tenant, id_: int) -> None:
    assert acme.client.data(DELETE, id=id_)["deleteCustomer"]["userErrors"] == []


def test_a_deleted_customer_is_in_no_file_of_the_store(acme: Tenant, path: Path) -> None:
    id_ = add_traced_customer(acme)
    assert traces(path) == TRACES

    delete(acme, id_)

    until(lambda: traces(path) == [], "nothing is left")


def test_each_of_several_deletions_within_a_second_is_followed_by_a_checkpoint(acme: Tenant, path: Path) -> None:
    others: dict[str, Any] = {"email": "other@erasure.example", "phone": None}
    ids = [add_traced_customer(acme), add_traced_customer(acme, **others)]

    for id_ in ids:
        delete(acme, id_)

    until(lambda: traces(path, [*TRACES, "other@erasure.example"]) == [], "nothing is left")


def test_overwritten_values_are_in_no_file_of_the_store(acme: Tenant, path: Path, sqlite_url: str) -> None:
    id_ = add_traced_customer(acme)
    notes, email, name = INPUT["notes"], INPUT["email"], INPUT["lastName"]

    acme.client.data(on_customer("updateCustomerNotes", arguments=", notes: null"), id=id_)
    until(lambda: traces(path, [notes]) == [], "the notes are gone")
    assert traces(path, [email, name]) == [email, name]

    ((uuid,),) = stores.rows(sqlite_url, f"SELECT uuid FROM customer WHERE id = {id_}")  # noqa: S608 - ours
    imported = Imports(sqlite_url, path.parent).csv(
        "customers", "uuid,first_name,last_name,email", f"{uuid},A,B,a@b.example"
    )
    assert imported == (0, 1, 0)
    until(lambda: traces(path, [email, name, email.casefold(), name.casefold()]) == [], "email and name are gone")
    (path.parent / "customers.csv").unlink()


def test_a_reader_delays_a_checkpoint_but_not_answers_and_writers(acme: Tenant, path: Path) -> None:
    id_ = add_traced_customer(acme)
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM customer").fetchone() == (21,)

        began = time.monotonic()
        delete(acme, id_)
        time.sleep(1.5)
        assert acme.client.data(CREATE, input={"firstName": "Ada"})["createCustomer"]["userErrors"] == []
        # The pause, and less than a writer waits for a lock.
        assert time.monotonic() - began < 1.5 + 3

        assert traces(path) == TRACES
        reader.execute("ROLLBACK")

    until(lambda: traces(path) == [], "nothing is left")


def test_a_deletion_just_before_the_end_is_erased_too(acme: Tenant, server: RunningServer, path: Path) -> None:
    ids = [add_traced_customer(acme), add_traced_customer(acme, email=None, phone=None)]
    # Others have the store open, so that it is not closed with the server.
    with closing(sqlite3.connect(path)) as other:
        other.execute("SELECT count(*) FROM customer").fetchall()
        for id_ in ids:
            delete(acme, id_)
        server.__exit__()

        assert traces(path) == []
