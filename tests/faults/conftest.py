"""Gateways whose store fails, and the stores that fail."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import MakeServer
from customergraph.settings import Settings
from factories import Tenant
from faults.around import Session, Wire, on_port
from stores import PostgreSQLServer

MakeGateway = Callable[..., Tenant]


@pytest.fixture
def gateway(serve: MakeServer) -> Iterator[MakeGateway]:
    """Serves a store with the test's own settings; returns a project of it.

    The gateway reaches the store `through` another address, where one is given.
    """
    made: list[Tenant] = []

    def start(database_url: str, *, through: str | None = None, **settings: float | str) -> Tenant:
        url = serve(Settings(database_url=through or database_url, **settings))  # type: ignore[arg-type]
        made.append(Tenant(url, database_url, "acme"))
        return made[-1]

    yield start
    for tenant in made:
        tenant.close()


@pytest.fixture
def somebody(postgresql_url: str) -> Iterator[Session]:
    """Somebody else's session on the test's own PostgreSQL store."""
    with Session(postgresql_url) as session:
        yield session


@pytest.fixture
def wire(postgresql: PostgreSQLServer) -> Iterator[Wire]:
    """A wire to the tests' PostgreSQL server that can be cut."""
    with Wire(postgresql.port) as wire:
        yield wire


@pytest.fixture
def wired(gateway: MakeGateway, postgresql_url: str, wire: Wire) -> Tenant:
    """A project whose gateway reaches PostgreSQL through the wire alone."""
    return gateway(postgresql_url, through=on_port(postgresql_url, wire.port))


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    """Where requests wait for their answers while the test goes on."""
    with ThreadPoolExecutor(50) as pool:
        yield pool
