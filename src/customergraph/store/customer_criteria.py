"""The criteria of the list of customers, in SQL."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, bindparam, false, select, true
from sqlalchemy.sql import ColumnElement

from customergraph.domain.customer import CustomerCriteria, CustomerDateKey, CustomerFilter
from customergraph.domain.paging import Ordering
from customergraph.store import searching
from customergraph.store.searching import SearchShape
from customergraph.store.snapshots import Read
from customergraph.store.tables import FACETS, customer, customer_tag, tag
from customergraph.store.tenancy import in_project

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


def parameters_of(criteria: CustomerCriteria) -> dict[str, Any]:
    """Return the parameters of the conditions."""
    return {
        **searching.parameters(criteria.words),
        "email": criteria.email,
        "since": criteria.since,
        "until": criteria.until,
    }


def look_up_of(criteria: CustomerCriteria) -> Callable[[Read], Awaitable[Mapping[str, Any]]] | None:
    """Return what lets the engine plan for the values of the criteria, where those decide which plan is fast."""
    if not criteria.words and criteria.tag_slug is None:
        return None

    async def look_up(read: Read) -> Mapping[str, Any]:
        parameters = {}
        if criteria.tag_slug is not None:
            # Looked up first: the engine knows how many customers a tag id has, but not how many a slug has.
            parameters["tag_id"] = await read.value(_TAG_OF_SLUG, {"tag_slug": criteria.tag_slug}) or _NO_TAG
        await read.plan_for_values()
        return parameters

    return look_up
