"""Reads without detours: statements that SQLAlchemy writes once, and rows as named tuples.

The graph reads rows by the thousand. A named tuple is cheap to make, is read by place as well as
by name, and has no more columns than are wanted.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

from sqlalchemy.engine import Dialect
from sqlalchemy.sql import ColumnElement

# The names that rows are wanted with, at least; None for all.
Columns = frozenset[str] | None
Row = Any


def chosen(columns: Iterable[ColumnElement[Any]], wanted: Columns, *always: str) -> list[ColumnElement[Any]]:
    """Choose the wanted ones of a table's columns; names that are none of them are somebody else's."""
    return [column for column in columns if wanted is None or column.name in wanted or column.name in always]


class Prepared:
    """A statement in an engine's own words, what its driver takes for it, and what its rows are made into."""

    def __init__(self, statement: Any, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self.sql: str = compiled.string
        self._names: list[str] = compiled.positiontup
        self._given: dict[str, Any] = compiled.params
        self._writers = {
            name: writer
            for name in self._names
            if (writer := compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect)) is not None
        }
        columns = list(statement.selected_columns)
        self._row: Callable[[Any], Row] = partial(tuple.__new__, _kind(tuple(column.key or "" for column in columns)))
        readers = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
        self._readers = [(place, reader) for place, reader in enumerate(readers) if reader is not None]

    def arguments(self, parameters: Mapping[str, Any]) -> list[Any]:
        """Give the values of a statement's parameters, as the driver takes them in."""
        values = {**self._given, **parameters}
        for name, writer in self._writers.items():
            values[name] = writer(values[name])
        return [values[name] for name in self._names]

    def rows(self, found: Sequence[Any]) -> list[Row]:
        """Make rows of what the driver found, a column at a time."""
        if not found or not self._readers:
            return list(map(self._row, found))
        columns = list(zip(*found, strict=True))
        for place, reader in self._readers:
            columns[place] = tuple(map(reader, columns[place]))
        return list(map(self._row, zip(*columns, strict=True)))


@lru_cache(maxsize=1024)
def _kind(names: tuple[str, ...]) -> type[Any]:
    # What has no name is read by its place.
    return namedtuple("Row", names, rename=True)  # noqa: PYI024 - its names are known when it runs
