"""Reads with little overhead: SQLAlchemy compiles a statement once, and rows have only the columns that are needed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
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
        # The names of the parameters and of the columns, in their order.
        self.names: list[str] = parameter_names(compiled)
        columns = list(statement.selected_columns)
        self.columns = tuple(column.key or "" for column in columns)
        self._defaults: dict[str, Any] = compiled.params
        self._writers = {
            name: writer
            for name in self.names
            if (writer := compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect)) is not None
        }
        self._row = maker(self.columns)
        types = [column.type.dialect_impl(dialect) for column in columns]
        readers = ((place, _reader(type_, dialect)) for place, type_ in enumerate(types))
        self._readers = [(place, reader) for place, reader in readers if reader is not None]

    def arguments(self, parameters: Mapping[str, Any]) -> list[Any]:
        """Return the arguments that the driver expects for these parameters."""
        return [self.argument(name, parameters) for name in self.names]

    def argument(self, name: str, parameters: Mapping[str, Any]) -> Any:
        """Return the argument that the driver expects for a parameter."""
        value = parameters[name] if name in parameters else self._defaults[name]
        writer = self._writers.get(name)
        return value if writer is None else writer(value)

    def rows(self, records: Sequence[Any]) -> list[Row]:
        """Make a row of each of the driver's records."""
        if not records or not self._readers:
            return list(map(self._row, records))
        return list(map(self._row, zip(*self._read(list(zip(*records, strict=True))), strict=True)))

    def of_arrays(self, arrays: Sequence[Any]) -> Rows:
        """Make rows of an array of each column, which is empty or None where there are no rows."""
        if not arrays[0]:
            return Rows(dict.fromkeys(self.columns, ()), 0)
        return Rows(dict(zip(self.columns, self._read(list(arrays)), strict=True)), len(arrays[0]))

    def _read(self, columns: list[Sequence[Any]]) -> list[Sequence[Any]]:
        for place, reader in self._readers:
            columns[place] = reader(columns[place])
        return columns


def _reader(type_: Any, dialect: Dialect) -> Callable[[Sequence[Any]], Sequence[Any]] | None:
    """Return the function that converts a column of a type; None where the driver's values need no conversion."""
    conversion = getattr(type_, "conversion", None)
    if conversion is not None:
        return partial(Column, conversion)
    read = type_.result_processor(dialect, None)
    return None if read is None else lambda stored: _read_each(read, stored)


def _read_each(read: Callable[[Any], Any], stored: Sequence[Any]) -> list[Any]:
    """Convert stored values; an exception stands in the place of one that cannot be read."""
    try:
        return list(map(read, stored))
    except Exception:  # noqa: BLE001 - the values are tried one by one
        return [_tried(read, value) for value in stored]


def _tried(read: Callable[[Any], Any], value: Any) -> Any:
    try:
        return read(value)
    except Exception as error:  # noqa: BLE001 - an error of the field where the value would stand
        return error
