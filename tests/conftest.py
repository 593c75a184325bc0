"""The gateway under test: the real application on a real server, over a store made by the migrations."""

import asyncio
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Self

import pytest
import uvicorn

from customergraph.settings import Settings
from customergraph.store import upgrades
from customergraph.store.database import Database
from customergraph.web.app import create_app
from factories import Tenant
from graphql_client import GraphQLClient

MakeTenant = Callable[..., Tenant]


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
    """A store without rows, made by the migrations, to be copied."""
    path = tmp_path_factory.mktemp("store") / "empty.db"

    async def make() -> None:
        database = Database(f"sqlite+aiosqlite:///{path}")
        await upgrades.upgrade(database)
        await database.close()

    asyncio.run(make())
    return path


@pytest.fixture
def database_url(empty_store: Path, tmp_path: Path) -> str:
    """The URL of a store of the test's own."""
    return f"sqlite+aiosqlite:///{shutil.copy(empty_store, tmp_path / 'store.db')}"


class RunningServer(uvicorn.Server):
    """Serves an application from a thread, on a port of its own."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(uvicorn.Config(create_app(settings), log_config=None, ws="none", timeout_graceful_shutdown=5))
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

    def __exit__(self, *_error: object) -> None:
        self.should_exit = True
        self._thread.join(20)
        self._socket.close()


MakeServer = Callable[[Settings], str]


@pytest.fixture
def serve() -> Iterator[MakeServer]:
    """Serves the application with the test's own settings; gives its address."""
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
