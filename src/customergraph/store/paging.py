"""Keyset pages: one page of a list, or one page for each of many parents, in one statement.

Never OFFSET: the engine enters the index at the cursor, so page 10,000 costs as much as page 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    Select,
    Table,
    Text,
    asc,
    bindparam,
    desc,
    literal_column,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.sql import ColumnElement, visitors
from sqlalchemy.sql.selectable import CompoundSelect, FromClause

from customergraph.domain.paging import HAS_MORE, RANKS, SORT_VALUE, Cursor, Ordering, Page
from customergraph.store.batches import each
from customergraph.store.rows import Columns, subset
from customergraph.store.tenancy import in_project, in_project_by_id

PageStatement = Select[Any] | CompoundSelect[Any]


@dataclass(frozen=True, slots=True)
class Range:
    """A part of a list that one index serves in order; a list is its ranges, one after the other.

    A cursor names the number of its range. Ranges share a number where all keys of one come before those of the next.
    """

    number: int = 0
    conditions: tuple[ColumnElement[bool], ...] = ()
    # Whether its rows have a value in the sort's column; else none has.
    has_value: bool = True


@dataclass(frozen=True, slots=True)
class PageShape:
    """The part of a page that shapes its statement; the rest is in its parameters.

    `after` and `before` are the numbers of the ranges that have the cursors.
    """

    ordering: Ordering
    backward: bool
    after: int | None
    before: int | None

    @classmethod
    def of(cls, page: Page) -> "PageShape":
        after, before = (_range_number(cursor, page.ordering) for cursor in (page.after, page.before))
        return cls(page.ordering, page.backward, after, before)

    @property
    def descending(self) -> bool:
        """Whether the index is read downward; a backward page is read from its end."""
        return self.ordering.descending is not self.backward


def _range_number(cursor: Cursor | None, ordering: Ordering) -> int | None:
    if cursor is None:
        return None
    return RANKS.index(cursor.value[0]) if ordering.is_ranked else int(cursor.value is None)  # type: ignore[index] # a str


def ranges_of(ordering: Ordering, table: FromClause) -> list[Range]:
    """Return the ranges of an order: rows without a value come last in both directions."""
    if not ordering.nullable:
        return [Range()]
    key = table.c[ordering.column]
    return [Range(0, (key.is_not(None),)), Range(1, (key.is_(None),), has_value=False)]


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
                values[f"{name}_value"] = cursor.value[1:] if page.ordering.is_ranked else cursor.value  # type: ignore[index] # a str
    return values


def _page_of(rows: Select[Any], table: FromClause, shape: PageShape, part: Range) -> Select[Any]:
    """Narrow and order the rows of one range."""
    key = table.c[shape.ordering.column]
    # Where the column is always null, the index is ordered by it all the same.
    place = [table.c.id] if shape.ordering.is_by_id else [key, table.c.id]
    compared = place if part.has_value else place[-1:]
    rows = rows.where(*part.conditions)
    for name, number, is_later in (("after", shape.after, True), ("before", shape.before, False)):
        if number == part.number:
            cursor = [bindparam(f"{name}_value", type_=key.type), _id(name)][-len(compared) :]
            is_upward = is_later is not shape.ordering.descending
            rows = rows.where(tuple_(*compared) > tuple_(*cursor) if is_upward else tuple_(*compared) < tuple_(*cursor))
    direction = desc if shape.descending else asc
    return rows.order_by(*map(direction, place)).limit(_limit())


def statement(
    rows: Select[Any],
    table: FromClause,
    shape: PageShape,
    columns: Columns,
    ranges: Sequence[Range],
    alternatives: Sequence[ColumnElement[bool]] = (),
) -> PageStatement:
    """Return one page of the rows, which are selected from the table, and are in these ranges.

    They meet one of the alternatives, each of which has a range of the index of its own.
    """
    pages = [
        _merged(rows.add_columns(*_sort_value(table, shape, columns, one)), table, shape, one, alternatives)
        for one in ranges
        if (shape.after or 0) <= one.number and (shape.before is None or one.number <= shape.before)
    ]
    if not pages:
        nothing = rows.add_columns(*_sort_value(table, shape, columns))
        return nothing.where(table.c.id.is_(None)).limit(_limit())
    if len(pages) == 1:
        return pages[0]
    if shape.backward:
        pages.reverse()
    return _joined(pages).limit(_limit())


def _joined(pages: Sequence[PageStatement]) -> CompoundSelect[Any]:
    """Return the rows of all pages, one after the other."""
    return union_all(*(select(one.subquery()) for one in pages))


_PLACE = ("sorted_by", "then_by")


def _place(table: FromClause, shape: PageShape) -> list[ColumnElement[Any]]:
    """Return the columns that a page is ordered by, under names that no table's column has."""
    return [table.c[name].label(label) for name, label in zip((shape.ordering.column, "id"), _PLACE, strict=True)]


def _merged(
    rows: Select[Any],
    table: FromClause,
    shape: PageShape,
    part: Range,
    alternatives: Sequence[ColumnElement[bool]],
) -> PageStatement:
    """Return a page of the rows that meet any of the alternatives: a page of each, put in order together."""
    if len(alternatives) <= 1:
        return _page_of(rows.where(*alternatives), table, shape, part)
    with_place = rows.add_columns(*_place(table, shape))
    pages = _joined([_page_of(with_place.where(one), table, shape, part) for one in alternatives]).subquery()
    direction = desc if shape.descending else asc
    outer = [column for column in pages.c if column.name not in _PLACE]
    return select(*outer).order_by(*(direction(pages.c[name]) for name in _PLACE)).limit(_limit())


def _sort_value(
    table: FromClause, shape: PageShape, columns: Columns, part: Range | None = None
) -> list[ColumnElement[Any]]:
    """Return the column that cursors are made from, if the client selects cursors."""
    key: ColumnElement[Any] = table.c[shape.ordering.column]
    if shape.ordering.is_ranked and part is not None:
        key = literal_column(f"'{RANKS[part.number]}'", Text) + key
    return subset([key.label(SORT_VALUE)], columns)


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
        rows = select(*selected, *_sort_value(table, shape, columns), *_place(table, shape))
        rows = rows.where(in_project(table), table.c[parent] == parents.c.value, *conditions)
        page = _page_of(rows, table, shape, Range()).lateral("page")
        outer_columns = [column for column in page.c if column.name not in _PLACE]
        pages = select(*outer_columns).select_from(parents.join(page, true()))
        return pages.order_by(page.c[parent], direction(page.c.sorted_by), direction(page.c.then_by))
    inner = table.alias("candidate")
    ids = select(inner.c.id).where(
        in_project(inner), inner.c[parent] == parents.c.value, *_of_alias(inner, table, conditions)
    )
    page_ids = _page_of(ids, inner, shape, Range()).correlate(parents)
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
