"""The scopes of an operation's mutations: all of them are checked before the first mutation begins."""

from collections.abc import Iterable

from graphql import GraphQLField

from customergraph.domain.principal import Principal
from customergraph.execution.strawberry_internals import declared_field
from customergraph.schema.mutations.mutation import SCOPE


def require_scopes(principal: Principal, root_fields: Iterable[GraphQLField]) -> None:
    """Raise Forbidden unless the token has the scope of each of these mutations."""
    for definition in root_fields:
        field = declared_field(definition)
        # `__typename` needs no scope.
        if field is not None:
            principal.require(field.metadata[SCOPE])
