"""Fields whose rows come from a loader."""

from collections.abc import Callable
from typing import Any

import strawberry

from customergraph.domain.identity import Kind
from customergraph.execution.fields import Loading, batched
from customergraph.loaders import Loader, Loaders
from customergraph.schema.context import Info


def loaded(loader: Callable[[Loaders], Loader], key: str | None, *, description: str) -> Any:
    """Declare a field that is loaded by the parent's column `key`; null where that column is null."""

    def loading(info: Info) -> Any:
        return Loading(loader(info.context.loaders))

    return batched(loading, key, description=description)


def referenced(kind: Kind, key: str, *, description: str) -> Any:
    """Declare a field for the row whose id is in the parent's column `key`; null where that column is null."""
    return loaded(lambda loaders: loaders.by_id(kind), key, description=description)


def unset_to_none(argument: Any) -> Any:
    """Return an argument's value; None where it is absent, since null and absent mean the same."""
    return None if argument is strawberry.UNSET else argument
