"""Field errors: where they stand, what they null, and which are reported (specification, "Handling Field Errors")."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any, Protocol

from graphql import GraphQLError, located_error

from customergraph.execution.graphql_core import FieldDetailsList, Place, to_nodes


class Places(Protocol):
    """Where each value of a list stands in the answer; worked out only for those that failed."""

    def of(self, index: int) -> Place: ...


class Root:
    def of(self, index: int) -> Place:  # noqa: ARG002 - there is one
        return ()


class OfField:
    """The values of a field, one of each object."""

    def __init__(self, objects: Places, key: str) -> None:
        self._objects = objects
        self._key = key

    def of(self, index: int) -> Place:
        return (*self._objects.of(index), self._key)


class OfItems:
    """The items of lists, one list after the other."""

    def __init__(self, lists: Places, lengths: Iterable[int]) -> None:
        self._lists = lists
        self._lengths = lengths
        self._ends: list[int] = []

    def of(self, index: int) -> Place:
        self._ends = self._ends or list(accumulate(self._lengths))
        which = bisect_right(self._ends, index)
        return (*self._lists.of(which), index - (self._ends[which - 1] if which else 0))


class OfRanges:
    """The items of lists, each of which is a range of one list."""

    def __init__(self, lists: Places, ranges: Sequence[range]) -> None:
        self._lists = lists
        self._ranges = ranges

    def of(self, index: int) -> Place:
        which, range_ = next((at, one) for at, one in enumerate(self._ranges) if index in one)
        return (*self._lists.of(which), index - range_.start)


class OfSome:
    """Chosen ones of a list's values."""

    def __init__(self, every: Places, chosen: Sequence[int]) -> None:
        self._every = every
        self._chosen = chosen

    def of(self, index: int) -> Place:
        return self._every.of(self._chosen[index])


class Failed:
    """Stands in the place of a value that could not be completed."""

    __slots__ = ("_details", "_error", "_index", "_places", "others")

    def __init__(self, error: Exception, details: FieldDetailsList, places: Places, index: int) -> None:
        self._error = error
        self._details = details
        self._places = places
        self._index = index
        # What else failed in what this one makes null.
        self.others: tuple[Failed, ...] = ()

    @classmethod
    def first(cls, values: Iterable[Any]) -> "Failed | None":
        """Return the first failure among the values that something holds, if there is one."""
        failures = [value for value in values if isinstance(value, Failed)]
        if not failures:
            return None
        first, *others = failures
        first.others = (*first.others, *others)
        return first

    def located(self) -> GraphQLError:
        return located_error(self._error, to_nodes(self._details), self._places.of(self._index))


def reported_errors(placed: Iterable[tuple[GraphQLError, Place]]) -> list[GraphQLError]:
    """Choose the errors that an answer reports, and sort them by their paths.

    Each comes with the place that it made null. What is below another's place is gone from
    the answer, and its error with it; of several for one place the first is reported. So equal
    answers have equal errors, in whichever order they came.
    """
    by_place: dict[Place, GraphQLError] = {}
    for error, place in placed:
        by_place.setdefault(place, error)
    reported = [
        error for place, error in by_place.items() if not any(place[:end] in by_place for end in range(len(place)))
    ]
    return sorted(reported, key=_order)


def _order(error: GraphQLError) -> list[tuple[bool, Any]]:
    return [(isinstance(key, int), key) for key in error.path or ()]
