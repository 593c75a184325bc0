"""Scalars and enumerations, completed for many values at once."""

from collections.abc import Mapping, Sequence
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
)
from graphql.execution import Executor

from customergraph.rows import Column

# The Python types that the JSON encoder writes as a scalar of that name is to be answered.
Native = Mapping[str, frozenset[type]]

_NULL = type(None)
_SPECIFIED: dict[Any, frozenset[type]] = {
    GraphQLString: frozenset({str}),
    GraphQLID: frozenset({str}),
    GraphQLBoolean: frozenset({bool}),
    GraphQLInt: frozenset({int}),
}


class Unsure(Exception):
    """A compiled plan cannot make the answer, and the general way has to."""


class Leaf:
    """Completes the values of one scalar or enumeration, of most types by no more than a look.

    Raises Unsure for a value that cannot be completed.
    """

    def __init__(self, type_: GraphQLLeafType, native: Native) -> None:
        self.name = type_.name
        self._type = type_
        self._native = native.get(type_.name, _SPECIFIED.get(type_, frozenset())) | {_NULL}
        self._is_int = type_ is GraphQLInt
        # Where it follows from its type that a value is answered as it is, these types, without null's.
        self._unchanged = frozenset() if self._is_int else self._native - {_NULL}
        # An enumeration has few values, and each is always answered alike.
        self._known: dict[Any, Any] | None = {None: None} if isinstance(type_, GraphQLEnumType) else None
        # Those that are answered as they are.
        self._same: set[Any] = {None}

    def or_null(self, values: Sequence[Any]) -> Sequence[Any]:
        """Complete values, any of which may be null."""
        if type(values) is Column and values.conversion.kind in self._native:
            try:
                return values.conversion.encodable(values.stored)
            except ValueError:
                # One of them cannot be read: they are completed one by one.
                values = values.values
        if self._known is not None:
            try:
                if self._same.issuperset(values):
                    return values
                return list(map(self._known.__getitem__, values))
            except (KeyError, TypeError):
                return [self._known_value(value) for value in values]
        if set(map(type, values)) <= self._native and not (self._is_int and _beyond(values)):
            return values
        # As asyncpg's own class of UUIDs, which the JSON encoder does not know.
        return [None if value is None else self._completed(value) for value in values]

    def required(self, values: Sequence[Any]) -> Sequence[Any]:
        """Complete values, none of which may be null."""
        if type(values) is not Column and self._unchanged.issuperset(map(type, values)):
            return values
        completed = self.or_null(values)
        if None in completed:
            raise Unsure
        return completed

    def _known_value(self, value: Any) -> Any:
        known: Any = self._known
        try:
            if value not in known:
                known[value] = self._completed(value)
                if type(value) is str and known[value] == value:
                    self._same.add(value)
        except TypeError as error:
            raise Unsure from error
        return known[value]

    def _completed(self, value: Any) -> Any:
        # An exception stands for a stored value that cannot be read, and is no value to be written as a text.
        if isinstance(value, Exception):
            raise Unsure from value
        try:
            return Executor.complete_leaf_value(self._type, value)
        except Exception as error:
            raise Unsure from error


def _beyond(values: Sequence[Any]) -> bool:
    """Tell whether a whole number among the values is not of the specification's 32 bits."""
    numbers = [value for value in values if value is not None]
    return bool(numbers) and not (min(numbers) >= GRAPHQL_MIN_INT and max(numbers) <= GRAPHQL_MAX_INT)
