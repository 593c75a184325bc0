"""The entities of the graph, each declared once: what it is called, where it is kept, whose lists it stands in.

Look-ups by id, pages and counts of lists, `node` and bulk writes follow from these declarations.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, case, false, literal, or_
from sqlalchemy.sql import ColumnElement

from customergraph.domain.identity import Kind
from customergraph.domain.message import STATUS_BY_TIME, MessageCriteria, MessageStatus
from customergraph.store.rows import Columns, chosen
from customergraph.store.tables import charge, customer, location, message, review, tag

Conditions = Callable[[Any], list[ColumnElement[bool]]]


def _no_conditions(_criteria: None) -> list[ColumnElement[bool]]:
    return []


@dataclass(frozen=True, eq=False)
class Entity:
    """One kind of thing in the graph.

    `internal` columns are never read into a row, and `computed` ones are read as if the table had them.
    `parent` is the column of the entity whose lists it stands in, and `conditions` turns the criteria
    of such a list into SQL.
    """

    kind: Kind
    table: Table
    parent: str | None = None
    conditions: Conditions = _no_conditions
    internal: frozenset[str] = frozenset()
    computed: Sequence[ColumnElement[Any]] = ()

    @property
    def columns(self) -> list[ColumnElement[Any]]:
        """All that a row may have."""
        own = [column for column in self.table.c if column.name not in {"project_id", *self.internal}]
        return [*own, *self.computed]

    def selected(self, columns: Columns, *always: str) -> list[ColumnElement[Any]]:
        """Choose the columns of a statement: these, the id, and those that are always needed."""
        return chosen(self.columns, columns, "id", *always)


_STATUS = case(
    *((message.c[time].is_not(None), status) for time, status in STATUS_BY_TIME),
    else_=MessageStatus.SCHEDULED,
).label("status")


def _message_conditions(criteria: MessageCriteria) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if criteria.statuses is not None:
        # Not IN, whose length SQLAlchemy would have to write into the statement at each execution.
        conditions.append(or_(false(), *(_STATUS.element == literal(status) for status in sorted(criteria.statuses))))
    if criteria.channel is not None:
        conditions.append(message.c.channel == literal(criteria.channel))
    return conditions


CUSTOMER = Entity(
    Kind.CUSTOMER,
    customer,
    internal=frozenset(
        {"name_key", "email_key", "email_sort_key", "company_key", "search_key", "has_clicked", "has_charges"}
    ),
)
LOCATION = Entity(Kind.LOCATION, location)
TAG = Entity(Kind.TAG, tag)
MESSAGE = Entity(Kind.MESSAGE, message, "customer_id", _message_conditions, computed=(_STATUS,))
REVIEW = Entity(Kind.REVIEW, review, "customer_id")
CHARGE = Entity(Kind.CHARGE, charge, "customer_id")

ENTITIES: Mapping[Kind, Entity] = {entity.kind: entity for entity in (LOCATION, TAG, CUSTOMER, MESSAGE, REVIEW, CHARGE)}
