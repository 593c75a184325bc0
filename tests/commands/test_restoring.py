"""A backup is restored as the operators' page says, word by word: all rows are there, and are served."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import stores
from commands.command import PATIENCE_SECONDS, Command, answer, until
from commands.conftest import MakeCommand
from conftest import free_port
from customergraph import demo
from customergraph.domain.principal import Scope
from customergraph.store import access
from customergraph.store.database import Database
from customergraph.store.tables import metadata
from stores import PostgreSQLServer

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[2] / "src/customergraph/operate/README.md").read_text("utf-8")
QUERY = """{ customers(first: 50) { totalCount nodes {
  id name email notes tags { slug } messages { nodes { template status } } reviews { nodes { score body } }
  charges { nodes { amount currency } } } } }"""
LAST_USES = "SELECT last_used_at FROM token"
LOSSES: dict[str, Callable[[Path], object]] = {
    "removed": Path.unlink,
    "damaged": lambda path: path.write_bytes(b"no database" * 1000),
}


def block(name: str) -> str:
    """Return the commands of a block of the page."""
    found = re.search(rf"<!-- {name} -->\n```sh\n(.*?)```", PAGE, re.DOTALL)
    assert found, name
    return found[1]


def run(command: Command, name: str) -> str:
    """Run a block of the page in the folder of the command; returns the store's address of then."""
    words = ["bash", "-euo", "pipefail", "-c", f'{block(name)}\necho "${{CUSTOMERGRAPH_DATABASE_URL:-}}"']
    path = f"{Path(command.words()[0]).parent}:{command.env['PATH']}"
    ran = command.execute(words, env={"PATH": path})
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout.splitlines()[-1]


def rows(url: str) -> dict[str, list[Any]]:
    """Return all rows of a store, by table."""
    tables = [*metadata.tables, "alembic_version"]
    contents = {name: sorted(stores.rows(url, f"SELECT * FROM {name}"), key=repr) for name in tables}  # noqa: S608
    assert all(contents[name] for name in ("project", "token", "customer", "message", "review", "charge"))
    return contents


def fill(url: str) -> str:
    """Make a project with all kinds of rows; returns a token."""

    async def job(database: Database) -> str:
        await demo.fill(database, 200)
        return await access.create_token(database, demo.SLUG, "restoring", {Scope.READ}, None)

    return stores.on_database(url, job)


@contextmanager
def serving(command: Command, url: str) -> Iterator[int]:
    """Serve a store; yields the port."""
    port = free_port()
    process = command.start("serve", "--port", port, "--database-url", url)
    yield port
    process.terminate()
    assert process.wait(PATIENCE_SECONDS) == 0


@pytest.mark.parametrize("loss", LOSSES)
def test_a_backup_of_sqlite_is_restored(embedded: Command, loss: str) -> None:
    store = (embedded.folder / "store.db").rename(embedded.folder / "customergraph.db")
    url = f"sqlite+aiosqlite:///{store}"
    embedded.env["CUSTOMERGRAPH_DATABASE_URL"] = url
    token = fill(url)
    with serving(embedded, url) as port:
        answer_before = answer(port, token, QUERY)
        # It is noted after the answer.
        until(lambda: stores.rows(url, LAST_USES) != [(None,)], "the token's use is noted")
        before = rows(url)
        run(embedded, "sqlite-backup")

    LOSSES[loss](store)
    assert "customergraph.db" in embedded.refusal("db", "check")
    run(embedded, "sqlite-restore")

    assert rows(url) == before
    with serving(embedded, url) as port:
        assert answer(port, token, QUERY) == answer_before


@pytest.fixture
def operator(on_store: MakeCommand, contrib_postgresql: PostgreSQLServer, tmp_path: Path) -> Iterator[Command]:
    """The command on a database that was made as README says, and the environment of its operator."""
    admin = contrib_postgresql.url("postgres")
    stores.execute(admin, "CREATE ROLE customergraph LOGIN")
    stores.execute(admin, "CREATE DATABASE customergraph OWNER customergraph TEMPLATE template0 ENCODING UTF8")
    command = on_store(contrib_postgresql.url("customergraph").replace("postgres@", "customergraph@"))
    # The tests' server has another port, and knows the operating system's users by name.
    sudo = tmp_path / "sudo"
    sudo.write_text('#!/bin/sh\ntest "$1" = -u && export PGUSER="$2" && shift 2 && exec "$@"\n')
    sudo.chmod(0o755)
    programs = stores.contrib_programs()
    path = f"{tmp_path}:{programs}:{os.environ['PATH']}"
    command.env |= {"PGHOST": "127.0.0.1", "PGPORT": str(contrib_postgresql.port), "PATH": path}
    yield command
    command.stop()
    for name in ("customergraph", "restored"):
        stores.execute(admin, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    stores.execute(admin, "DROP ROLE customergraph")


def test_a_dump_of_postgresql_is_restored_to_a_new_database(operator: Command) -> None:
    operator.inside.succeed("db", "upgrade")
    url = operator.store_url
    token = fill(url)
    with serving(operator, url) as port:
        answer_before = answer(port, token, QUERY)
        # It is noted after the answer.
        until(lambda: stores.rows(url, LAST_USES) != [(None,)], "the token's use is noted")
        before = rows(url)
        run(operator, "postgresql-backup")
    operator.change("DROP TABLE charge")

    restored = run(operator, "postgresql-restore").replace("127.0.0.1", f"127.0.0.1:{operator.env['PGPORT']}")

    assert rows(restored) == before
    with serving(operator, restored) as port:
        assert answer(port, token, QUERY) == answer_before


def test_the_commands_of_an_upgrade_run(embedded: Command) -> None:
    run(embedded, "upgrade")
