"""The context of an operation: its principal, its loaders and its changes."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import strawberry

from customergraph.domain.feed import FeedReader
from customergraph.domain.principal import Principal
from customergraph.errors import UserErrorCode
from customergraph.loaders import Loaders
from customergraph.store.database import Database
from customergraph.store.transactions import Stopped, Transaction, Write
from customergraph.store.usage import Usage

Result = TypeVar("Result")


class Context:
    """The context of one operation.

    The first load opens the snapshot that all loaders read, and `close` closes it.
    """

    def __init__(
        self,
        database: Database,
        principal: Principal,
        token_id: int,
        usage: Usage | None = None,
        feed_reader: FeedReader | None = None,
    ) -> None:
        self.principal = principal
        # The codes of the mistakes in the input of its mutations.
        self.user_errors: list[UserErrorCode] = []
        self._usage = usage
        self.token_id = token_id
        # That of the subscription that the operation is an event of.
        self.feed_reader = feed_reader or FeedReader()
        self._database = database
        self._changes: dict[str | int, Write] = {}
        self._stopped: Stopped | None = None
        self._read = database.read(principal.project_id, holder=token_id, usage=usage)
        self._transaction: Transaction = self._read
        self.loaders = Loaders(self._read)

    async def change(self, key: str | int, job: Callable[[Write], Awaitable[Result]]) -> Result:
        """Run a job in a transaction of its own, and commit it. What is loaded after it is what it changed.

        `key` is the response key of the mutation field.
        """
        if self._stopped:
            raise self._stopped(False)  # noqa: FBT003 - nothing was done
        # An earlier mutation has read its payload from it.
        await self._read.end_snapshot()

        async def run(write: Write) -> Result:
            self._transaction = self._changes[key] = write
            return await job(write)

        result = await self._database.change(self.principal.project_id, run, token_id=self.token_id, usage=self._usage)
        self._transaction = self._read
        self._read.done = True
        return result

    def is_done(self, key: str | int) -> bool | None:
        """Return whether the change of a mutation field was made; None when that is not known."""
        return self._changes[key].done if key in self._changes else False

    def all_done(self, fields: int) -> bool | None:
        """Return whether the changes of all root fields were made; None when only some were, or nobody knows."""
        states = {write.done for write in self._changes.values()}
        if len(self._changes) < fields:
            states |= {False}
        return states.pop() if len(states) == 1 else None

    @property
    def is_committing(self) -> bool:
        """Whether a commit has begun and not ended."""
        return any(write.done is None for write in self._changes.values())

    @property
    def has_change(self) -> bool:
        """Whether a change was made, or may have been."""
        return any(write.done is not False for write in self._changes.values())

    async def stop(self, error: Stopped) -> None:
        """End the operation: raise the error in its running statement and in those that would follow.

        A commit that has begun is completed.
        """
        self._stopped = error
        await self._transaction.stop(error)

    async def close(self) -> None:
        """Close the snapshot."""
        await self._read.close()


Info = strawberry.Info[Context, None]
