"""Statements that are written once, and remembered within a bound of bytes."""

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple, ParamSpec, TypeVar, cast

from sqlalchemy.sql import ClauseElement, Executable, visitors

from customergraph.byte_cache import ByteCache

Arguments = ParamSpec("Arguments")
Statement = TypeVar("Statement", bound=Executable)

CACHE_BYTES = 16 * 2**20
# What a statement takes at most for each of its elements, with what SQLAlchemy and the engine make of it; and
# by itself. Measured with tracemalloc on both engines.
_ELEMENT_BYTES = 1_000
_STATEMENT_BYTES = 8_000


class _Remembered(NamedTuple):
    statement: Executable
    bytes: int


# One for all kinds, since clients decide which of them are written.
cache: ByteCache[Any, _Remembered] = ByteCache(CACHE_BYTES, lambda remembered: remembered.bytes)


def size(statement: Executable) -> int:
    """Give the bytes that a statement takes at most."""
    return _STATEMENT_BYTES + _ELEMENT_BYTES * sum(1 for _ in visitors.iterate(cast("ClauseElement", statement)))


def remembered(write: Callable[Arguments, Statement]) -> Callable[Arguments, Statement]:
    """Remember the statements that a function writes, by its arguments."""

    @wraps(write)
    def written_once(*arguments: Arguments.args, **options: Arguments.kwargs) -> Statement:
        key = (write, arguments, *options.items())
        known = cache.get(key)
        if known is None:
            statement = write(*arguments, **options)
            known = _Remembered(statement, size(statement))
            cache.put(key, known)
        return cast("Statement", known.statement)

    return written_once
