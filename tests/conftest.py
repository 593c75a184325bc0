"""The gateway under test: the real application on a real server, over a store made by the migrations."""

import asyncio
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Self

import pytest

import partitioned
import stores
from customergraph.settings import Settings
from customergraph.web.app import create_app
from customergraph.web.server import Server, configuration
from factories import Tenant
from graphql_client import GraphQLClient
from stores import PostgreSQLServer

# The processes that tests start import compiled modules: that takes a third of the time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

MakeTenant = Callable[..., Tenant]


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:  # noqa: ARG001
    """Take more workers than there are cores: the tests wait for servers as much as they work."""
    cores = os.cpu_count() or 1
    return cores + cores // 2


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,  # noqa: ARG001
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    # Where nothing may be missing, a skipped test is a failed one.
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CUSTOMERGRAPH_TESTS_MAY_SKIP") == "no":
        report.outcome = "failed"
    return report


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An embedded store without rows, made by the migrations, to be copied."""
    path = tmp_path_factory.mktemp("store") / "empty.db"
    stores.upgraded(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQLServer]:
    """A PostgreSQL server of the tests' own, with the database `empty`, made by the migrations, to be copied."""
    if partitioned.FOLDER in os.environ:
        with partitioned.logging_server(free_port(), Path(os.environ[partitioned.FOLDER])) as server:
            make_empty(server)
            partitioned.partition(server.url("empty"))
            yield server
        return
    with PostgreSQLServer(free_port()) as server:
        make_empty(server)
        yield server


@pytest.fixture(scope="session")
def contrib_postgresql() -> Iterator[PostgreSQLServer]:
    """A PostgreSQL server as `postgresql` is, from an installed one that has the extensions of the search index."""
    programs = stores.contrib_programs()
    if programs is None:
        pytest.skip("no PostgreSQL with contrib is installed (Debian's package postgresql is one)")
    with PostgreSQLServer(free_port(), programs) as server:
        make_empty(server)
        yield server


def make_empty(server: PostgreSQLServer) -> None:
    """Make the database `empty` by the migrations."""
    stores.execute(server.url("postgres"), "CREATE DATABASE empty")
    stores.upgraded(server.url("empty"))


@pytest.fixture
def sqlite_url(empty_store: Path, tmp_path: Path) -> str:
    """The URL of an embedded store of the test's own."""
    return f"sqlite+aiosqlite:///{shutil.copy(empty_store, tmp_path / 'store.db')}"


@pytest.fixture
def postgresql_url(postgresql: PostgreSQLServer) -> Iterator[str]:
    """The URL of a PostgreSQL database of the test's own."""
    name = postgresql.create("empty")
    yield postgresql.url(name)
    postgresql.drop(name)


@pytest.fixture
def contrib_url(contrib_postgresql: PostgreSQLServer) -> Iterator[str]:
    """The URL of a PostgreSQL database of the test's own, with a search index."""
    name = contrib_postgresql.create("empty")
    yield contrib_postgresql.url(name)
    contrib_postgresql.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a store of the test's own, on each engine in turn."""
    return str(request.getfixturevalue(f"{request.param}_url"))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


class RunningServer(Server):
    """Serves an application from a thread, on a port of its own."""

    grace = 5
    # No test's client sends anything any more.
    idle = 0

    def __init__(self, settings: Settings) -> None:
        super().__init__(configuration(partial(create_app, settings), settings, log_config=None))
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self.run, args=([self._socket],))

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + 20
        while not self.started and time.monotonic() < deadline:
            time.sleep(0.005)
        assert self.started, "the server did not start"
        return self

    async def main_loop(self) -> None:
        # As the base class does, but without its naps of a tenth of a second: every test stops its server.
        await self.on_tick(0)
        while not self.should_exit:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    def __exit__(self, *_error: object) -> None:
        self.should_exit = True
        self._thread.join(20)
        self._socket.close()


MakeServer = Callable[[Settings], str]


@pytest.fixture
def serve() -> Iterator[MakeServer]:
    """Serves the application with the test's own settings; returns its address."""
    running: list[RunningServer] = []

    def start(settings: Settings) -> str:
        server = RunningServer(settings)
        server.__enter__()
        running.append(server)
        return server.url

    yield start
    for server in running:
        server.__exit__()


@pytest.fixture
def url(serve: MakeServer, database_url: str) -> str:
    """The address of a gateway over the test's own store."""
    return serve(Settings(database_url=database_url))


@pytest.fixture
def make_tenant(url: str, database_url: str) -> Iterator[MakeTenant]:
    """Makes projects by their slugs."""
    made: list[Tenant] = []

    def make(slug: str, timezone: str = "UTC") -> Tenant:
        made.append(Tenant(url, database_url, slug, timezone))
        return made[-1]

    yield make
    for tenant in made:
        tenant.close()


@pytest.fixture
def acme(make_tenant: MakeTenant) -> Tenant:
    """A project of its own, with all scopes."""
    return make_tenant("acme")


@pytest.fixture
def client(acme: Tenant) -> GraphQLClient:
    """A client that speaks for acme with all scopes."""
    return acme.client
