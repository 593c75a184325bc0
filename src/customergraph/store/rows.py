"""Reads without detours: statements that SQLAlchemy writes once, and rows with no more columns than are wanted."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Dialect
from sqlalchemy.sql import ColumnElement

from customergraph.domain.rows import Row, Rows, maker
from customergraph.store.tables import parsed_moment

# The names that rows are wanted with, at least; None for all.
Columns = frozenset[str] | None


# What reads a column that has a value in each row, where that is faster.
_WITHOUT_NULLS: Mapping[Any, Any] = {parsed_moment: datetime.fromisoformat}


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
        readers = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
        self._readers = [(place, reader) for place, reader in enumerate(readers) if reader is not None]

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
        return list(map(self._row, zip(*self._read(found), strict=True)))

    def by_column(self, found: Sequence[Any]) -> Rows:
        """Make rows of what the driver found that are kept by column."""
        columns: Iterable[Sequence[Any]] = self._read(found) if found else ((),) * len(self._columns)
        return Rows(dict(zip(self._columns, columns, strict=True)), len(found))

    def _read(self, found: Sequence[Any]) -> list[Sequence[Any]]:
        columns: list[Sequence[Any]] = list(zip(*found, strict=True))
        for place, reader in self._readers:
            column = columns[place]
            columns[place] = list(map(reader if None in column else _WITHOUT_NULLS.get(reader, reader), column))
        return columns
