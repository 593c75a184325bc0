"""Reads without detours: statements that SQLAlchemy writes once, and rows with no more columns than are wanted."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy.engine import Dialect
from sqlalchemy.sql import ColumnElement

from customergraph.rows import Column, Row, Rows, maker

# The names that rows are wanted with, at least; None for all.
Columns = frozenset[str] | None


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
        self._columns = tuple(column.key or "" for column in columns)
        self._row = maker(self._columns)
        types = [column.type.dialect_impl(dialect) for column in columns]
        readers = ((place, _reader(type_, dialect)) for place, type_ in enumerate(types))
        self._readers = [(place, reader) for place, reader in readers if reader is not None]

    def arguments(self, parameters: Mapping[str, Any]) -> list[Any]:
        """Give the values of a statement's parameters, as the driver takes them in."""
        values = {**self._given, **parameters}
        for name, writer in self._writers.items():
            values[name] = writer(values[name])
        return [values[name] for name in self._names]

    def rows(self, found: Sequence[Any]) -> list[Row]:
        """Make rows of what the driver found."""
        if not found or not self._readers:
            return list(map(self._row, found))
        return list(map(self._row, zip(*self._columns_of(found), strict=True)))

    def by_column(self, found: Sequence[Any]) -> Rows:
        """Make rows of what the driver found that are kept by column."""
        columns: Iterable[Sequence[Any]] = self._columns_of(found) if found else ((),) * len(self._columns)
        return Rows(dict(zip(self._columns, columns, strict=True)), len(found))

    def _columns_of(self, found: Sequence[Any]) -> list[Sequence[Any]]:
        columns: list[Sequence[Any]] = list(zip(*found, strict=True))
        for place, reader in self._readers:
            columns[place] = reader(columns[place])
        return columns


def _reader(type_: Any, dialect: Dialect) -> Callable[[Sequence[Any]], Sequence[Any]] | None:
    """Give what reads a column of a type; None where the driver gives its values as they are."""
    reading = getattr(type_, "reading", None)
    if reading is not None:
        return lambda stored: Column(stored, reading)
    read = type_.result_processor(dialect, None)
    return None if read is None else lambda stored: list(map(read, stored))
