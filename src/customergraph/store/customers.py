"""Customers: the list, look-ups, and every change of a customer's own columns and tags."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Text,
    Uuid,
    bindparam,
    delete,
    false,
    func,
    insert,
    select,
    true,
    update,
)
from sqlalchemy.sql import ColumnElement, Executable

from customergraph.domain.customer import CustomerCriteria, CustomerDateKey, CustomerFilter
from customergraph.domain.paging import Ordering, Page, Slice
from customergraph.rows import Part, Row
from customergraph.store import paging, searching
from customergraph.store.batches import each
from customergraph.store.database import Read, Transaction, Write
from customergraph.store.entities import CUSTOMER
from customergraph.store.paging import PageShape
from customergraph.store.rows import Columns
from customergraph.store.searching import SearchShape
from customergraph.store.statements import remembered
from customergraph.store.tables import FACETS, customer, customer_tag, review, tag
from customergraph.store.tenancy import TENANT, in_project

# What a facet says of a sort's column: that it has a value, or that it has none.
_FACET_DECIDES: Mapping[CustomerFilter, tuple[str, bool]] = {
    CustomerFilter.ASKED: ("asked_at", True),
    CustomerFilter.NOT_ASKED: ("asked_at", False),
    CustomerFilter.NOT_MESSAGED: ("messaged_at", False),
    CustomerFilter.MISSED: ("reviewed_at", False),
    CustomerFilter.REVIEWED: ("reviewed_at", True),
    CustomerFilter.NOT_REVIEWED: ("reviewed_at", False),
}


_TAG_OF_SLUG = select(tag.c.id).where(in_project(tag), tag.c.slug == bindparam("tag_slug", type_=Text))
_TAGGED = select(customer_tag.c.customer_id).where(
    in_project(customer_tag), customer_tag.c.tag_id == bindparam("tag_id")
)
_NO_TAG = 0


@dataclass(frozen=True, slots=True)
class FilterShape:
    """What of a filter shapes its statement; the rest is in its parameters."""

    facet: CustomerFilter | None
    date_key: CustomerDateKey
    since: bool
    until: bool
    search: SearchShape
    email: bool
    tag_slug: bool

    @classmethod
    def of(cls, wanted: CustomerCriteria) -> "FilterShape":
        return cls(
            wanted.facet,
            wanted.date_key,
            wanted.since is not None,
            wanted.until is not None,
            SearchShape.of(wanted.words),
            wanted.email is not None,
            wanted.tag_slug is not None,
        )

    def conditions(self) -> list[ColumnElement[bool]]:
        archived = self.facet is CustomerFilter.ARCHIVED
        moment = customer.c[self.date_key.lower()]
        given = (
            (self.email, customer.c.email_key == bindparam("email", type_=Text)),
            (self.tag_slug, customer.c.id.in_(_TAGGED)),
            (self.since, moment >= bindparam("since", type_=moment.type)),
            (self.until, moment < bindparam("until", type_=moment.type)),
        )
        return [
            in_project(customer),
            customer.c.is_archived.is_(true() if archived else false()),
            *(FACETS[self.facet] if self.facet else ()),
            *self.search.conditions(),
            *(condition for wanted, condition in given if wanted),
        ]

    def leaves(self, ordering: Ordering) -> dict[str, bool]:
        """Tell whether rows with and without a value of the sort can be among the wanted ones."""
        column, has_value = _FACET_DECIDES.get(self.facet, ("", False)) if self.facet else ("", False)
        decided = column == ordering.column
        bounded = self.date_key.lower() == ordering.column and (self.since or self.until)
        return {"values": not decided or has_value, "nulls": not (bounded or (decided and has_value))}


def _parameters(wanted: CustomerCriteria) -> dict[str, Any]:
    return {
        **searching.parameters(wanted.words),
        "email": wanted.email,
        "since": wanted.since,
        "until": wanted.until,
    }


async def _bound(read: Read, wanted: CustomerCriteria) -> dict[str, Any]:
    """Give the parameters of a filter, and let the engine plan for these very values where they decide."""
    parameters = _parameters(wanted)
    if wanted.tag_slug is not None:
        # Found first: the engine knows how many customers this tag has, and not how many one of a slug has.
        parameters["tag_id"] = await read.value(_TAG_OF_SLUG, {"tag_slug": wanted.tag_slug}) or _NO_TAG
    if wanted.words or wanted.tag_slug is not None:
        await read.plan_for_values()
    return parameters


@remembered
def _page_statement(wanted: FilterShape, shape: PageShape, columns: Columns) -> Executable:
    rows = select(*CUSTOMER.selected(columns)).where(*wanted.conditions())
    return paging.statement(rows, customer, shape, columns, **wanted.leaves(shape.ordering))


@remembered
def _count_statement(wanted: FilterShape) -> Executable:
    return select(func.count().label("total")).select_from(customer).where(*wanted.conditions())


async def pages(read: Read, filters: Sequence[CustomerCriteria], page: Page, *, columns: Columns) -> list[Slice]:
    """Give one page of the customers that fulfil each filter."""
    return [await _page(read, wanted, page, columns) for wanted in filters]


async def _page(read: Read, wanted: CustomerCriteria, page: Page, columns: Columns) -> Slice:
    statement = _page_statement(FilterShape.of(wanted), PageShape.of(page), columns)
    rows = await read.by_column(statement, {**await _bound(read, wanted), **paging.parameters(page, columns)})
    return Slice.of(Part(rows, 0, rows.count), page)


async def counts(read: Read, filters: Sequence[CustomerCriteria]) -> list[int]:
    """Count all the customers that fulfil each filter."""
    return [
        int(await read.value(_count_statement(FilterShape.of(wanted)), await _bound(read, wanted)))
        for wanted in filters
    ]


_LOCKED = select(*CUSTOMER.columns).where(in_project(customer)).with_for_update()
_LOCKED_BY_ID = _LOCKED.where(customer.c.id == bindparam("wanted_id"))
_LOCKED_BY_UUID = _LOCKED.where(customer.c.uuid == bindparam("wanted_uuid", type_=Uuid))


async def locked(write: Write, named: int | UUID | None) -> Row | None:
    """Give the customer of this id or uuid, and keep others from changing it until the transaction ends."""
    if named is None:
        return None
    if isinstance(named, UUID):
        return await write.row(_LOCKED_BY_UUID, {"wanted_uuid": named})
    return await write.row(_LOCKED_BY_ID, {"wanted_id": named})


_TAKEN = {
    "email": select(customer.c.id).where(in_project(customer), customer.c.email_key == bindparam("value")),
    "phone": select(customer.c.id).where(in_project(customer), customer.c.phone == bindparam("value")),
}


async def is_taken(transaction: Transaction, contact: str, value: str) -> bool:
    """Tell whether a customer has this mailbox (`email`) or this `phone`."""
    return await transaction.value(_TAKEN[contact], {"value": value}) is not None


_INSERT = insert(customer).values(project_id=TENANT).returning(customer.c.id)


async def add(write: Write, columns: Mapping[str, Any]) -> int:
    """Insert one customer and give its id."""
    return int(await write.value(_INSERT, columns))


_CHANGE = update(customer).where(in_project(customer), customer.c.id == bindparam("changed_id"))


async def change(write: Write, customer_id: int, now: datetime, **columns: Any) -> None:
    """Set columns of a customer's own, and move its `updated_at`."""
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
    in_project(customer_tag), customer_tag.c.customer_id == bindparam("of_id")
)
_UNTAG = delete(customer_tag).where(
    in_project(customer_tag), customer_tag.c.customer_id.in_(select(each("ids").c.value))
)


async def replace_tags(write: Write, customer_id: int, tag_ids: Iterable[int]) -> bool:
    """Make these the customer's tags; tells whether that changed anything."""
    wanted = set(tag_ids)
    if wanted == {row.tag_id for row in await write.rows(_TAG_IDS, {"of_id": customer_id})}:
        return False
    await set_tags(write, {customer_id: wanted})
    return True


async def set_tags(write: Write, tag_ids: Mapping[int, Iterable[int]]) -> None:
    """Make these the tags of each customer, by the customers' ids."""
    if not tag_ids:
        return
    await write.change(_UNTAG, {"ids": list(tag_ids)})
    rows = [{"customer_id": id_, "tag_id": tag_id} for id_, tags in tag_ids.items() for tag_id in sorted(tags)]
    await write.insert(customer_tag, rows)
