"""Which of the media types an answer has (GraphQL over HTTP, "Legacy watershed"; RFC 9110, section 12.5.1)."""

from collections.abc import Sequence
from functools import lru_cache

from customergraph.web.bad_request import BadRequest

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
# Chosen only by its own name: for any type, the answer is JSON.
EVENT_STREAM = "text/event-stream"

# The default, and the choice between equal weights: every client reads it.
_OFFERED = (JSON, GRAPHQL_JSON, EVENT_STREAM)

# Reading the ranges blocks the event loop, and the server has no limit for a single header.
LONGEST_ACCEPT = 2_000


def negotiate(accept: Sequence[str]) -> str:
    """Choose by the weight of the Accept headers' ranges, then by their order.

    Raises BadRequest: 406 when none of them accepts a media type of GraphQL, 431 when they are too long.
    """
    return _negotiate(",".join(accept).lower())


@lru_cache(maxsize=100)
def _negotiate(header: str) -> str:
    if len(header) > LONGEST_ACCEPT:
        raise BadRequest(f"The Accept header is longer than {LONGEST_ACCEPT:,} characters, which are allowed.", 431)
    ranges = [weighted(part) for part in header.split(",") if part.strip()]
    if not ranges:
        return JSON
    wishes = [(wish, -place, type_) for type_ in _OFFERED for wish, place in [_wish(type_, ranges)] if wish > 0]
    if not wishes:
        raise BadRequest(f"An answer is {GRAPHQL_JSON}, {JSON} or {EVENT_STREAM}: accept one of them.", 406)
    best = max(wish for wish, _, _ in wishes)
    return max((wish for wish in wishes if wish[0] == best), key=lambda wish: wish[1])[2]


def weighted(part: str) -> tuple[str, float]:
    """Read one element of an Accept header or of one like it: its name and its weight."""
    name, *parameters = (piece.strip() for piece in part.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                return name, min(max(float(value), 0.0), 1.0)
            except ValueError:
                return name, 0.0
    return name, 1.0


def _wish(type_: str, ranges: list[tuple[str, float]]) -> tuple[float, int]:
    """Return the weight and the place of the most specific range that takes the type."""
    for pattern in (type_,) if type_ == EVENT_STREAM else (type_, "application/*", "*/*"):
        for place, (name, weight) in enumerate(ranges):
            if name == pattern:
                return weight, place
    return 0.0, 0
