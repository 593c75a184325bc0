"""Acts: what each of them needs, and what it changed."""

from collections.abc import Awaitable, Callable
from functools import update_wrapper
from typing import Concatenate, Generic, ParamSpec, TypeVar
from uuid import UUID

from customergraph.domain.principal import Principal, Scope
from customergraph.store.transactions import Write

CustomerRef = int | UUID | None
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Work = Callable[Concatenate[Write, Arguments], Awaitable[Result]]


class Act(Generic[Arguments, Result]):
    """An act with its scope; a call raises Forbidden for a principal without that scope."""

    def __init__(self, scope: Scope, work: Work[Arguments, Result]) -> None:
        self.scope = scope
        self._work = work
        update_wrapper(self, work)

    async def __call__(
        self, write: Write, principal: Principal, *arguments: Arguments.args, **options: Arguments.kwargs
    ) -> Result:
        principal.require(self.scope)
        return await self._work(write, *arguments, **options)


def needs(scope: Scope) -> Callable[[Work[Arguments, Result]], Act[Arguments, Result]]:
    """Declare the scope of an act."""
    return lambda work: Act(scope, work)
