"""Keyset pages: one page of a list, or one page for each of many parents, in one statement.

Never OFFSET: the engine enters the index at the cursor, so page 10,000 costs as much as page 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, Select, Table, asc, bindparam, desc, select, true, tuple_, union_all
from sqlalchemy.sql import ColumnElement, visitors
from sqlalchemy.sql.selectable import CompoundSelect, FromClause

from customergraph.domain.paging import HAS_MORE, SORT_VALUE, Cursor, Ordering, Page
from customergraph.store.batches import each
from customergraph.store.rows import Columns, subset
from customergraph.store.tenancy import in_project, in_project_by_id


class Bound(Enum):
    """What a cursor points to: nothing, a row with a value of the sort's column, or a row without one."""

    NONE = "none"
    VALUE = "value"
    NULL = "null"

    @classmethod
    def of(cls, cursor: Cursor | None) -> "Bound":
        if cursor is None:
            return cls.NONE
        return cls.NULL if cursor.value is None else cls.VALUE


@dataclass(frozen=True, slots=True)
class PageShape:
    """The part of a page that shapes its statement; the rest is in its parameters."""

    ordering: Ordering
    backward: bool
    after: Bound
    before: Bound

    @classmethod
    def of(cls, page: Page) -> "PageShape":
        return cls(page.ordering, page.backward, Bound.of(page.after), Bound.of(page.before))

    @property
    def descending(self) -> bool:
        """Whether the index is read downward; a backward page is read from its end."""
        return self.ordering.descending is not self.backward


def parameters(page: Page, columns: Columns) -> dict[str, Any]:
    """Return the parameters of a page's statement.

    For clients that select whether more rows follow, it reads one row more than the page has.
    """
    selects_has_more = columns is None or HAS_MORE in columns
    values: dict[str, Any] = {"page_limit": page.size + selects_has_more}
    for name, cursor in (("after", page.after), ("before", page.before)):
        if cursor is not None:
            values[f"{name}_id"] = cursor.id
            if cursor.value is not None and not page.ordering.is_by_id:
                values[f"{name}_value"] = cursor.value
    return values


def _with_values(rows: Select[Any], table: FromClause, shape: PageShape) -> Select[Any]:
    """Narrow and order the rows that have a value in the sort's column."""
    key = table.c[shape.ordering.column]
    if shape.ordering.nullable:
        rows = rows.where(key.is_not(None))
    place = [table.c.id] if shape.ordering.is_by_id else [key, table.c.id]
    for name, bound, is_later in (("after", shape.after, True), ("before", shape.before, False)):
        if bound is Bound.VALUE:
            cursor = [bindparam(f"{name}_value", type_=key.type), _id(name)][-len(place) :]
            is_upward = is_later is not shape.ordering.descending
            rows = rows.where(tuple_(*place) > tuple_(*cursor) if is_upward else tuple_(*place) < tuple_(*cursor))
    direction = desc if shape.descending else asc
    return rows.order_by(*map(direction, place)).limit(_limit())


def _without_values(rows: Select[Any], table: FromClause, shape: PageShape) -> Select[Any]:
    rows = rows.where(table.c[shape.ordering.column].is_(None))
    for name, bound, is_later in (("after", shape.after, True), ("before", shape.before, False)):
        if bound is Bound.NULL:
            is_upward = is_later is not shape.ordering.descending
            rows = rows.where(table.c.id > _id(name) if is_upward else table.c.id < _id(name))
    # The sort's column is always null here, but the index is ordered by it.
    direction = desc if shape.descending else asc
    return rows.order_by(direction(table.c[shape.ordering.column]), direction(table.c.id)).limit(_limit())


def statement(
    rows: Select[Any],
    table: FromClause,
    shape: PageShape,
    columns: Columns,
    *,
    values: bool = True,
    nulls: bool = True,
) -> Select[Any] | CompoundSelect[Any]:
    """Return one page of the rows, which are selected from the table.

    Rows without a value in the sort's column come last in both directions: the page reads
    two ranges of one index, one after the other. `values` and `nulls` say which of the two
    can have rows.
    """
    rows = rows.add_columns(*_sort_value(table, shape, columns))
    ranges: list[Select[Any]] = []
    if values and shape.after is not Bound.NULL:
        ranges.append(_with_values(rows, table, shape))
    if shape.ordering.nullable and nulls and shape.before is not Bound.VALUE:
        ranges.append(_without_values(rows, table, shape))
    if len(ranges) == 1:
        return ranges[0]
    if not ranges:
        return rows.where(table.c.id.is_(None)).limit(_limit())
    if shape.backward:
        ranges.reverse()
    return union_all(*(select(part.subquery()) for part in ranges)).limit(_limit())


def _sort_value(table: FromClause, shape: PageShape, columns: Columns) -> list[ColumnElement[Any]]:
    """Return the column that cursors are made from, if the client selects cursors."""
    return subset([table.c[shape.ordering.column].label(SORT_VALUE)], columns)


def _limit() -> ColumnElement[int]:
    return bindparam("page_limit", type_=Integer)


def _id(cursor: str) -> ColumnElement[int]:
    return bindparam(f"{cursor}_id", type_=BigInteger)


def statement_of_parents(
    selected: Sequence[ColumnElement[Any]],
    table: Table,
    parent: str,
    shape: PageShape,
    columns: Columns,
    conditions: Sequence[ColumnElement[bool]],
    *,
    lateral: bool,
) -> Select[Any]:
    """Select a page of the rows of each parent in the parameter `parents`, ordered by parent.

    The engine enters each parent's range of the index once and reads it to the end of the
    page, so a parent with 100,000 rows costs as much as a parent with one page of rows.
    Without LATERAL the range returns ids, and each row is looked up by its id.
    """
    parents = each("parents")
    direction = desc if shape.ordering.descending else asc
    if lateral:
        place = [table.c[shape.ordering.column].label("sorted_by"), table.c.id.label("then_by")]
        rows = select(*selected, *_sort_value(table, shape, columns), *place)
        rows = rows.where(in_project(table), table.c[parent] == parents.c.value, *conditions)
        page = _with_values(rows, table, shape).lateral("page")
        outer_columns = [column for column in page.c if column.name not in {"sorted_by", "then_by"}]
        pages = select(*outer_columns).select_from(parents.join(page, true()))
        return pages.order_by(page.c[parent], direction(page.c.sorted_by), direction(page.c.then_by))
    inner = table.alias("candidate")
    ids = select(inner.c.id).where(
        in_project(inner), inner.c[parent] == parents.c.value, *_of_alias(inner, table, conditions)
    )
    page_ids = _with_values(ids, inner, shape).correlate(parents)
    return (
        select(*selected, *_sort_value(table, shape, columns))
        .select_from(parents.join(table, table.c.id.in_(page_ids)))
        .where(in_project_by_id(table))
        .order_by(table.c[parent], direction(table.c[shape.ordering.column]), direction(table.c.id))
    )


def _of_alias(alias: FromClause, table: Table, conditions: Sequence[ColumnElement[bool]]) -> list[ColumnElement[bool]]:
    """Return a table's conditions as those of its alias."""

    def replacement(element: Any, **_options: Any) -> ColumnElement[Any] | None:
        return alias.c[element.name] if isinstance(element, Column) and element.table is table else None

    return [visitors.replacement_traverse(condition, {}, replacement) for condition in conditions]
