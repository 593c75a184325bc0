"""How many operations a worker runs at once, how many wait, and who is sent away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from customergraph.errors import Overloaded


class Admission:
    """Lets a bounded number of operations run at once, and a bounded number wait for their turn."""

    def __init__(self, running: int, waiting: int) -> None:
        self._turns = asyncio.Semaphore(running)
        self._may_wait = waiting
        self._waiting = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn; raises Overloaded when too many wait already."""
        if self._turns.locked():
            if self._waiting >= self._may_wait:
                raise Overloaded
            self._waiting += 1
            try:
                await self._turns.acquire()
            finally:
                self._waiting -= 1
        else:
            await self._turns.acquire()
        try:
            yield
        finally:
            self._turns.release()
