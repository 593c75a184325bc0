"""The lists of an entity below a parent: one statement for all parents of a level."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.sql import Executable

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
