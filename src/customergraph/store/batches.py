"""Many keys in one parameter: a statement over 100 parents is the statement over one."""

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import BigInteger, Text, TypeDecorator, bindparam, column, func
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.selectable import TableValuedAlias


class _JsonArray(TypeDecorator[Sequence[Any]]):
    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> str:  # noqa: ARG002
        return orjson.dumps(value).decode()


def each(keys: str, type_: Any = BigInteger) -> TableValuedAlias:
    """Give the parameter's keys as a table of one column, `value`."""
    from_json = func.json_each(bindparam(keys, type_=_JsonArray))
    return from_json.table_valued(column("value", type_), name=keys)
