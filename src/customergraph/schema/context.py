"""What an operation knows: who asks, and the loaders over the snapshot it reads."""

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self, TypeVar

import strawberry

from customergraph.domain.principal import Principal
from customergraph.loaders import Loaders
from customergraph.store.database import Database
from customergraph.store.transactions import Read, Transaction, Write

Result = TypeVar("Result")


class Context:
    """The context of one operation; the snapshot is opened by the first load and closed at the end."""

    def __init__(self, database: Database, principal: Principal, token_id: int) -> None:
        self.principal = principal
        self._token_id = token_id
        self._database = database
        self._changes: dict[str | int, Write] = {}
        self._renew(database.read(principal.project_id, holder=token_id))

    def _renew(self, read: Read) -> None:
        self._read = read
        self._at_work: Transaction = read
        self.loaders = Loaders(read)

    async def change(self, key: str | int, job: Callable[[Write], Awaitable[Result]]) -> Result:
        """Do a job in a transaction of its own; what is read from here on sees what it did.

        `key` is the response key of the mutation field.
        """
        # What an earlier change read back is read: its connection is given back.
        await self._read.close()

        async def at_work(write: Write) -> Result:
            self._at_work = self._changes[key] = write
            return await job(write)

        result = await self._database.change(self.principal.project_id, at_work, holder=self._token_id)
        self._renew(self._database.read(self.principal.project_id, holder=self._token_id, after_change=True))
        return result

    def is_done(self, key: str | int) -> bool | None:
        """Tell whether the change of a mutation field was made; None when nobody knows."""
        return self._changes[key].done if key in self._changes else False

    def all_done(self, fields: int) -> bool | None:
        """Tell the same of an operation's root fields together; None too when only some changes were made."""
        states = {write.done for write in self._changes.values()}
        if len(self._changes) < fields:
            states |= {False}
        return states.pop() if len(states) == 1 else None

    async def interrupt(self) -> None:
        """Stop what the operation has the store do."""
        await self._at_work.interrupt()

    async def stop(self) -> None:
        """End what the operation has the store do with StoreUnavailable, so that the operation ends and is answered."""
        await self._at_work.stop()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._read.close()


Info = strawberry.Info[Context, None]
