"""A connection to SQLite whose thread has ended is replaced by the next one that is asked for."""

from typing import Any

import stores
from customergraph.store.database import Database


async def close_pooled(database: Database) -> None:
    """Close the connection that the pool gives next, behind its back."""
    async with database.backend.engine.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.close()


def test_a_closed_connection_is_replaced(sqlite_url: str) -> None:
    async def job(database: Database) -> list[bool]:
        assert await database.answers()
        await close_pooled(database)
        return [await database.answers() for _ in range(3)]

    assert stores.on_database(sqlite_url, job) == [True] * 3
