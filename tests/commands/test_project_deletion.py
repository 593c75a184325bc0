"""A project is deleted with all that belongs to it, while others are served (contract, `cli.md`)."""

import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import stores
from commands.command import PATIENCE_SECONDS, Command, until
from commands.conftest import MakeCommand
from conftest import MakeTenant
from customergraph.domain.principal import Scope
from customergraph.store.tables import metadata
from factories import Tenant
from mutations import CREATE

pytestmark = pytest.mark.slow

DELETE = ("project", "delete", "acme", "--confirm", "acme")
PROJECT = "{ project { slug } }"
# More than a batch of every kind.
MANY = 1_500
TABLES = sorted(table.name for table in metadata.tables.values() if "project_id" in table.c)


@pytest.fixture
def command(acme: Tenant, on_store: MakeCommand) -> Command:
    return on_store(acme.database_url)


def rows_of(tenant: Tenant) -> dict[str, int]:
    """Count the rows of a project in each table that has any."""
    counts = {
        name: stores.rows(
            tenant.database_url,
            f"SELECT count(*) FROM {name} WHERE project_id = {tenant.project_id}",  # noqa: S608 - ours
        )[0][0]
        for name in TABLES
    }
    return {name: count for name, count in counts.items() if count}


def test_nothing_of_a_deleted_project_is_left_and_others_keep_everything(
    acme: Tenant, make_tenant: MakeTenant, command: Command
) -> None:
    other = make_tenant("other")
    for tenant in (acme, other):
        tenant.add_histories(MANY if tenant is acme else 3, each=1)
        tenant.add_reviews({"customer_id": None})
    assert set(rows_of(acme)) == set(TABLES), "the deletion has to be tried with rows of every table"
    before = other.rows()
    count = sum(rows for name, rows in rows_of(acme).items() if name != "token")

    result = command.inside.run(*DELETE)

    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr == f"Project acme was deleted ({count:,} rows).\n"
    assert rows_of(acme) == {}
    assert command.rows("SELECT slug FROM project") == ["other"]
    assert other.rows() == before
    assert other.client.data(PROJECT) == {"project": {"slug": "other"}}
    assert acme.client.code(PROJECT) == "UNAUTHENTICATED"
    assert stores.problems(acme.database_url) == stores.known_problems(acme.database_url)
    command.inside.succeed("project", "create", "acme", "--name", "Another Acme")


@contextmanager
def in_use(tenant: Tenant) -> Iterator[list[float]]:
    """Add customers to a project until the end of the block; yields how long each took."""
    seconds: list[float] = []
    stop = threading.Event()

    def use() -> None:
        while not stop.is_set():
            began = time.monotonic()
            tenant.client.data(CREATE, input={"firstName": "Ada"})
            seconds.append(time.monotonic() - began)

    thread = threading.Thread(target=use)
    thread.start()
    try:
        yield seconds
    finally:
        stop.set()
        thread.join(PATIENCE_SECONDS)


def test_writers_of_another_project_go_on_during_a_deletion(
    acme: Tenant, make_tenant: MakeTenant, command: Command
) -> None:
    acme.add_histories(MANY)
    other = make_tenant("other")

    with in_use(other) as seconds:
        command.succeed(*DELETE)

    assert len(seconds) == len(other.rows()["customer"])
    assert max(seconds) < 3


def test_clients_of_the_project_are_told_that_their_token_is_not_valid(acme: Tenant, command: Command) -> None:
    acme.add_histories(20)
    process = command.start(*DELETE)
    answers: list[dict[str, Any]] = []
    while process.poll() is None:
        answers += [acme.client.answer(PROJECT), acme.client.answer(CREATE, input={"firstName": "Ada"})]

    assert process.returncode == 0, command.stderr()
    codes = [error["extensions"]["code"] for answer in answers for error in answer.get("errors", ())]
    assert set(codes) == {"UNAUTHENTICATED"}
    assert rows_of(acme) == {}


