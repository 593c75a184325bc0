"""The command for tests: as a process, in the process of the test, and its imports."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from commands.command import Command, Imports
from commands.load import Served, until
from commands.serving import Serve, Serving
from conftest import free_port
from factories import Tenant
from stores import PostgreSQLServer

MakeCommand = Callable[[str], Command]
MakeServed = Callable[..., Served]


@pytest.fixture
def on_store(tmp_path: Path) -> Iterator[MakeCommand]:
    """Makes the command on a store; all run in one folder."""
    made: list[Command] = []

    def make(store_url: str) -> Command:
        made.append(Command(tmp_path, store_url))
        return made[-1]

    yield make
    for command in made:
        command.stop()


@pytest.fixture
def command(on_store: MakeCommand, database_url: str) -> Command:
    """The command on a store without rows."""
    return on_store(database_url)


@pytest.fixture
def embedded(on_store: MakeCommand, sqlite_url: str) -> Command:
    """The command on an embedded store without rows, for tests that do not depend on the kind of store."""
    return on_store(sqlite_url)


@pytest.fixture
def embedded_acme(embedded: Command) -> Command:
    """The command on an embedded store with a project."""
    embedded.inside.succeed("project", "create", "acme", "--name", "Acme")
    return embedded


@pytest.fixture
def new_sqlite_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def new_postgresql_url(postgresql: PostgreSQLServer) -> Iterator[str]:
    name = postgresql.create()
    yield postgresql.url(name)
    postgresql.drop(name)


@pytest.fixture
def new_embedded(on_store: MakeCommand, new_sqlite_url: str) -> Command:
    """The command in an empty folder, without a store."""
    return on_store(new_sqlite_url)


@pytest.fixture(params=["sqlite", "postgresql"])
def new_store(request: pytest.FixtureRequest, on_store: MakeCommand) -> Command:
    """The command without a store; on PostgreSQL, with a database without tables."""
    return on_store(request.getfixturevalue(f"new_{request.param}_url"))


@pytest.fixture
def imports(database_url: str, tmp_path: Path) -> Imports:
    """Imports into a project whose days are UTC's."""
    return Imports(database_url, tmp_path).create_project()


def _serving(command: Command) -> Iterator[Serve]:
    made: list[Serving] = []

    def serve(**settings: str) -> Serving:
        made.append(Serving(command, **settings))
        return made[-1]

    yield serve
    for serving in made:
        serving.http.close()


@pytest.fixture
def serve_demo(command: Command) -> Iterator[Serve]:
    """Serves a demo, on each engine in turn, with settings."""
    yield from _serving(command)


@pytest.fixture
def serve_embedded(embedded: Command) -> Iterator[Serve]:
    """Serves a demo in an embedded store, with settings."""
    yield from _serving(embedded)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[MakeServed]:
    """Serves a store with so many workers, as a process; settings may follow, or a socket that systemd would pass."""
    made: list[Served] = []

    def start(
        store_url: str, workers: int, port: int | None = None, passed: socket.socket | None = None, **env: str
    ) -> Served:
        command, own_port = Command(tmp_path, store_url), port or free_port()
        command.env.update(env)
        process = command.start("serve", "--port", own_port, "--workers", workers, passed=passed)
        port = passed.getsockname()[1] if passed else own_port
        slug = f"acme-{len(made)}" if made else "acme"
        made.append(Served(command, process, Tenant(f"http://127.0.0.1:{port}", store_url, slug)))
        until(made[-1].lives, "it serves")
        until(lambda: command.stderr().count("startup complete") >= workers, "all workers serve")
        return made[-1]

    yield start
    for served in made:
        served.tenant.close()
        served.command.stop()
