"""Variables: coerced as the specification has it, which for most values takes no more than a look."""

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import (
    GRAPHQL_MAX_INT,
    GRAPHQL_MIN_INT,
    GraphQLBoolean,
    GraphQLError,
    GraphQLID,
    GraphQLInt,
    GraphQLString,
    get_nullable_type,
    get_variable_values,
    is_non_null_type,
)

from customergraph.execution.graphql_core import (
    Definitions,
    VariableSignature,
    VariableValues,
    VariableValueSource,
    signatures,
)

# The Python type whose values are those of the scalar as they are.
_PLAIN: Mapping[Any, type] = {GraphQLID: str, GraphQLString: str, GraphQLBoolean: bool, GraphQLInt: int}


class Variables:
    """The variables of one operation."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._nodes = definitions.operation.variable_definitions or ()
        self._plain: list[tuple[VariableSignature, type, bool]] | None = []
        for signature in signatures(definitions):
            plain = _PLAIN.get(get_nullable_type(signature.type))
            if plain is None or signature.default is not None:
                self._plain = None
                return
            self._plain.append((signature, plain, is_non_null_type(signature.type)))

    def coerced(
        self, values: Mapping[str, Any], *, max_errors: int, hide_suggestions: bool
    ) -> VariableValues | Sequence[GraphQLError]:
        """Coerce values, or return what is wrong with them."""
        plain = self._coerced_plain(values)
        if plain is not None:
            return plain
        return get_variable_values(
            self._definitions.schema,
            self._nodes,
            dict(values),
            max_errors=max_errors,
            hide_suggestions=hide_suggestions,
        )

    def _coerced_plain(self, values: Mapping[str, Any]) -> VariableValues | None:
        """Return the values of variables as they are, if all are of their scalars' own types."""
        if self._plain is None:
            return None
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        for signature, plain, is_required in self._plain:
            name = signature.name
            value: Any = values.get(name)
            if type(value) is plain:
                if isinstance(value, int) and not GRAPHQL_MIN_INT <= value <= GRAPHQL_MAX_INT:
                    return None
            elif is_required or value is not None:
                return None
            elif name not in values:
                continue
            sources[name] = VariableValueSource(signature, value)
            coerced[name] = value
        return VariableValues(sources, coerced)