def test_a_deletion_that_was_killed_is_reported_and_completed(acme: Tenant, command: Command) -> None:
    acme.add_histories(MANY)
    process = command.start(*DELETE)
    until(lambda: command.rows("SELECT count(*) FROM message") < [3 * MANY], "the deletion has begun")
    process.kill()
    process.wait(PATIENCE_SECONDS)
    assert rows_of(acme)["customer"] == MANY

    command.file("tags.csv", "slug,name\nvip,VIP\n")
    for words in (
        ("token", "create", "--project", "acme", "--name", "x"),
        ("import", "tags", "tags.csv", "--project", "acme"),
        ("project", "rename", "acme", "--name", "x"),
    ):
        refusal = command.inside.refusal(*words)
        assert refusal == "the project 'acme' is being deleted: `project delete` completes that"
    problem = "project acme: its deletion is not complete: run `customergraph project delete` for it"
    assert problem in stores.problems(acme.database_url)

    began = time.monotonic()
    command.inside.succeed(*DELETE)
    assert rows_of(acme) == {}
    assert command.rows("SELECT count(*) FROM project") == [0]
    # Its tokens were revoked long enough ago: nothing is waited for.
    assert time.monotonic() - began < PATIENCE_SECONDS


def test_an_interrupted_deletion_ends_in_one_line_and_is_completed(acme: Tenant, command: Command) -> None:
    acme.add_histories(MANY)
    process = command.start(*DELETE)
    until(lambda: command.rows("SELECT count(*) FROM message") < [3 * MANY], "the deletion has begun")
    process.send_signal(signal.SIGINT)

    assert process.wait(PATIENCE_SECONDS) == 130
    assert command.stderr() == "customergraph: interrupted\n"
    assert rows_of(acme)["customer"] == MANY
    command.inside.succeed(*DELETE)
    assert rows_of(acme) == {}


def test_an_import_stops_when_its_project_is_deleted(acme: Tenant, command: Command) -> None:
    process = command.start(
        *("import", "customers", "-", "--format", "csv", "--project", "acme"), stdin=subprocess.PIPE
    )
    assert process.stdin
    process.stdin.write("first_name,email\n" + "".join(f"Ann,a{number}@example.com\n" for number in range(5_001)))
    process.stdin.flush()
    until(lambda: rows_of(acme).get("customer") == 5_000, "the first batch is imported")

    command.inside.succeed(*DELETE)
    process.communicate("Bob,bob@example.com\n", PATIENCE_SECONDS)

    assert process.returncode == 1
    assert command.stderr() == "customergraph: the project 'acme' is being deleted: `project delete` completes that\n"
    assert rows_of(acme) == {}


def test_a_deleted_project_is_in_no_file_of_an_embedded_store_that_is_open(sqlite_url: str, tmp_path: Path) -> None:
    command = Command(tmp_path, sqlite_url)
    words = ("Quillbertina", "quill.vex@erasure.example", "Zumbrotti", "brambleberries")
    command.inside.succeed("project", "create", "acme", "--name", "Zumbrotti Bakers")
    command.inside.succeed("token", "create", "--project", "acme", "--name", "for brambleberries")
    command.file("customers.csv", f"first_name,email\n{words[0]},{words[1]}\n")
    command.inside.succeed("import", "customers", "customers.csv", "--project", "acme")

    def traces() -> list[str]:
        content = b"".join(path.read_bytes() for path in tmp_path.glob("store.db*"))
        return [word for word in words if word.encode() in content]

    assert traces() == list(words)

    with stores.holding(sqlite_url, "SELECT 1"):
        command.inside.succeed(*DELETE)

        assert traces() == []


def test_a_terminal_is_asked_for_the_slug(sqlite_url: str, tmp_path: Path) -> None:
    command = Command(tmp_path, sqlite_url)
    command.inside.succeed("project", "create", "acme", "--name", "Acme")
    words = ["script", "--quiet", "--return", "--command", shlex.join(command.words("project", "delete", "acme"))]

    wrong = command.execute([*words, "/dev/null"], stdin="amce\n")
    kept = command.rows("SELECT slug FROM project")
    right = command.execute([*words, "/dev/null"], stdin="acme\n")

    assert (wrong.returncode, kept) == (1, ["acme"])
    assert "The project acme with 0 customers will be deleted, and cannot be brought back." in wrong.stdout
    assert "nothing was deleted: that is not the slug" in wrong.stdout
    assert right.returncode == 0, right.stdout
    assert command.rows("SELECT slug FROM project") == []


def test_a_remembered_token_of_a_project_that_is_gone_is_refused(acme: Tenant) -> None:
    token = acme.client_with(Scope.READ, Scope.WRITE)
    token.data(PROJECT)
    for table in ("token", "project"):
        stores.execute(acme.database_url, f"DELETE FROM {table}")  # noqa: S608 - ours

    assert token.code(PROJECT) == "UNAUTHENTICATED"
    assert token.error(CREATE, input={"firstName": "Ada"})["extensions"] == {
        "code": "STORE_UNAVAILABLE",
        "done": False,
    }
