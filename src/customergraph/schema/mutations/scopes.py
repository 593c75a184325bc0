"""Who may do the mutations of an operation: judged for all of them before the first one begins."""

from collections.abc import Callable, Iterable
from typing import Any

import strawberry
from graphql import GraphQLField
from strawberry.schema.schema_converter import GraphQLCoreConverter

from customergraph.actions.customers import Act
from customergraph.domain.principal import Principal, Scope

_SCOPE = "scope"


def mutation(resolver: Callable[..., Any], act: Act[Any], *, description: str) -> Any:
    """Declare a mutation that carries out an act, and so needs the act's scope."""
    return strawberry.mutation(resolver, description=description, metadata={_SCOPE: act.scope})


def require_scopes(principal: Principal, root_fields: Iterable[GraphQLField]) -> None:
    """Raise Forbidden unless the token holds the scope of each of these mutations."""
    for definition in root_fields:
        declared = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        # `__typename` is nobody's declaration.
        if declared is not None:
            scope: Scope = declared.metadata[_SCOPE]
            principal.require(scope)
