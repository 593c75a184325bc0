"""A connection to SQLite whose thread has ended is replaced when it is next needed."""

from typing import Any

import pytest

import stores
from customergraph.store.database import Database

pytestmark = pytest.mark.slow


async def close_pooled(database: Database) -> None:
    """Close the driver's connection, without the pool's knowledge."""
    async with database.backend.engine.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.close()


def test_a_closed_connection_is_replaced(sqlite_url: str) -> None:
    async def job(database: Database) -> list[bool]:
        assert await database.answers()
        await close_pooled(database)
        return [await database.answers() for _ in range(3)]

    assert stores.on_database(sqlite_url, job) == [True] * 3
