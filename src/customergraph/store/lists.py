"""The lists of an entity: below a parent, one statement for all parents of a level; and the whole project's."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.sql import ColumnElement, Executable

from customergraph.domain.paging import Page, Pages
from customergraph.rows import Rows, ranges_of
from customergraph.store import paging
from customergraph.store.batches import Batch, each
from customergraph.store.entities import Entity
from customergraph.store.paging import PageShape
from customergraph.store.rows import Columns
from customergraph.store.statements import cached
from customergraph.store.tenancy import in_project


def pages(
    parents: Sequence[int], entity: Entity, page: Page, criteria: Any, *, lateral: bool, columns: Columns
) -> Batch:
    """Read each parent's page of the rows that fulfil the criteria; `lateral` as the engine's."""
    parent = _parent(entity)

    def values(rows: Rows, keys: Sequence[int]) -> Pages:
        return Pages.of_each(rows, ranges_of(keys, rows.column(parent)), page)

    statement = _pages_statement(entity, PageShape.of(page), criteria, columns, lateral=lateral)
    return Batch(statement, {"parents": parents, **paging.parameters(page, columns)}, values)


def counts(parents: Sequence[int], entity: Entity, criteria: Any, *, columns: Columns) -> Batch:  # noqa: ARG001 - none
    """Count each parent's rows that fulfil the criteria."""
    return Batch(_counts_statement(entity, criteria), {"parents": parents}, _totals)


def _totals(rows: Rows, keys: Sequence[int]) -> list[int]:
    totals = dict(zip(rows.column("parent"), rows.column("total"), strict=True))
    return [totals.get(id_, 0) for id_ in keys]


def _parent(entity: Entity) -> str:
    assert entity.parent is not None, "an entity without a parent has no nested lists"  # noqa: S101
    return entity.parent


@cached
def _pages_statement(entity: Entity, shape: PageShape, criteria: Any, columns: Columns, *, lateral: bool) -> Executable:
    parent = _parent(entity)
    selected = entity.selected(columns, parent)
    conditions = entity.conditions(criteria)
    return paging.statement_of_parents(selected, entity.table, parent, shape, columns, conditions, lateral=lateral)


@cached
def _counts_statement(entity: Entity, criteria: Any) -> Executable:
    parent = entity.table.c[_parent(entity)]
    return (
        select(parent.label("parent"), func.count().label("total"))
        .where(in_project(entity.table), parent.in_(select(each("parents").c.value)), *entity.conditions(criteria))
        .group_by(parent)
    )


# The parameters of the conditions that an entity's `bounds` declare.
Bounds = tuple[tuple[str, Any], ...]


def page_of_project(
    _keys: Sequence[None], entity: Entity, page: Page, criteria: Any, bounds: Bounds, *, columns: Columns
) -> Batch:
    """Read a page of the project's rows that fulfil the criteria and are within the bounds."""
    statement = _page_statement(entity, PageShape.of(page), criteria, _names(bounds), columns)
    return Batch(
        statement, {**dict(bounds), **paging.parameters(page, columns)}, lambda rows, _: Pages.of_one(rows, page)
    )


def count_of_project(
    _keys: Sequence[None],
    entity: Entity,
    criteria: Any,
    bounds: Bounds,
    *,
    columns: Columns,  # noqa: ARG001 - none
) -> Batch:
    """Count the project's rows that fulfil the criteria and are within the bounds."""
    statement = _count_statement(entity, criteria, _names(bounds))
    return Batch(statement, dict(bounds), lambda rows, _: rows.column("total"))


def _names(bounds: Bounds) -> tuple[str, ...]:
    return tuple(name for name, _ in bounds)


@cached
def _page_statement(
    entity: Entity, shape: PageShape, criteria: Any, bounds: tuple[str, ...], columns: Columns
) -> Executable:
    rows = select(*entity.selected(columns)).where(*_conditions(entity, criteria, bounds))
    return paging.statement(rows, entity.table, shape, columns)


@cached
def _count_statement(entity: Entity, criteria: Any, bounds: tuple[str, ...]) -> Executable:
    total = func.count().label("total")
    return select(total).select_from(entity.table).where(*_conditions(entity, criteria, bounds))


def _conditions(entity: Entity, criteria: Any, bounds: tuple[str, ...]) -> list[ColumnElement[bool]]:
    return [in_project(entity.table), *entity.conditions(criteria), *(entity.bounds[name] for name in bounds)]
