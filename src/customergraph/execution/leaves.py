"""Scalars and enumerations, completed for many values at once."""

from collections.abc import Hashable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from graphql import (
    GRAPHQL_MAX_INT,
    GRAPHQL_MIN_INT,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLString,
    Undefined,
)
from graphql.execution import Executor

from customergraph.rows import Column

# The Python types that the JSON encoder writes as a scalar of that name is to be answered.
Native = Mapping[str, frozenset[type]]

_NOTHING = type(None)
_SPECIFIED: dict[Any, frozenset[type]] = {
    GraphQLString: frozenset({str}),
    GraphQLID: frozenset({str}),
    GraphQLBoolean: frozenset({bool}),
    GraphQLInt: frozenset({int}),
}


class Leaf:
    """Completes the values of one scalar or enumeration."""

    def __init__(self, type_: GraphQLLeafType, native: Native) -> None:
        self._type = type_
        self._native = native.get(type_.name, _SPECIFIED.get(type_, frozenset())) | {_NOTHING}
        self._is_int = type_ is GraphQLInt
        # An enumeration has few values, and each is always answered alike.
        self._known: dict[Any, Any] | None = {None: None} if isinstance(type_, GraphQLEnumType) else None

    def unchanged(self, values: Sequence[Any]) -> Sequence[Any] | None:
        """Return the completed values where that takes no more than a look; else None."""
        if isinstance(values, Column) and values.kind in self._native:
            with suppress(ValueError):
                return values.encodable()
        if self._known is None:
            is_unchanged = set(map(type, values)) <= self._native and not (self._is_int and _beyond(values))
            return values if is_unchanged else None
        try:
            return [self._known[value] for value in values]
        except (KeyError, TypeError):
            return None

    def completed(self, values: Sequence[Any]) -> Sequence[Any]:
        """Complete values; an exception stands in the place of one that is none of the type's."""
        done = self.unchanged(values)
        return [self._one(value) for value in values] if done is None else done

    def _one(self, value: Any) -> Any:
        if value is None or value is Undefined:
            return None
        if isinstance(value, Exception):
            return value
        try:
            completed = Executor.complete_leaf_value(self._type, value)
        except Exception as error:  # noqa: BLE001 - answered where the value would stand
            return error
        if self._known is not None and isinstance(value, Hashable):
            self._known[value] = completed
        return completed


def _beyond(values: Sequence[Any]) -> bool:
    """Tell whether a whole number among the values is not of the specification's 32 bits."""
    numbers = [value for value in values if value is not None]
    return bool(numbers) and not (min(numbers) >= GRAPHQL_MIN_INT and max(numbers) <= GRAPHQL_MAX_INT)
