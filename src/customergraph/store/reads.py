"""What queries read: rows of any entity by id, lists below a parent and of the project, and the list of customers.

Each function makes one statement for all keys.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, func, select
from sqlalchemy.sql import ColumnElement, Executable

from customergraph.domain.customer import CustomerCriteria, CustomerFilter
from customergraph.domain.paging import Page, Pages
from customergraph.rows import Lists, Rows, ranges_of
from customergraph.store import paging
from customergraph.store.batches import Batch, among, singles
from customergraph.store.customer_criteria import LIVE_OR_ARCHIVED, CriteriaShape, look_up_of, parameters_of
from customergraph.store.entities import CUSTOMER, Entity
from customergraph.store.paging import PageShape
from customergraph.store.rows import Columns
from customergraph.store.statements import cached
from customergraph.store.tables import customer
from customergraph.store.tenancy import in_project, in_project_by_id

_BY_ID, _BY_UUID = singles("id"), singles("uuid")


def by_ids(ids: Sequence[int], entity: Entity, *, columns: Columns) -> Batch:
    """Read the row of each id; none for an id that the project does not have."""
    return Batch(_by_ids_statement(entity, columns), {"ids": ids}, _BY_ID)


def by_uuids(uuids: Sequence[UUID], entity: Entity, *, columns: Columns) -> Batch:
    """Read the row of each uuid; none for a uuid that the project does not have."""
    return Batch(_by_uuids_statement(entity, columns), {"uuids": uuids}, _BY_UUID)


@cached
def _by_ids_statement(entity: Entity, columns: Columns) -> Executable:
    table = entity.table
    return select(*entity.selected(columns)).where(in_project_by_id(table), among(table.c.id, "ids"))


@cached
def _by_uuids_statement(entity: Entity, columns: Columns) -> Executable:
    table = entity.table
    has_uuid = among(table.c.uuid, "uuids", Uuid)
    return select(*entity.selected(columns, "uuid")).where(in_project(table), has_uuid)


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
        .where(in_project(entity.table), among(parent, "parents"), *entity.conditions(criteria))
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
    return paging.statement(rows, entity.table, shape, columns, paging.ranges_of(shape.ordering, entity.table))


@cached
def _count_statement(entity: Entity, criteria: Any, bounds: tuple[str, ...]) -> Executable:
    total = func.count().label("total")
    return select(total).select_from(entity.table).where(*_conditions(entity, criteria, bounds))


def _conditions(entity: Entity, criteria: Any, bounds: tuple[str, ...]) -> list[ColumnElement[bool]]:
    return [in_project(entity.table), *entity.conditions(criteria), *(entity.bounds[name] for name in bounds)]


@cached
def _customers_statement(criteria: CriteriaShape, page: PageShape, columns: Columns) -> Executable:
    rows = select(*CUSTOMER.selected(columns)).where(*criteria.conditions())
    return paging.statement(rows, customer, page, columns, criteria.ranges(page.ordering), criteria.archiving())


@cached
def _customer_count_statement(criteria: CriteriaShape) -> Executable:
    total = func.count().label("total")
    return select(total).select_from(customer).where(*criteria.conditions(), criteria.is_listed())


@cached
def _facet_counts_statement(criteria: CriteriaShape) -> Executable:
    conditions = *criteria.conditions(), LIVE_OR_ARCHIVED
    return select(*criteria.facet_counts()).select_from(customer).where(*conditions)


def customers(_keys: Sequence[None], criteria: CustomerCriteria, page: Page, *, columns: Columns) -> Batch:
    """Read a page of the customers that meet the criteria."""
    statement = _customers_statement(CriteriaShape.of(criteria), PageShape.of(page), columns)
    parameters = {**parameters_of(criteria), **paging.parameters(page, columns)}
    return Batch(statement, parameters, lambda rows, _keys: Pages.of_one(rows, page), look_up_of(criteria))


def customer_count(_keys: Sequence[None], criteria: CustomerCriteria, *, columns: Columns) -> Batch:  # noqa: ARG001 - none
    """Count all customers that meet the criteria."""
    statement = _customer_count_statement(CriteriaShape.of(criteria))
    return Batch(statement, parameters_of(criteria), lambda rows, _keys: rows.column("total"), look_up_of(criteria))


def facet_counts(_keys: Sequence[None], criteria: CustomerCriteria, *, columns: Columns) -> Batch:  # noqa: ARG001 - all
    """Count the customers of each facet that meet the criteria; their own facet is left aside."""
    criteria = replace(criteria, facet=None)
    statement = _facet_counts_statement(CriteriaShape.of(criteria))
    return Batch(statement, parameters_of(criteria), _facets, look_up_of(criteria))


def _facets(rows: Rows, _keys: Sequence[None]) -> Lists:
    counts = [column[0] for column in rows.columns.values()]
    facets = list(map(CustomerFilter, rows.columns))
    return Lists(Rows({"facet": facets, "count": counts}, len(facets)), [(0, len(facets))])
