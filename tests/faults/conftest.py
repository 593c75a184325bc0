"""Gateways whose store fails, and the stores that fail."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import MakeServer
from customergraph.settings import Settings
from factories import Tenant
from faults.sessions import Session
from faults.wire import Wire, on_port
from stores import PostgreSQLServer

MakeGateway = Callable[..., Tenant]


@pytest.fixture
def gateway(serve: MakeServer) -> Iterator[MakeGateway]:
    """Serves a store with the settings of the test; returns a project of the store.

    The gateway connects to the address `through`, if there is one, instead of `database_url`.
    """
    tenants: list[Tenant] = []

    def start(database_url: str, *, through: str | None = None, **settings: float | str) -> Tenant:
        url = serve(Settings(database_url=through or database_url, **settings))  # type: ignore[arg-type]
        tenants.append(Tenant(url, database_url, "acme"))
        return tenants[-1]

    yield start
    for tenant in tenants:
        tenant.close()


@pytest.fixture
def other_session(postgresql_url: str) -> Iterator[Session]:
    """Another program's session on the test's PostgreSQL store."""
    with Session(postgresql_url) as session:
        yield session


@pytest.fixture
def wire(postgresql: PostgreSQLServer) -> Iterator[Wire]:
    """A wire to the tests' PostgreSQL server."""
    with Wire(postgresql.port) as wire:
        yield wire


@pytest.fixture
def wired(gateway: MakeGateway, postgresql_url: str, wire: Wire) -> Tenant:
    """A project whose gateway connects to PostgreSQL through the wire."""
    return gateway(postgresql_url, through=on_port(postgresql_url, wire.port))


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    """Threads that send requests while the test goes on."""
    with ThreadPoolExecutor(50) as pool:
        yield pool
