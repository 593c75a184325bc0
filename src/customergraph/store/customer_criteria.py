"""The criteria of the list of customers, in SQL."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Text, and_, bindparam, case, false, func, select, true
from sqlalchemy.sql import ColumnElement

from customergraph.domain.customer import CustomerCriteria, CustomerDateKey, CustomerFilter
from customergraph.domain.paging import Ordering
from customergraph.store import searching
from customergraph.store.batches import among
from customergraph.store.paging import Range, ranges_of
from customergraph.store.searching import SearchShape
from customergraph.store.snapshots import Read
from customergraph.store.tables import FACETS, customer, customer_tag, location, tag
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


_IS_LIVE, _IS_ARCHIVED = customer.c.is_archived.is_(false()), customer.c.is_archived.is_(true())
# PostgreSQL's indexes serve IN, and not OR.
LIVE_OR_ARCHIVED = customer.c.is_archived.in_([false(), true()])
_TAGS_OF_SLUGS = select(tag.c.id).where(in_project(tag), among(tag.c.slug, "tag_slugs", Text))
_LOCATION_OF_SLUG = select(location.c.id).where(
    in_project(location), location.c.slug == bindparam("location_slug", type_=Text)
)
# No row has this id.
_NOTHING = 0


def _has_tag(number: int) -> ColumnElement[bool]:
    tagged = select(customer_tag.c.customer_id).where(
        in_project(customer_tag), customer_tag.c.tag_id == bindparam(f"tag_id_{number}", type_=BigInteger)
    )
    has_tag: ColumnElement[bool] = customer.c.id.in_(tagged)
    return has_tag


@dataclass(frozen=True, slots=True)
class CriteriaShape:
    """The part of the criteria that shapes the statement; the rest is in its parameters."""

    facet: CustomerFilter | None
    date_key: CustomerDateKey
    search: SearchShape
    has_since: bool
    has_until: bool
    has_email: bool
    has_location: bool
    tags: int
    includes_archived: bool
    has_ascii_phrase: bool

    @classmethod
    def of(cls, criteria: CustomerCriteria) -> "CriteriaShape":
        return cls(
            criteria.facet,
            criteria.date_key,
            SearchShape.of(criteria.words),
            has_since=criteria.since is not None,
            has_until=criteria.until is not None,
            has_email=criteria.email is not None,
            has_location=criteria.location_slug is not None,
            tags=len(criteria.tag_slugs),
            includes_archived=criteria.includes_archived and criteria.facet is not CustomerFilter.ARCHIVED,
            has_ascii_phrase=criteria.phrase.isascii(),
        )

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions besides whether the customer is archived."""
        time = customer.c[self.date_key.lower()]
        optional = (
            (self.has_email, customer.c.email_key == bindparam("email", type_=Text)),
            (self.has_location, customer.c.location_id == bindparam("location_id", type_=BigInteger)),
            (self.has_since, time >= bindparam("since", type_=time.type)),
            (self.has_until, time < bindparam("until", type_=time.type)),
        )
        return [
            in_project(customer),
            *(FACETS[self.facet] if self.facet else ()),
            *self.search.conditions(),
            *(condition for is_present, condition in optional if is_present),
            *map(_has_tag, range(self.tags)),
        ]

    def archiving(self) -> list[ColumnElement[bool]]:
        """Return conditions on whether a customer is archived, one of which it meets: each is a range of an index."""
        if self.includes_archived:
            return [_IS_LIVE, _IS_ARCHIVED]
        return [_IS_ARCHIVED if self.facet is CustomerFilter.ARCHIVED else _IS_LIVE]

    def is_listed(self) -> ColumnElement[bool]:
        """Return the same as one condition."""
        return LIVE_OR_ARCHIVED if self.includes_archived else self.archiving()[0]

    def facet_counts(self) -> list[ColumnElement[int]]:
        """Return the number of each facet's customers, by the facet; the shape's own facet is left aside."""
        live = () if self.includes_archived else (_IS_LIVE,)
        conditions = {facet: (*live, *FACETS[facet]) for facet in CustomerFilter}
        conditions[CustomerFilter.ARCHIVED] = (_IS_ARCHIVED,)
        return [func.count(case((and_(true(), *every), 1))).label(facet) for facet, every in conditions.items()]

    def ranges(self, ordering: Ordering) -> list[Range]:
        """Return the ranges of the order that can have customers."""
        if ordering.is_ranked:
            return searching.relevance_ranges(is_ascii=self.has_ascii_phrase)
        column, has_value = _FACET_DECIDES.get(self.facet, ("", False)) if self.facet else ("", False)
        is_bounded = self.date_key.lower() == ordering.column and (self.has_since or self.has_until)
        excluded = {False} if is_bounded else set()
        if column == ordering.column:
            excluded |= {not has_value}
        return [one for one in ranges_of(ordering, customer) if one.has_value not in excluded]


def parameters_of(criteria: CustomerCriteria) -> dict[str, Any]:
    """Return the parameters of the conditions."""
    return {
        **searching.parameters(criteria.words),
        **searching.relevance_parameters(criteria.phrase),
        "email": criteria.email,
        "since": criteria.since,
        "until": criteria.until,
    }


def look_up_of(criteria: CustomerCriteria) -> Callable[[Read], Awaitable[Mapping[str, Any]]] | None:
    """Return what lets the engine plan for the values of the criteria, where those decide which plan is fast."""
    if not criteria.words and not criteria.tag_slugs and criteria.location_slug is None:
        return None

    async def look_up(read: Read) -> Mapping[str, Any]:
        # Looked up first: the engine knows how many customers a tag's id has, but not how many a slug has.
        parameters = {**await _tags(read, criteria.tag_slugs), **await _location(read, criteria.location_slug)}
        await read.plan_for_values()
        return parameters

    return look_up


async def _tags(read: Read, slugs: Collection[str]) -> dict[str, int]:
    if not slugs:
        return {}
    ids = sorted(row.id for row in await read.rows(_TAGS_OF_SLUGS, {"tag_slugs": sorted(slugs)}))
    ids += [_NOTHING] * (len(slugs) - len(ids))
    return {f"tag_id_{number}": id_ for number, id_ in enumerate(ids)}


async def _location(read: Read, slug: str | None) -> dict[str, int]:
    if slug is None:
        return {}
    return {"location_id": await read.value(_LOCATION_OF_SLUG, {"location_slug": slug}) or _NOTHING}
