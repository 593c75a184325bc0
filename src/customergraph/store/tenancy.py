"""The one place that keeps projects apart.

Statements on a tenant's tables do not carry a project: they carry the parameter
`TENANT`, which the transaction fills with the project that it was opened for. A
statement that reads or writes such a table without it is refused before it runs, so
that forgetting the project is a failing test and never a leak.
"""

from collections.abc import Iterator
from typing import Any
from weakref import WeakSet

from sqlalchemy import BigInteger, Delete, Insert, Join, Select, Table, Update, bindparam
from sqlalchemy.sql import ClauseElement, ColumnElement, operators, visitors
from sqlalchemy.sql.elements import BinaryExpression, BindParameter
from sqlalchemy.sql.selectable import Alias, FromClause

from customergraph.store.tables import TENANT_TABLES

TENANT = bindparam("tenant", type_=BigInteger)

_checked: WeakSet[ClauseElement] = WeakSet()


class UnboundStatement(Exception):  # noqa: N818 - it says what is wrong, like all our errors
    """A statement of ours that is not bound to one project: a fault, never an answer."""


def ours(table: FromClause) -> ColumnElement[bool]:
    """Give the condition that narrows a tenant's table to the transaction's project."""
    return table.c.project_id == TENANT


def check(statement: ClauseElement) -> None:
    """Raise UnboundStatement unless the statement narrows every tenant's table that it names."""
    if statement in _checked:
        return
    elements = list(visitors.iterate(statement))
    narrowed = set().union(*(_narrowed(element) for element in elements))
    for element in elements:
        for table in _tenants(element):
            # A subquery may refer to a table that the query around it narrows.
            known = narrowed if table in _correlated(element) else _narrowed(element)
            if table not in known:
                raise UnboundStatement(f"{type(element).__name__} of {table.description} without its project")
    _checked.add(statement)


def _tenants(element: Any) -> Iterator[FromClause]:
    """Give the tenants' tables that an element of a statement reads or writes itself."""
    if isinstance(element, Select):
        for source in element.get_final_froms():
            yield from _joined(source)
    elif isinstance(element, Update | Delete | Insert) and _is_tenants(element.table):
        yield element.table


def _joined(source: FromClause) -> Iterator[FromClause]:
    if isinstance(source, Join):
        yield from _joined(source.left)
        yield from _joined(source.right)
    elif _is_tenants(source):
        yield source


def _correlated(element: Any) -> tuple[FromClause, ...]:
    return getattr(element, "_correlate", ())


def _narrowed(element: Any) -> set[FromClause]:
    """Give the tables that an element of a statement narrows to the transaction's project."""
    if isinstance(element, Insert):
        # SQLAlchemy shows the values of an insert nowhere else.
        values: Any = element._values or {}  # noqa: SLF001
        return {element.table} if _is_tenant(values.get("project_id")) else set()
    if isinstance(element, Select | Update | Delete):
        return _bound_in(element.whereclause)
    return set()


def _is_tenants(source: FromClause) -> bool:
    table = source.element if isinstance(source, Alias) else source
    return isinstance(table, Table) and table in TENANT_TABLES


def _is_tenant(value: Any) -> bool:
    return isinstance(value, BindParameter) and value.key == TENANT.key


def _bound_in(condition: ClauseElement | None) -> set[FromClause]:
    """Give the tables whose project the condition requires to be the transaction's."""
    if condition is None:
        return set()
    if isinstance(condition, BinaryExpression):
        names_project = getattr(condition.left, "name", None) == "project_id"
        if names_project and _is_tenant(condition.right) and condition.operator is operators.eq:
            return {condition.left.table}
        return set()
    if getattr(condition, "operator", None) is operators.and_:
        return set().union(*(_bound_in(part) for part in condition.get_children()))
    return set()
