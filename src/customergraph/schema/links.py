"""Fields that lead from a row to other rows."""

from collections.abc import Callable, Sequence
from typing import Any

import strawberry

from customergraph.execution.fields import Columns, Loading, batched
from customergraph.loaders import Loader, Loaders
from customergraph.schema.context import Info


def linked(loader: Callable[[Loaders], Loader], key: str | None, *, description: str) -> Any:
    """Declare a field whose rows the loader gives for the parent's column `key`; null where that is null."""

    def loading(info: Info) -> Any:
        return loader(info.context.loaders)

    return batched(loading, key, description=description)


class Named:
    """Loads what an argument names, whichever object asks."""

    def __init__(self, loader: Loading, key: Any) -> None:
        self._loader = loader
        self._key = key

    async def load(self, _key: Any) -> Any:
        return await self._loader.load(self._key)

    async def load_many(self, keys: Sequence[Any], columns: Columns) -> Sequence[Any]:
        return await self._loader.load_many([self._key] * len(keys), columns)


def given(argument: Any) -> Any:
    """Give an argument's value; None where it is absent, since null is as good as absent."""
    return None if argument is strawberry.UNSET else argument
