"""Customers: every change of their columns and tags. `reads` has what queries read."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, delete, insert, select, update

from customergraph.rows import Row
from customergraph.store.batches import each
from customergraph.store.entities import CUSTOMER
from customergraph.store.tables import customer, customer_tag, review
from customergraph.store.tenancy import TENANT, in_project
from customergraph.store.transactions import Transaction, Write

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


_TAKEN = {
    "email": select(customer.c.id).where(in_project(customer), customer.c.email_key == bindparam("value")),
    "phone": select(customer.c.id).where(in_project(customer), customer.c.phone == bindparam("value")),
}


async def is_taken(transaction: Transaction, contact: str, value: str) -> bool:
    """Return whether a customer has this mailbox (`email`) or this `phone`."""
    return await transaction.value(_TAKEN[contact], {"value": value}) is not None


_INSERT = insert(customer).values(project_id=TENANT).returning(customer.c.id)


async def add(write: Write, columns: Mapping[str, Any]) -> int:
    """Insert one customer and return its id."""
    return int(await write.value(_INSERT, columns))


_CHANGE = update(customer).where(in_project(customer), customer.c.id == bindparam("changed_id"))


async def change(write: Write, customer_id: int, now: datetime, **columns: Any) -> None:
    """Set columns of a customer, and set its `updated_at` to `now`."""
    await write.change(_CHANGE.values(updated_at=now, **columns), {"changed_id": customer_id})


_ORPHAN_REVIEWS = (
    update(review).where(in_project(review), review.c.customer_id == bindparam("removed_id")).values(customer_id=None)
)
_DELETE = delete(customer).where(in_project(customer), customer.c.id == bindparam("removed_id"))


async def remove(write: Write, customer_id: int) -> None:
    """Delete a customer with its messages, charges and tag assignments; its reviews stay without a customer."""
    await write.change(_ORPHAN_REVIEWS, {"removed_id": customer_id})
    await write.change(_DELETE, {"removed_id": customer_id})


_TAG_IDS = select(customer_tag.c.tag_id).where(
    in_project(customer_tag), customer_tag.c.customer_id == bindparam("tagged_id")
)
_UNTAG = delete(customer_tag).where(
    in_project(customer_tag), customer_tag.c.customer_id.in_(select(each("ids").c.value))
)


async def replace_tags(write: Write, customer_id: int, tag_ids: Iterable[int]) -> bool:
    """Make these the customer's tags; returns whether that changed anything."""
    new_ids = set(tag_ids)
    if new_ids == {row.tag_id for row in await write.rows(_TAG_IDS, {"tagged_id": customer_id})}:
        return False
    await set_tags(write, {customer_id: new_ids})
    return True


async def set_tags(write: Write, tag_ids: Mapping[int, Iterable[int]]) -> None:
    """Make these the tags of each customer, by the customers' ids."""
    if not tag_ids:
        return
    await write.change(_UNTAG, {"ids": list(tag_ids)})
    rows = [{"customer_id": id_, "tag_id": tag_id} for id_, tags in tag_ids.items() for tag_id in sorted(tags)]
    await write.insert(customer_tag, rows)
