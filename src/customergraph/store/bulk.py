"""Writes of many rows at once, for imports and generators."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Row, Table, Text, Uuid, bindparam, select, update
from sqlalchemy.sql import Executable

from customergraph.store.batches import among
from customergraph.store.change_log import recorded
from customergraph.store.entities import CUSTOMER, ENTITIES
from customergraph.store.statements import cached
from customergraph.store.tables import customer
from customergraph.store.tenancy import in_project
from customergraph.store.transactions import Transaction, Write

TABLES: Mapping[str, Table] = {entity.table.name: entity.table for entity in ENTITIES.values()}

_KEY_TYPES = {"uuid": Uuid, "slug": Text, "email_key": Text, "phone": Text}


@cached
def _change_statement(table: Table, columns: tuple[str, ...]) -> Executable:
    new = {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in columns}
    return recorded(update(table).where(in_project(table), table.c.id == bindparam("changed_id")).values(new))


@cached
def _rows_statement(table: Table, key: str, *, locked: bool) -> Executable:
    columns = [*CUSTOMER.columns, table.c.email_key] if table is customer else [*table.c]
    rows = select(*columns).where(in_project(table), among(table.c[key], "keys", _KEY_TYPES[key]))
    return rows.order_by(table.c.id).with_for_update() if locked else rows


async def add(write: Write, table: str, rows: Sequence[Mapping[str, Any]]) -> Sequence[int]:
    """Insert rows, all with the same columns; returns their ids, which follow their order."""
    return await write.add(TABLES[table], rows)


async def set_columns(write: Write, table: str, changes: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
    """Set columns that are no field of their own, by the ids of the rows: no change tells of them."""
    rows = sorted(((tuple(sorted(columns)), id_, columns) for id_, columns in changes), key=itemgetter(0, 1))
    for names, group in groupby(rows, key=itemgetter(0)):
        parameters = [
            {"changed_id": id_, **{f"new_{name}": value for name, value in columns.items()}}
            for _, id_, columns in group
        ]
        await write.change(_change_statement(TABLES[table], names), parameters)


async def change_rows(write: Write, table: str, changes: Sequence[tuple[Any, Mapping[str, Any]]]) -> None:
    """Set columns of rows that are locked to other values, each row its own, by one statement.

    A column that another row changes is written with the value that the row has.
    """
    if not changes:
        return
    for row, columns in changes:
        owner = columns.get("customer_id") or getattr(row, "customer_id", None)
        write.changes.updated(TABLES[table], row.id, columns, uuid=row.uuid, customer_id=owner)
    names = tuple(sorted({name for _, columns in changes for name in columns}))
    parameters = [
        {
            "changed_id": row.id,
            **{f"new_{name}": columns[name] if name in columns else getattr(row, name) for name in names},
        }
        for row, columns in changes
    ]
    await write.change(_change_statement(TABLES[table], names), parameters)


async def known(
    transaction: Transaction, table: str, key: str, values: Iterable[Any], *, locked: bool = False
) -> Sequence[Row[Any]]:
    """Return the rows whose `key` (uuid, slug, email_key or phone) is one of the values.

    `locked` keeps others from changing them until the write transaction ends.
    """
    keys = [value for value in values if value is not None]
    if not keys:
        return []
    return await transaction.rows(_rows_statement(TABLES[table], key, locked=locked), {"keys": keys})
