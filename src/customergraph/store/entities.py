"""The entities of the graph, each declared once: its kind, its table, and the parent whose lists contain it.

Look-ups by id, pages and counts of lists, `node` and bulk writes follow from these declarations.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import Column, Table, Text, bindparam, case, false, literal, or_, select
from sqlalchemy.sql import ColumnElement

from customergraph.domain.identity import Kind
from customergraph.domain.message import STATUS_BY_TIME, MessageCriteria, MessageStatus
from customergraph.domain.review import ReviewCriteria
from customergraph.store.rows import Columns, subset
from customergraph.store.tables import charge, customer, location, message, review, tag
from customergraph.store.tenancy import in_project

Conditions = Callable[[Any], list[ColumnElement[bool]]]


def _no_conditions(_criteria: None) -> list[ColumnElement[bool]]:
    return []


@dataclass(frozen=True, eq=False)
class Entity:
    """One kind of thing in the graph.

    `internal` columns are never read into a row; `computed` columns are read as if the table had them.
    `parent` is the column that refers to the entity whose lists contain it, and `conditions` turns the
    criteria of such a list into SQL. `bounds` are conditions of the project's whole list that compare
    with a parameter, by its name.
    """

    kind: Kind
    table: Table
    parent: str | None = None
    conditions: Conditions = _no_conditions
    internal: frozenset[str] = frozenset()
    computed: Sequence[ColumnElement[Any]] = ()
    bounds: Mapping[str, ColumnElement[bool]] = field(default_factory=dict)

    @property
    def columns(self) -> list[ColumnElement[Any]]:
        """All columns that a row can have."""
        stored = [column for column in self.table.c if column.name not in {"project_id", *self.internal}]
        return [*stored, *self.computed]

    @cached_property
    def written(self) -> tuple[str, ...]:
        """The names of the columns that a new row is written with."""
        return tuple(
            column.name
            for column in self.table.c
            if column.name not in {"id", "project_id"} and column.computed is None
        )

    def selected(self, names: Columns, *always: str) -> list[ColumnElement[Any]]:
        """Return the columns with these names, the id, and the columns that the statement always needs."""
        return subset(self.columns, names, "id", *always)


_STATUS = case(
    *((message.c[time].is_not(None), status) for time, status in STATUS_BY_TIME),
    else_=MessageStatus.SCHEDULED,
).label("status")


def _message_conditions(criteria: MessageCriteria) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if criteria.statuses is not None:
        # Not IN: SQLAlchemy would have to compile the length of its list at each execution.
        conditions.append(or_(false(), *(_STATUS.element == literal(status) for status in sorted(criteria.statuses))))
    if criteria.channel is not None:
        conditions.append(message.c.channel == literal(criteria.channel))
    return conditions


def _review_conditions(criteria: ReviewCriteria) -> list[ColumnElement[bool]]:
    if criteria.scores is None:
        return []
    return [or_(false(), *(review.c.score == literal(score) for score in sorted(criteria.scores)))]


def _days(column: Column[Any]) -> dict[str, ColumnElement[bool]]:
    return {
        "since": column >= bindparam("since", type_=column.type),
        "until": column < bindparam("until", type_=column.type),
    }


def _of_location(column: Column[Any]) -> dict[str, ColumnElement[bool]]:
    slug = bindparam("location_slug", type_=Text)
    ids = select(location.c.id).where(in_project(location), location.c.slug == slug)
    return {"location_slug": column == ids.scalar_subquery()}


CUSTOMER = Entity(
    Kind.CUSTOMER,
    customer,
    internal=frozenset(
        {"name_key", "email_key", "email_sort_key", "company_key", "search_key", "has_clicked", "has_charges"}
    ),
)
LOCATION = Entity(Kind.LOCATION, location)
TAG = Entity(Kind.TAG, tag)
MESSAGE = Entity(
    Kind.MESSAGE,
    message,
    "customer_id",
    _message_conditions,
    computed=(_STATUS,),
    bounds=_days(message.c.scheduled_at),
)
REVIEW = Entity(
    Kind.REVIEW,
    review,
    "customer_id",
    _review_conditions,
    bounds=_days(review.c.created_at)
    | _of_location(review.c.location_id)
    | {"source": review.c.source == bindparam("source", type_=Text)},
)
CHARGE = Entity(
    Kind.CHARGE,
    charge,
    "customer_id",
    bounds=_days(charge.c.charged_at)
    | _of_location(charge.c.location_id)
    | {"currency": charge.c.currency == bindparam("currency", type_=Text)},
)

ENTITIES: Mapping[Kind, Entity] = {entity.kind: entity for entity in (LOCATION, TAG, CUSTOMER, MESSAGE, REVIEW, CHARGE)}
