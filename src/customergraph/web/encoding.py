"""Large answers as JSON, written by orjson in pieces. Other requests run between them."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from customergraph.domain.paging import LARGEST_PAGE
from customergraph.schema.scalars import JSON_OPTIONS

# An answer with at most so many objects is written at once, which is cheaper and takes a few milliseconds.
SINGLE_CHUNK_OBJECTS = 5_000
TIME_SLICE_SECONDS = 0.01
# A value below so many levels of objects and lists is written at once.
LEVELS = 10


async def in_pieces(body: Mapping[str, Any]) -> list[bytes]:
    """Write an answer; returns the pieces to send. The answer is emptied."""
    pieces: list[bytes] = []
    small: list[bytes] = []
    since = time.perf_counter()
    for piece in _pieces(body, LEVELS):
        small.append(piece)
        if time.perf_counter() - since > TIME_SLICE_SECONDS:
            pieces.append(b"".join(small))
            small.clear()
            await asyncio.sleep(0)
            since = time.perf_counter()
    return [*pieces, b"".join(small)]


def _pieces(value: Any, levels: int) -> Iterator[bytes]:
    if not levels or _is_flat(value):
        yield orjson.dumps(value, option=JSON_OPTIONS)
    elif isinstance(value, dict):
        opening = b"{"
        for key, one in value.items():
            yield opening + orjson.dumps(key) + b":"
            yield from _pieces(one, levels - 1)
            opening = b","
        yield b"}"
    else:
        opening = b"["
        for place, one in enumerate(value):
            yield opening
            yield from _pieces(one, levels - 1)
            opening = b","
            # Freeing a whole large answer at the end would block the event loop.
            value[place] = None
        yield b"]"


def _is_flat(value: Any) -> bool:
    """Return whether a value holds only scalars, or is a list of such values. It is written at once."""
    if isinstance(value, list):
        return len(value) <= LARGEST_PAGE and all(map(_holds_scalars, value[:1]))
    return _holds_scalars(value)


def _holds_scalars(value: Any) -> bool:
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return not any(isinstance(one, dict | list) for one in values)
