"""Fields that lead from a row to other rows."""

from collections.abc import Callable
from typing import Any

import strawberry
from strawberry.dataloader import DataLoader

from customergraph.loaders import Loaders, Row
from customergraph.schema.context import Info


def linked(loader: Callable[[Loaders], DataLoader[Any, Any]], key: str, *, description: str) -> Any:
    """Declare a field whose rows the loader gives for the parent's column `key`; null where that is null."""

    async def load(root: strawberry.Parent[Row], info: Info) -> Any:
        value = getattr(root, key)
        return None if value is None else await loader(info.context.loaders).load(value)

    return strawberry.field(resolver=load, description=description)


def given(argument: Any) -> Any:
    """Give an argument's value; None where it is absent, since null is as good as absent."""
    return None if argument is strawberry.UNSET else argument
