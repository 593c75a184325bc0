"""The errors that an answer reports, of all that happened in its fields."""

from collections.abc import Iterable
from typing import Any

from graphql import GraphQLError

from customergraph.execution.graphql_core import Place


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
