"""Customers: every change of their columns and tags. `reads` has what queries read."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Table,
    Text,
    Uuid,
    and_,
    bindparam,
    delete,
    literal_column,
    select,
    union,
    update,
)
from sqlalchemy.sql import Executable
from sqlalchemy.types import TypeEngine

from customergraph.rows import Row
from customergraph.store.batches import among
from customergraph.store.change_log import recorded
from customergraph.store.entities import CUSTOMER, ENTITIES
from customergraph.store.statements import cached
from customergraph.store.tables import customer, customer_tag
from customergraph.store.tenancy import in_project, in_project_by_id
from customergraph.store.transactions import Write

# So many rows of a long history are removed at once.
_PART_ROWS = 2_000

_LOCKED = select(*CUSTOMER.columns).where(in_project(customer)).with_for_update()
_LOCKED_BY_ID = _LOCKED.where(customer.c.id == bindparam("locked_id"))
_LOCKED_BY_UUID = _LOCKED.where(customer.c.uuid == bindparam("locked_uuid", type_=Uuid))


async def locked(write: Write, identity: int | UUID | None) -> Row | None:
    """Return the customer with this id or uuid, and keep others from changing it until the transaction ends."""
    if identity is None:
        return None
    if isinstance(identity, UUID):
        return await write.row(_LOCKED_BY_UUID, {"locked_uuid": identity})
    return await write.row(_LOCKED_BY_ID, {"locked_id": identity})


# The columns that identify a customer, and the types of their keys.
_KEY_TYPES: Mapping[str, type[TypeEngine[Any]]] = {"id": BigInteger, "uuid": Uuid, "email_key": Text, "phone": Text}


_ALL = (*CUSTOMER.columns, customer.c.email_key)
_IDENTITY = tuple(customer.c[name] for name in ("id", "uuid", "email", "email_key", "phone"))


@cached
def _locked_by_statement(names: tuple[str, ...], columns: tuple[ColumnElement[Any], ...]) -> Executable:
    """Select by any of the keys. One statement, since the rows are locked in the order in which it gives them."""
    some = customer.alias()
    ids = (
        select(some.c.id).where(
            in_project_by_id(some) if name == "id" else in_project(some),
            among(some.c[name], name, _KEY_TYPES[name]),
        )
        for name in names
    )
    return (
        select(*columns)
        .where(in_project_by_id(customer), customer.c.id.in_(union(*ids)))
        .order_by(customer.c.id)
        .with_for_update()
    )


async def locked_by(
    write: Write, keys: Mapping[str, Collection[Any]], *, identities_only: bool = False
) -> Sequence[Row]:
    """Return the customers that have one of the keys of a column: `id`, `uuid`, `email_key` or `phone`.

    Others are kept from changing them until the transaction ends. All lock in the order of ids, so that no two wait
    for each other. With `identities_only` the rows have nothing but the keys and the email.
    """
    parameters = {name: list(values) for name, values in keys.items() if values}
    if not parameters:
        return []
    columns = _IDENTITY if identities_only else _ALL
    return await write.rows(_locked_by_statement(tuple(sorted(parameters)), columns), parameters)


_CHANGE = recorded(update(customer).where(in_project(customer), customer.c.id == bindparam("changed_id")))


async def change(write: Write, row: Row, now: datetime, **columns: Any) -> None:
    """Set columns of a stored customer to other values, and set its `updated_at` to `now`."""
    await write.change(_CHANGE.values(updated_at=now, **columns), {"changed_id": row.id})
    write.changes.updated(customer, row.id, columns, uuid=row.uuid)


def _of_removed(table: Table) -> ColumnElement[bool]:
    return and_(in_project(table), table.c.customer_id == bindparam("removed_id"))


def _part_of_removed(table: Table) -> ColumnElement[bool]:
    part = select(table.c.id).where(_of_removed(table)).limit(literal_column(str(_PART_ROWS)))
    return and_(in_project(table), table.c.id.in_(part))


_HISTORY = [entity.table for entity in ENTITIES.values() if entity.parent == "customer_id"]
# Rows that can be without a customer stay.
_ORPHAN = {
    table: recorded(
        update(table).where(_part_of_removed(table)).values(customer_id=None).returning(table.c.id, table.c.uuid)
    )
    for table in _HISTORY
    if table.c.customer_id.nullable
}
_DELETE_HISTORY = {
    table: recorded(delete(table).where(_part_of_removed(table)).returning(table.c.id, table.c.uuid))
    for table in _HISTORY
    if table not in _ORPHAN
}
_DELETE = recorded(delete(customer).where(in_project(customer), customer.c.id == bindparam("removed_id")))


async def remove(write: Write, row: Row) -> None:
    """Delete a customer with its messages, charges and tag assignments; its reviews stay without a customer."""
    removed = {"removed_id": row.id}
    for table, statement in _ORPHAN.items():
        async for orphan in _in_parts(write, statement, removed):
            write.changes.updated(table, orphan.id, ["customer_id"], uuid=orphan.uuid, customer_id=row.id)
    for table, statement in _DELETE_HISTORY.items():
        async for gone in _in_parts(write, statement, removed):
            write.changes.deleted(table, gone.id, gone.uuid, row.id)
    await write.change(_DELETE, removed)
    write.changes.deleted(customer, row.id, row.uuid, row.id)


_TAG_IDS = select(customer_tag.c.tag_id).where(
    in_project(customer_tag), customer_tag.c.customer_id == bindparam("tagged_id")
)
_UNTAG = recorded(delete(customer_tag).where(in_project(customer_tag), among(customer_tag.c.customer_id, "ids")))


async def _in_parts(write: Write, statement: Executable, parameters: Mapping[str, Any]) -> AsyncIterator[Row]:
    """Run a statement until it leaves nothing; yields its rows. Between its parts other operations go on."""
    while True:
        rows = await write.rows(statement, parameters)
        for row in rows:
            yield row
        if len(rows) < _PART_ROWS:
            return


async def replace_tags(write: Write, customer_id: int, tag_ids: Iterable[int]) -> bool:
    """Make these the customer's tags; returns whether that changed anything."""
    new_ids = set(tag_ids)
    if new_ids == {row.tag_id for row in await write.rows(_TAG_IDS, {"tagged_id": customer_id})}:
        return False
    await set_tags(write, {customer_id: new_ids})
    return True


async def set_tags(write: Write, tag_ids: Mapping[int, Iterable[int]]) -> None:
    """Make these, which are others than before, the tags of each customer, by the customers' ids."""
    if not tag_ids:
        return
    await write.change(_UNTAG, {"ids": list(tag_ids)})
    await add_tags(write, tag_ids)
    for id_ in tag_ids:
        write.changes.updated(customer, id_, ["tags"])


async def add_tags(write: Write, tag_ids: Mapping[int, Iterable[int]]) -> None:
    """Give tags to customers that have none, by the customers' ids. No change of the feed tells of it."""
    pairs = [(id_, tag_id) for id_, tags in tag_ids.items() for tag_id in sorted(tags)]
    customer_ids, tags = zip(*pairs, strict=True) if pairs else ((), ())
    await write.insert(customer_tag, {"customer_id": customer_ids, "tag_id": tags})
