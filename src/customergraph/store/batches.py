"""Many keys in one statement and in one parameter: the SQL for 100 parents is the SQL for one."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import BigInteger, ColumnElement, Executable, Text, TypeDecorator, bindparam, column
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import TableValuedAlias
from sqlalchemy.types import NullType, TypeEngine, to_instance

from customergraph.rows import Rows, Singles


class Keys(TypeDecorator[Sequence[Any]]):
    """Keys of one type: an array on PostgreSQL, elsewhere a JSON text."""

    impl = Text
    cache_ok = True

    def __init__(self, type_: type[TypeEngine[Any]] | TypeEngine[Any]) -> None:
        super().__init__()
        self.type_ = type_

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(to_instance(self.type_)) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> Any:
        if dialect.name == "postgresql":
            return value
        write = to_instance(self.type_).dialect_impl(dialect).bind_processor(dialect)
        return orjson.dumps([write(key) if write else key for key in value or ()]).decode()


class _Each(FunctionElement[Any]):
    inherit_cache = True
    name = "each"


@compiles(_Each)
def _json_each(element: _Each, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(_Each, "postgresql")
def _unnest(element: _Each, compiler: SQLCompiler, **options: Any) -> str:
    return f"unnest({compiler.process(element.clauses, **options)})"


def each(keys: str, type_: type[TypeEngine[Any]] = BigInteger) -> TableValuedAlias:
    """Return the parameter's keys as a table of one column, `value`."""
    rows = _Each(bindparam(keys, type_=Keys(type_)))
    # PostgreSQL names the column of a function by the function's alias; SQLite names it `value`.
    return rows.table_valued(column("value", type_()), name="value")


class _Among(FunctionElement[Any]):
    inherit_cache = True
    name = "among"
    # Not a Boolean: SQLAlchemy would compare that with 1 on SQLite, which then uses no index.
    type = NullType()


@compiles(_Among)
def _in_json(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, keys = (compiler.process(part, **options) for part in element.clauses)
    return f"({column} IN (SELECT value FROM json_each({keys})))"  # noqa: S608 - of our columns and parameters


@compiles(_Among, "postgresql")
def _any(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    # IN with a subquery would be a join, which takes longer to start, and which may begin with all rows of a project.
    column, keys = (compiler.process(part, **options) for part in element.clauses)
    return f"({column} = ANY ({keys}))"


def among(column: ColumnElement[Any], keys: str, type_: type[TypeEngine[Any]] = BigInteger) -> ColumnElement[bool]:
    """Return the condition that a column has one of the parameter's keys."""
    return _Among(column, bindparam(keys, type_=Keys(type_)))


class Batch(NamedTuple):
    """One statement that reads the values of many keys.

    `values` makes the values of keys, in their order, of the rows.
    """

    statement: Executable
    parameters: Mapping[str, Any]
    values: Callable[[Rows, Sequence[Any]], Sequence[Any]]
    # What has to be read, or set, before in the same transaction; returns further parameters.
    before: Callable[[Any], Awaitable[Mapping[str, Any]]] | None = None


def singles(key: str) -> Callable[[Rows, Sequence[Any]], Singles]:
    """Return the function that finds the row of each key, which stands in a column of its own."""

    def values(rows: Rows, keys: Sequence[Any]) -> Singles:
        places = {value: place for place, value in enumerate(rows.column(key))}
        return Singles(rows, list(map(places.get, keys)))

    return values
