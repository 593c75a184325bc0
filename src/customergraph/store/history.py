"""What happened with customers: messages, reviews and charges, and what of it customers remember."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Table,
    and_,
    bindparam,
    case,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.sql import Executable

from customergraph.domain.message import STATUS_BY_TIME, MessageFilter, MessageStatus, MessageTemplate
from customergraph.domain.paging import Page, Slice
from customergraph.rows import Row
from customergraph.store import paging
from customergraph.store.batches import each
from customergraph.store.database import Read, Write
from customergraph.store.paging import PageShape
from customergraph.store.rows import Columns, chosen
from customergraph.store.statements import remembered
from customergraph.store.tables import UNSENT, charge, customer, message, review
from customergraph.store.tenancy import found_are_ours, ours

ALL = MessageFilter()

_STATUS = case(
    *((message.c[time].is_not(None), status) for time, status in STATUS_BY_TIME),
    else_=MessageStatus.SCHEDULED,
).label("status")


def _columns(table: Table, wanted: Columns) -> list[ColumnElement[Any]]:
    columns: list[ColumnElement[Any]] = [column for column in table.c if column.name != "project_id"]
    return chosen([*columns, _STATUS] if table is message else columns, wanted, "id", "customer_id")


def _conditions(table: Table, wanted: MessageFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.statuses is not None:
        # Not IN, whose length SQLAlchemy would have to write into the statement at each execution.
        conditions.append(or_(false(), *(_STATUS.element == literal(status) for status in sorted(wanted.statuses))))
    if wanted.channel is not None:
        conditions.append(table.c.channel == literal(wanted.channel))
    return conditions


@dataclass(frozen=True, eq=False)
class HistoryTable:
    """One kind of a customer's history, in pages that are newest first."""

    table: Table

    async def pages(
        self, read: Read, customer_ids: Sequence[int], page: Page, wanted: MessageFilter = ALL, *, columns: Columns
    ) -> list[Slice]:
        """Give each customer's page, in one statement."""
        rows = await read.by_column(
            _pages_statement(self.table, PageShape.of(page), wanted, columns, lateral=read.lateral),
            {"parents": customer_ids, **paging.parameters(page, columns)},
        )
        return paging.slices_of_parents(rows, "customer_id", customer_ids, page)

    async def counts(self, read: Read, customer_ids: Sequence[int], wanted: MessageFilter = ALL) -> list[int]:
        """Count each customer's rows, in one statement."""
        rows = await read.rows(_counts_statement(self.table, wanted), {"parents": customer_ids})
        found = {row.customer_id: row.total for row in rows}
        return [found.get(id_, 0) for id_ in customer_ids]

    async def by_ids(self, read: Read, ids: Sequence[int], *, columns: Columns) -> list[Row | None]:
        """Give the row of each id."""
        found = {row.id: row for row in await read.rows(_by_ids_statement(self.table, columns), {"ids": ids})}
        return [found.get(id_) for id_ in ids]


messages = HistoryTable(message)
reviews = HistoryTable(review)
charges = HistoryTable(charge)


@remembered
def _pages_statement(
    table: Table, shape: PageShape, wanted: MessageFilter, columns: Columns, *, lateral: bool
) -> Executable:
    selected, conditions = _columns(table, columns), _conditions(table, wanted)
    return paging.statement_of_parents(selected, table, "customer_id", shape, columns, conditions, lateral=lateral)


@remembered
def _counts_statement(table: Table, wanted: MessageFilter) -> Executable:
    return (
        select(table.c.customer_id, func.count().label("total"))
        .where(
            ours(table),
            table.c.customer_id.in_(select(each("parents").c.value)),
            *_conditions(table, wanted),
        )
        .group_by(table.c.customer_id)
    )


@remembered
def _by_ids_statement(table: Table, columns: Columns) -> Executable:
    return select(*_columns(table, columns)).where(found_are_ours(table), table.c.id.in_(select(each("ids").c.value)))


_CANCEL_UNSENT = (
    update(message)
    .where(ours(message), message.c.customer_id == bindparam("of_customer"), UNSENT)
    .values(canceled_at=bindparam("now", type_=message.c.canceled_at.type))
)


async def cancel_unsent(write: Write, customer_id: int, now: datetime) -> int:
    """Cancel every unsent message of a customer; gives how many."""
    return await write.change(_CANCEL_UNSENT, {"of_customer": customer_id, "now": now})


def _of_this_customer(table: Table) -> ColumnElement[bool]:
    return and_(ours(table), table.c.customer_id == customer.c.id)


def _latest(column: ColumnElement[Any], table: Table, *conditions: ColumnElement[bool]) -> ColumnElement[Any]:
    latest = select(func.max(column)).where(_of_this_customer(table), *conditions)
    return latest.correlate(customer).scalar_subquery()


# What a customer remembers of its history (contract, section 2), each as its history has it.
_REMEMBERED: dict[str, ColumnElement[Any]] = {
    "asked_at": _latest(message.c.scheduled_at, message, message.c.template == literal(MessageTemplate.REQUEST)),
    "messaged_at": _latest(message.c.sent_at, message),
    "reviewed_at": _latest(review.c.created_at, review),
    "has_clicked": exists().where(_of_this_customer(message), message.c.clicked_at.is_not(None)).correlate(customer),
    "has_charges": exists().where(_of_this_customer(charge)).correlate(customer),
}
_REFRESH = update(customer).where(ours(customer), customer.c.id.in_(select(each("ids").c.value))).values(_REMEMBERED)
_LOCKED = (
    select(customer.c.id)
    .where(ours(customer), customer.c.id.in_(select(each("ids").c.value)))
    .order_by(customer.c.id)
    .with_for_update()
)
_UNTRUE = (
    select(func.count())
    .select_from(customer)
    .where(
        ours(customer),
        or_(*(customer.c[name].is_distinct_from(value) for name, value in _REMEMBERED.items())),
    )
)


async def refresh(write: Write, customer_ids: Collection[int]) -> None:
    """Make true what these customers remember of their history, after their history was written."""
    if not customer_ids:
        return
    # Who writes the history of the same customer at the same time waits here, and then
    # counts what we wrote. In one order, so that no two wait for each other.
    ids = {"ids": list(customer_ids)}
    await write.rows(_LOCKED, ids)
    await write.change(_REFRESH, ids)


async def count_untrue(read: Read) -> int:
    """Count the customers that remember something else than their history says."""
    return int(await read.value(_UNTRUE))
