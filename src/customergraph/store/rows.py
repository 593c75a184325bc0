"""Reads with little overhead: SQLAlchemy compiles a statement once, and rows have only the columns that are needed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy.engine import Dialect
from sqlalchemy.sql import ColumnElement

from customergraph.rows import Column, Row, Rows, maker
from customergraph.store.sqlalchemy_internals import parameter_names

# The names of the columns that rows must have; None for all columns.
Columns = frozenset[str] | None


def subset(columns: Iterable[ColumnElement[Any]], names: Columns, *always: str) -> list[ColumnElement[Any]]:
    """Return the columns with these names; other names are ignored."""
    return [column for column in columns if names is None or column.name in names or column.name in always]


class Prepared:
    """A statement compiled for an engine; it makes the driver's arguments of parameters, and rows of its records."""

    def __init__(self, statement: Any, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self.sql: str = compiled.string
        self._names: list[str] = parameter_names(compiled)
        self._defaults: dict[str, Any] = compiled.params
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
        """Return the arguments that the driver expects for these parameters."""
        values = {**self._defaults, **parameters}
        for name, writer in self._writers.items():
            values[name] = writer(values[name])
        return [values[name] for name in self._names]

    def rows(self, records: Sequence[Any]) -> list[Row]:
        """Make a row of each of the driver's records."""
        if not records or not self._readers:
            return list(map(self._row, records))
        return list(map(self._row, zip(*self._columns_of(records), strict=True)))

    def by_column(self, records: Sequence[Any]) -> Rows:
        """Make rows that are stored by column."""
        columns: Iterable[Sequence[Any]] = self._columns_of(records) if records else ((),) * len(self._columns)
        return Rows(dict(zip(self._columns, columns, strict=True)), len(records))

    def _columns_of(self, records: Sequence[Any]) -> list[Sequence[Any]]:
        columns: list[Sequence[Any]] = list(zip(*records, strict=True))
        for place, reader in self._readers:
            columns[place] = reader(columns[place])
        return columns


def _reader(type_: Any, dialect: Dialect) -> Callable[[Sequence[Any]], Sequence[Any]] | None:
    """Return the function that converts a column of a type; None where the driver's values need no conversion."""
    reading = getattr(type_, "reading", None)
    if reading is not None:
        return lambda stored: Column(stored, reading)
    read = type_.result_processor(dialect, None)
    return None if read is None else lambda stored: list(map(read, stored))
