"""The feed of a project's changes: pages of it, and its check (contract, `sync.md`, section 7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Integer,
    SmallInteger,
    Subquery,
    Uuid,
    bindparam,
    false,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.sql import ColumnElement, Executable

from customergraph.domain.feed import BEFORE_FIRST, ENTITY_OF, FeedCursor, FeedPage, FeedPages, Place
from customergraph.errors import CursorExpired
from customergraph.rows import Rows
from customergraph.store.batches import Batch, among
from customergraph.store.numbered import Numbered
from customergraph.store.rows import Columns
from customergraph.store.snapshots import Read
from customergraph.store.statements import cached
from customergraph.store.tables import DELETED_CUSTOMERS, change, customer, feed
from customergraph.store.tenancy import in_project

# A page with conditions looks at so many changes at most.
WINDOW = 10_000

_COLUMNS = [column for column in change.c if column.name not in {"project_id", "token_id"}]
_IS_OWN = change.c.token_id == bindparam("own_token", type_=BigInteger)


@dataclass(frozen=True, slots=True)
class _Shape:
    """The part of a page that shapes its statement; the rest is in its parameters."""

    after: bool
    at_head: bool
    kinds: bool
    # The type of what names the customer, where the page has only one customer's changes.
    customer: type | None

    @property
    def is_filtered(self) -> bool:
        return self.kinds or self.customer is not None


def page(_keys: Sequence[None], requested: FeedPage, project_id: int, token_id: int, *, columns: Columns) -> Batch:  # noqa: ARG001 - all are read
    """Read a page of changes, and whether each was made with a token.

    Raises CursorExpired where the feed does not have the change that the page begins after.
    """
    shape = _Shape(
        requested.after is not None,
        requested.at_head,
        requested.kinds is not None,
        None if requested.customer is None else type(requested.customer),
    )
    parameters: dict[str, Any] = {"size": requested.size + 1, "own_token": token_id}
    if requested.after:
        parameters["after"] = requested.after.position
    if requested.kinds is not None:
        parameters["kinds"] = [Numbered.number(ENTITY_OF, kind) for kind in requested.kinds]
    if requested.customer is not None:
        parameters["customer"] = requested.customer
    return Batch(_page_statement(shape), parameters, partial(_pages, requested, project_id))


@cached
def _page_statement(shape: _Shape) -> Executable:
    """Select a row for each change of the page, or one row without a change; each has the ends of the feed too."""
    start = bindparam("after", type_=BigInteger) if shape.after else _newest() if shape.at_head else _before_oldest()
    ends = {"oldest": _end(), "head": _end(newest=True), "start": _end(change.c.position == start)}
    rows = select(*_COLUMNS, func.coalesce(_IS_OWN, false()).label("is_own")).where(change.c.position > start)
    if shape.is_filtered:
        until = start + literal_column(str(WINDOW))
        ends["window"] = _end(change.c.position <= until, newest=True)
        rows = rows.where(change.c.position <= until, *_conditions(shape))
    rows = rows.where(in_project(change)).order_by(change.c.position).limit(bindparam("size", type_=Integer))
    return _beside(ends, rows.subquery("page"))


def _beside(ends: Mapping[str, Subquery], changes: Subquery) -> Executable:
    """Select the changes with the columns of the ends beside each, and one row where there are no changes."""
    source: Any = select(literal_column("1").label("one")).subquery("one")
    for end in ends.values():
        source = source.outerjoin(end, true())
    columns = [column.label(f"{name}_{column.name}") for name, end in ends.items() for column in end.c]
    rows = select(*changes.c, *columns).select_from(source.outerjoin(changes, true()))
    return rows.order_by(changes.c.position)


def _end(*conditions: ColumnElement[bool], newest: bool = False) -> Subquery:
    """Select the place of the oldest, or the newest, change that meets the conditions."""
    order = change.c.position.desc() if newest else change.c.position
    place = select(change.c.position, change.c.at).where(in_project(change), *conditions)
    return place.order_by(order).limit(1).subquery()


def _before_oldest() -> ColumnElement[int]:
    oldest = select(func.min(change.c.position)).where(in_project(change)).scalar_subquery()
    return func.coalesce(oldest, literal_column("1")) - literal_column("1")


def _newest() -> ColumnElement[int]:
    newest = select(func.max(change.c.position)).where(in_project(change)).scalar_subquery()
    return func.coalesce(newest, literal_column("0"))


def _conditions(shape: _Shape) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if shape.kinds:
        conditions.append(among(change.c.kind, "kinds", SmallInteger))
    if shape.customer is int:
        conditions.append(change.c.customer_id == bindparam("customer", type_=BigInteger))
    elif shape.customer is UUID:
        conditions.append(change.c.customer_id == _id_of_uuid())
    return conditions


def _id_of_uuid() -> ColumnElement[int]:
    """Return the id of the customer with a uuid, also of one that is gone while its deletion is kept."""
    uuid = bindparam("customer", type_=Uuid)
    present = select(customer.c.id).where(in_project(customer), customer.c.uuid == uuid)
    gone = select(change.c.subject_id).where(in_project(change), DELETED_CUSTOMERS, change.c.subject_uuid == uuid)
    return func.coalesce(present.scalar_subquery(), gone.order_by(change.c.position.desc()).limit(1).scalar_subquery())


def _pages(requested: FeedPage, project_id: int, rows: Rows, _keys: Sequence[None]) -> FeedPages:
    start, head = _start(requested, rows), _place(rows, "head") or BEFORE_FIRST
    # The place up to which the conditions were compared with changes.
    window = (_place(rows, "window") or start) if requested.is_filtered else None
    count = 0 if rows.column("position")[0] is None else rows.count
    is_cut = count > requested.size
    rows = rows[: min(count, requested.size)]
    has_more = is_cut or (window is not None and window[0] < head[0])
    if window is not None and not is_cut:
        end = window
    else:
        end = (rows.column("position")[-1], rows.column("at")[-1]) if rows.count else start
    return FeedPages(rows, project_id, has_more=has_more, page=requested, end=end, head=head)


def _start(requested: FeedPage, rows: Rows) -> Place:
    """Return the place that a page begins after; raises CursorExpired where its change is not there."""
    after = requested.after
    if after is None:
        return (_place(rows, "head") if requested.at_head else None) or BEFORE_FIRST
    oldest = rows.column("oldest_position")[0]
    is_there = oldest in {None, 1} if after.position == 0 else rows.column("start_at")[0] == after.at
    if not is_there:
        raise CursorExpired
    return after.position, after.at


def _place(rows: Rows, name: str) -> Place | None:
    position = rows.column(f"{name}_position")[0]
    return None if position is None else (position, rows.column(f"{name}_at")[0])


_NEWEST = select(change.c.position, change.c.at).where(in_project(change)).order_by(change.c.position.desc()).limit(1)


async def head(read: Read) -> FeedCursor:
    """Return the cursor of the newest change."""
    row = await read.row(_NEWEST)
    return FeedCursor(read.project_id, *(row or BEFORE_FIRST))


_COUNTED = select(
    func.count().label("changes"),
    func.min(change.c.position).label("oldest"),
    func.max(change.c.position).label("newest"),
).where(in_project(change))
_POSITION = select(feed.c.position).where(in_project(feed))


async def problem(read: Read) -> str | None:
    """Return what is wrong with the positions of a project's changes; None where nothing is."""
    counted, position = await read.row(_COUNTED), await read.value(_POSITION)
    if counted.changes and counted.newest - counted.oldest + 1 != counted.changes:
        missing = counted.newest - counted.oldest + 1 - counted.changes
        return f"its feed lacks {missing:,} changes between the oldest and the newest"
    if (counted.newest or 0) != (position or 0):
        return f"its feed ends at position {counted.newest or 0:,}, and should end at {position or 0:,}"
    return None
