"""What an operation knows: who asks, and the loaders over the snapshot it reads."""

from types import TracebackType
from typing import Self

import strawberry

from customergraph.domain.principal import Principal
from customergraph.loaders import Loaders
from customergraph.store.database import Database


class Context:
    """The context of one operation; the snapshot is opened by the first load and closed at the end."""

    def __init__(self, database: Database, principal: Principal) -> None:
        self.database = database
        self.principal = principal
        self._open()

    def _open(self) -> None:
        self._read = self.database.read(self.principal.project_id)
        self.loaders = Loaders(self._read)

    async def renew(self) -> None:
        """Read from a new snapshot from here on: what was written meanwhile is seen, nothing is remembered."""
        await self._read.close()
        self._open()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._read.close()


Info = strawberry.Info[Context, None]
