"""What the store uses of aiosqlite that the library does not document. No other file touches its private parts."""

import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")


async def in_thread(driver: Any, run: Callable[[sqlite3.Connection], Result]) -> Result:
    """Run a function with the connection in the thread of the connection."""
    result: Result = await driver._execute(run, driver._conn)  # noqa: SLF001 - the library has no public name for it
    return result
