"""Jobs of commands on the configured store, which a signal ends at once."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from customergraph.settings import Settings
from customergraph.store import backups, embedded, upgrades
from customergraph.store.backend import ConnectionOptions
from customergraph.store.database import Database, embedded_path

# Shells add the number of the signal to 128.
INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM

Result = TypeVar("Result")


class Reported(SystemExit):
    """The end of a command that has told why it ends."""


Job = Callable[[Database], Awaitable[Result]]


@contextmanager
def raising_on(number: signal.Signals, error: BaseException) -> Iterator[None]:
    """Raise an error when a signal comes, even during a read of standard input, whose end asyncio would await."""

    def interrupt(_number: int, _frame: object) -> None:
        raise error

    previous = signal.signal(number, interrupt)
    try:
        yield
    finally:
        signal.signal(number, previous)


def on_store(
    database_url: str | None, job: Job[Result], *, may_be_made: bool = False, reads_only: bool = False
) -> Result:
    """Do a job on the configured store, which must be up to date; makes an embedded store where `may_be_made`."""

    async def check_and_do(database: Database) -> Result:
        await upgrades.ready(database)
        if not reads_only:
            await backups.take_into_use(database)
        return await job(database)

    return on_any_store(database_url, check_and_do, may_be_made=may_be_made)


def on_any_store(database_url: str | None, job: Job[Result], *, may_be_made: bool = False) -> Result:
    """Do a job on the configured store, whatever its version."""
    settings = Settings.read(database_url=database_url)
    path = embedded_path(settings.database_url)
    if path is not None:
        embedded.refuse_unusable(path, may_be_made=may_be_made)

    async def run() -> Result:
        options = ConnectionOptions(pgbouncer=settings.pgbouncer, bulk=True, citus=settings.citus)
        database = Database(settings.database_url, options, feed_days=settings.feed_days)
        try:
            return await job(database)
        finally:
            await database.close()

    with raising_on(signal.SIGTERM, SystemExit(TERMINATED)):
        return asyncio.run(run())
