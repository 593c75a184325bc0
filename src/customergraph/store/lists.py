"""The lists of an entity below a parent: one statement for all parents of a level."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.sql import Executable

from customergraph.domain.paging import Page, Slice
from customergraph.store import paging
from customergraph.store.batches import each
from customergraph.store.entities import Entity
from customergraph.store.paging import PageShape
from customergraph.store.rows import Columns
from customergraph.store.statements import cached
from customergraph.store.tenancy import in_project
from customergraph.store.transactions import Read


async def pages(
    read: Read, parents: Sequence[int], entity: Entity, page: Page, criteria: Any = None, *, columns: Columns
) -> list[Slice]:
    """Return each parent's page of the rows that fulfil the criteria."""
    statement = _pages_statement(entity, PageShape.of(page), criteria, columns, lateral=read.lateral)
    rows = await read.by_column(statement, {"parents": parents, **paging.parameters(page, columns)})
    return paging.slices_of_parents(rows, _parent(entity), parents, page)


async def counts(read: Read, parents: Sequence[int], entity: Entity, criteria: Any = None) -> list[int]:
    """Count each parent's rows that fulfil the criteria."""
    rows = await read.rows(_counts_statement(entity, criteria), {"parents": parents})
    totals = {row.parent: row.total for row in rows}
    return [totals.get(id_, 0) for id_ in parents]


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
