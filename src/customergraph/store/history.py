"""The summaries of history that customers carry, and the cancelation of unsent messages."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Executable, Table, and_, bindparam, exists, func, literal, or_, select, update

from customergraph.domain.message import MessageTemplate
from customergraph.store.batches import among
from customergraph.store.change_log import recorded
from customergraph.store.snapshots import Read
from customergraph.store.statements import cached
from customergraph.store.tables import UNSENT, charge, customer, message, review
from customergraph.store.tenancy import in_project, in_project_by_id
from customergraph.store.transactions import Write

_CANCEL_UNSENT = recorded(
    update(message)
    .where(in_project(message), message.c.customer_id == bindparam("of_customer"), UNSENT)
    .values(canceled_at=bindparam("now", type_=message.c.canceled_at.type))
    .returning(message.c.id, message.c.uuid)
)


async def cancel_unsent(write: Write, customer_id: int, now: datetime) -> int:
    """Cancel every unsent message of a customer; returns how many there were."""
    canceled = await write.rows(_CANCEL_UNSENT, {"of_customer": customer_id, "now": now})
    for row in canceled:
        write.changes.updated(message, row.id, ["canceled_at"], uuid=row.uuid, customer_id=customer_id)
    return len(canceled)


def _of_this_customer(table: Table) -> ColumnElement[bool]:
    return and_(in_project(table), table.c.customer_id == customer.c.id)


def _latest(column: ColumnElement[Any], table: Table, *conditions: ColumnElement[bool]) -> ColumnElement[Any]:
    latest = select(func.max(column)).where(_of_this_customer(table), *conditions)
    return latest.correlate(customer).scalar_subquery()


# The summary of its history that a customer carries (contract, section 2), each column computed from the history.
_SUMMARY: dict[str, ColumnElement[Any]] = {
    "asked_at": _latest(message.c.scheduled_at, message, message.c.template == literal(MessageTemplate.REQUEST)),
    "messaged_at": _latest(message.c.sent_at, message),
    "reviewed_at": _latest(review.c.created_at, review),
    "has_clicked": exists().where(_of_this_customer(message), message.c.clicked_at.is_not(None)).correlate(customer),
    "has_charges": exists().where(_of_this_customer(charge)).correlate(customer),
}
# Which columns follow from the rows of each table.
_SUMMARY_OF = {
    message: ("asked_at", "messaged_at", "has_clicked"),
    review: ("reviewed_at",),
    charge: ("has_charges",),
}
_BY_ID = and_(in_project_by_id(customer), among(customer.c.id, "ids"))
_LOCKED = select(customer.c.id).where(_BY_ID).order_by(customer.c.id).with_for_update()
_STALE = (
    select(func.count())
    .select_from(customer)
    .where(
        in_project(customer),
        or_(*(customer.c[name].is_distinct_from(value) for name, value in _SUMMARY.items())),
    )
)


@cached
def _changed(table: Table) -> Executable:
    """Select the customers whose summary of a table is stale, and which columns of it are."""
    stale = {name: customer.c[name].is_distinct_from(_SUMMARY[name]) for name in _SUMMARY_OF[table]}
    return select(customer.c.id, customer.c.uuid, *(condition.label(name) for name, condition in stale.items())).where(
        _BY_ID, or_(*stale.values())
    )


@cached
def _refresh(table: Table) -> Executable:
    return recorded(update(customer).where(_BY_ID).values({name: _SUMMARY[name] for name in _SUMMARY_OF[table]}))


async def refresh(write: Write, table: Table, customer_ids: Collection[int]) -> None:
    """Compute what the summaries of these customers have of a table, after its rows were written."""
    if not customer_ids or table not in _SUMMARY_OF:
        return
    # Another writer of the same customer's history waits here, and then sees our rows.
    # All lock in the order of ids, so that no two wait for each other.
    ids = {"ids": list(customer_ids)}
    await write.rows(_LOCKED, ids)
    changed = await write.rows(_changed(table), ids)
    # Also for none: the number of statements does not depend on what is stored.
    await write.change(_refresh(table), {"ids": [row.id for row in changed]})
    for row in changed:
        names = [name for name in _SUMMARY_OF[table] if getattr(row, name)]
        write.changes.updated(customer, row.id, names, uuid=row.uuid)


async def count_stale_summaries(read: Read) -> int:
    """Count the customers whose summary differs from their history."""
    return int(await read.value(_STALE))
