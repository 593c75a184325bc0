"""Customers: the list, look-ups, and every change of a customer's columns and tags."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, delete, false, func, insert, select, true, update
from sqlalchemy.sql import ColumnElement, Executable

from customergraph.domain.customer import CustomerCriteria, CustomerDateKey, CustomerFilter
from customergraph.domain.paging import Ordering, Page, Pages
from customergraph.rows import Row
from customergraph.store import paging, searching
from customergraph.store.batches import Batch, each
from customergraph.store.entities import CUSTOMER
from customergraph.store.paging import PageShape
from customergraph.store.rows import Columns
from customergraph.store.searching import SearchShape
from customergraph.store.snapshots import Read
from customergraph.store.statements import cached
from customergraph.store.tables import FACETS, customer, customer_tag, review, tag
from customergraph.store.tenancy import TENANT, in_project
from customergraph.store.transactions import Transaction, Write

# The column whose presence a facet decides: True when every customer of the facet has a value, False when none has.
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
class CriteriaShape:
    """The part of the criteria that shapes the statement; the rest is in its parameters."""

    facet: CustomerFilter | None
    date_key: CustomerDateKey
    search: SearchShape
    has_since: bool
    has_until: bool
    has_email: bool
    has_tag: bool

    @classmethod
    def of(cls, criteria: CustomerCriteria) -> "CriteriaShape":
        return cls(
            criteria.facet,
            criteria.date_key,
            SearchShape.of(criteria.words),
            has_since=criteria.since is not None,
            has_until=criteria.until is not None,
            has_email=criteria.email is not None,
            has_tag=criteria.tag_slug is not None,
        )

    def conditions(self) -> list[ColumnElement[bool]]:
        is_archived = self.facet is CustomerFilter.ARCHIVED
        time = customer.c[self.date_key.lower()]
        optional = (
            (self.has_email, customer.c.email_key == bindparam("email", type_=Text)),
            (self.has_tag, customer.c.id.in_(_TAGGED)),
            (self.has_since, time >= bindparam("since", type_=time.type)),
            (self.has_until, time < bindparam("until", type_=time.type)),
        )
        return [
            in_project(customer),
            customer.c.is_archived.is_(true() if is_archived else false()),
            *(FACETS[self.facet] if self.facet else ()),
            *self.search.conditions(),
            *(condition for is_present, condition in optional if is_present),
        ]

    def ranges(self, ordering: Ordering) -> dict[str, bool]:
        """Return whether the customers can have a value of the sort's column (`values`), or none (`nulls`)."""
        column, has_value = _FACET_DECIDES.get(self.facet, ("", False)) if self.facet else ("", False)
        is_decided = column == ordering.column
        is_bounded = self.date_key.lower() == ordering.column and (self.has_since or self.has_until)
        return {"values": not is_decided or has_value, "nulls": not (is_bounded or (is_decided and has_value))}


def _parameters(criteria: CustomerCriteria) -> dict[str, Any]:
    return {
        **searching.parameters(criteria.words),
        "email": criteria.email,
        "since": criteria.since,
        "until": criteria.until,
    }


def _before(criteria: CustomerCriteria) -> Callable[[Read], Awaitable[Mapping[str, Any]]] | None:
    """Return what lets the engine plan for the values of the criteria, where those decide which plan is fast."""
    if not criteria.words and criteria.tag_slug is None:
        return None

    async def before(read: Read) -> Mapping[str, Any]:
        parameters = {}
        if criteria.tag_slug is not None:
            # Looked up first: the engine knows how many customers a tag id has, but not how many a slug has.
            parameters["tag_id"] = await read.value(_TAG_OF_SLUG, {"tag_slug": criteria.tag_slug}) or _NO_TAG
        await read.plan_for_values()
        return parameters

    return before


@cached
def _page_statement(criteria: CriteriaShape, page: PageShape, columns: Columns) -> Executable:
    rows = select(*CUSTOMER.selected(columns)).where(*criteria.conditions())
    return paging.statement(rows, customer, page, columns, **criteria.ranges(page.ordering))


@cached
def _count_statement(criteria: CriteriaShape) -> Executable:
    return select(func.count().label("total")).select_from(customer).where(*criteria.conditions())


def page(_keys: Sequence[None], criteria: CustomerCriteria, page: Page, *, columns: Columns) -> Batch:
    """Read a page of the customers that meet the criteria."""
    statement = _page_statement(CriteriaShape.of(criteria), PageShape.of(page), columns)
    parameters = {**_parameters(criteria), **paging.parameters(page, columns)}
    return Batch(statement, parameters, lambda rows, _keys: Pages.of_one(rows, page), _before(criteria))


def count(_keys: Sequence[None], criteria: CustomerCriteria, *, columns: Columns) -> Batch:  # noqa: ARG001 - none
    """Count all customers that meet the criteria."""
    statement = _count_statement(CriteriaShape.of(criteria))
    return Batch(statement, _parameters(criteria), lambda rows, _keys: rows.column("total"), _before(criteria))


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
