"""What the store uses of SQLAlchemy that the library does not document. No other file touches its private parts."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Insert, Update
from sqlalchemy.sql import ClauseElement, operators
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.selectable import FromClause


def tables_in(condition: ClauseElement) -> Sequence[FromClause]:
    """Return the tables of a condition's columns; SQLAlchemy adds them to the UPDATE or DELETE."""
    return condition._from_objects  # noqa: SLF001


def correlated_tables(element: Any) -> Sequence[FromClause]:
    """Return the tables that a subquery takes from the query around it."""
    return getattr(element, "_correlate", ())


def written_values(element: Insert | Update) -> dict[str, Any]:
    """Return the values that a statement writes, by the names of its columns."""
    values: Any = element._values or {}  # noqa: SLF001
    return {getattr(column, "name", column): value for column, value in values.items()}


def conjuncts(condition: ClauseElement) -> list[ClauseElement]:
    """Return the conditions that an AND joins; none for any other condition."""
    is_and = getattr(condition, "operator", None) is operators.and_
    return list(condition.get_children()) if is_and else []


def parameter_names(compiled: SQLCompiler) -> list[str]:
    """Return the names of a statement's parameters, in the order that the driver expects."""
    names = compiled.positiontup
    assert names is not None  # noqa: S101 - both drivers take parameters by position
    return names
