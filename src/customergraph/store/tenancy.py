"""The one place that keeps projects apart.

Statements on a tenant's tables contain the parameter `TENANT`, which the transaction sets to the project
that it was opened for. A statement that reads or writes such a table without the parameter is refused
before it runs, so that a forgotten project fails a test and never leaks rows.
"""

from collections.abc import Iterator
from typing import Any, cast
from weakref import WeakSet

from sqlalchemy import BigInteger, Delete, Dialect, Insert, Join, Select, Table, Update, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ClauseElement, ColumnElement, Executable, operators, visitors
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, ColumnClause, TextClause
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import Alias, FromClause

from customergraph.store.sqlalchemy_internals import (
    conjuncts,
    correlated_tables,
    tables_in,
    written_values,
)
from customergraph.store.tables import is_tenants

TENANT = bindparam("tenant", type_=BigInteger)

_checked: WeakSet[Executable] = WeakSet()


class UnboundStatement(Exception):
    """A statement that is not bound to one project: our mistake, whatever the request was."""


def in_project(table: FromClause) -> ColumnElement[bool]:
    """Return the condition that narrows a tenant's table to the transaction's project."""
    return table.c.project_id == TENANT


def in_project_by_id(table: FromClause) -> ColumnElement[bool]:
    """Return the same condition for rows that are looked up by id.

    It keeps an engine without statistics from using an index of the project, which would walk over all rows of
    the project. Where projects are spread over servers, it is the plain condition, by which the server is found.
    """
    return _NotByIndex(table.c.project_id) == TENANT


class _NotByIndex(FunctionElement[int]):
    """A column that no index is used for."""

    inherit_cache = True
    name = "not_by_index"
    type = BigInteger()


@compiles(_NotByIndex)
def _plus_zero(element: _NotByIndex, compiler: SQLCompiler, **options: Any) -> str:
    column = compiler.process(element.clauses, **options)
    return column if compiler.dialect in _spread else f"({column} + 0)"


# The dialects of stores whose projects are spread over servers.
_spread: WeakSet[Dialect] = WeakSet()


def spread(dialect: Dialect) -> None:
    """Let the statements of a dialect name their project so that its server is found."""
    _spread.add(dialect)


def check(statement: Executable) -> None:
    """Raise UnboundStatement unless the statement narrows every tenant's table that it uses.

    SQL as text is refused, since its tables are unknown, and so is a change of a row's project.
    """
    if statement in _checked:
        return
    elements = list(visitors.iterate(cast("ClauseElement", statement)))
    narrowed = set().union(*(_narrowed(element) for element in elements))
    for element in elements:
        if isinstance(element, TextClause):
            raise UnboundStatement(f"text whose tables are unknown: {element}")
        for table in _tenants(element):
            # A subquery may refer to a table that the query around it narrows.
            if table not in (narrowed if table in correlated_tables(element) else _narrowed(element)):
                raise UnboundStatement(f"{type(element).__name__} of {table.description} without its project")
    _checked.add(statement)


def across_projects(statement: Select[Any]) -> Select[Any]:
    """Let a statement read of several projects: for what workers themselves have to know, and no client is told."""
    _checked.add(statement)
    return statement


def _tenants(element: Any) -> Iterator[FromClause]:
    """Yield the tenants' tables that an element of a statement itself reads or writes."""
    if isinstance(element, Select):
        for source in element.get_final_froms():
            yield from _joined(source)
    elif isinstance(element, Update | Delete | Insert):
        yield from _joined(element.table)
        condition = None if isinstance(element, Insert) else element.whereclause
        for source in () if condition is None else tables_in(condition):
            yield from _joined(source)


def _joined(source: FromClause) -> Iterator[FromClause]:
    if isinstance(source, Join):
        yield from _joined(source.left)
        yield from _joined(source.right)
    elif _is_tenants_table(source):
        yield source


def _narrowed(element: Any) -> set[FromClause]:
    """Return the tables that an element of a statement narrows to the transaction's project."""
    if isinstance(element, Insert):
        return {element.table} if _is_tenant(written_values(element).get("project_id")) else set()
    if isinstance(element, Update) and "project_id" in written_values(element):
        return set()
    if isinstance(element, Select | Update | Delete):
        return _bound_in(element.whereclause)
    return set()


def _is_tenants_table(source: FromClause) -> bool:
    table = source.element if isinstance(source, Alias) else source
    return isinstance(table, Table) and is_tenants(table)


def _is_tenant(value: Any) -> bool:
    return isinstance(value, BindParameter) and value.key == TENANT.key


def _bound_in(condition: ClauseElement | None) -> set[FromClause]:
    """Return the tables that a condition narrows to the transaction's project."""
    if condition is None:
        return set()
    if isinstance(condition, BinaryExpression):
        column = _not_by_index(condition.left)
        is_project = isinstance(column, ColumnClause) and column.name == "project_id"
        if is_project and _is_tenant(condition.right) and condition.operator is operators.eq:
            return {column.table}
        return set()
    return set().union(*(_bound_in(part) for part in conjuncts(condition)))


def _not_by_index(expression: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the column of `in_project_by_id`; any other expression as it is."""
    return next(iter(expression.clauses)) if isinstance(expression, _NotByIndex) else expression
