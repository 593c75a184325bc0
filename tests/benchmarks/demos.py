"""The stores of `benchmarks.measure` and `benchmarks.large`: the demo's project, with a history of chosen length."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from benchmarks import stores
from customergraph import demo
from customergraph.demo.people import HistoryCounts
from customergraph.store import migrations, upgrades
from customergraph.store.database import Database
from stores import PostgreSQLServer


async def store(server: str | None, customers: int, counts: HistoryCounts) -> stores.Store:
    """Return the store of that size, in a file or on a PostgreSQL server; it is made if it does not exist."""
    # A store belongs to the migrations that made it.
    versions = sorted((Path(migrations.__file__).parent / "versions").glob("*.py"))
    digest = sha256(b"".join(path.read_bytes() for path in versions)).hexdigest()[:8]
    name = f"demo-{customers}-{counts.messages}-{counts.reviews}-{counts.charges}-{digest}"
    url = await stores.ensure_store(server, name, lambda url: _fill(url, customers, counts))
    return stores.Store(url, await stores.upgrade_and_add_token(url), customers)


async def _fill(url: str, customers: int, counts: HistoryCounts) -> None:
    database = Database(url)
    await upgrades.upgrade(database)
    await demo.fill(database, customers, counts)
    if database.backend.path is None:
        await stores.settle(database)
    await database.close()


@contextmanager
def server(engine: str, url: str | None) -> Iterator[str | None]:
    """Return the PostgreSQL server of that URL, or one that runs within the block; None for SQLite."""
    if engine == "sqlite" or url:
        yield None if engine == "sqlite" else url
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    with PostgreSQLServer(port) as running:
        yield running.url("postgres")
