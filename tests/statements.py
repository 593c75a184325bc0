"""Records the SQL that the gateway under test runs in this process."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any

import asyncpg
from sqlalchemy import Engine, event

from customergraph.rows import Rows
from customergraph.store.backend import Backend
from customergraph.store.linked import LinkedStatements
from customergraph.store.postgresql import PostgreSQL
from customergraph.store.sqlite import SQLite

Listener = Callable[[str, Any], None]

# The look-up of a token, which the next requests with it do not need.
LOOK_UP = "SELECT token.id"
# The start and the end of transactions, the look-up, and the write of a token's last use, which is outside the request.
_NOT_OF_THE_OPERATION = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "SET", LOOK_UP, "UPDATE token SET last_used_at")

_listeners: list[Listener] = []


def notify(statement: str, arguments: Any) -> None:
    """Pass a statement that runs to all listeners."""
    for listener in _listeners:
        listener(statement, arguments)


@event.listens_for(Engine, "before_cursor_execute")
def _by_sqlalchemy(_c: Any, _cursor: Any, statement: str, values: Any, _context: Any, _many: bool) -> None:  # noqa: FBT001
    notify(statement, values)


def _listen(backend: type[Backend], commands: Callable[..., Iterable[tuple[str, Any]]]) -> None:
    """Pass on the statements that an engine's driver runs without SQLAlchemy."""
    fetch, fetch_linked = backend.fetch, backend.fetch_linked

    @wraps(fetch)
    async def notify_and_fetch(self: Any, driver: Any, sql: str, arguments: Any) -> Any:
        notify(sql, tuple(arguments))
        return await fetch(self, driver, sql, arguments)

    @wraps(fetch_linked)
    async def notify_and_fetch_linked(
        self: Any, driver: Any, linked: Any, parameters: Any, usage: Any, **options: Any
    ) -> Any:
        rows = await fetch_linked(self, driver, linked, parameters, usage, **options)
        for sql, arguments in commands(linked, parameters, rows):
            notify(sql, tuple(arguments))
        return rows

    backend.fetch = notify_and_fetch  # type: ignore[method-assign]
    backend.fetch_linked = notify_and_fetch_linked  # type: ignore[method-assign]


def _commands_of_sqlite(
    linked: LinkedStatements, parameters: Sequence[Mapping[str, Any]], rows: Sequence[Rows]
) -> Iterable[tuple[str, Any]]:
    for statement, sql, link, values in zip(linked.statements, linked.as_json, linked.links, parameters, strict=True):
        keys = {link.parameter: list(rows[link.parent.batch].column(link.parent.column))} if link else {}
        yield sql, statement.arguments({**values, **keys})


def _commands_of_postgresql(
    linked: LinkedStatements, parameters: Sequence[Mapping[str, Any]], _rows: Sequence[Rows]
) -> Iterable[tuple[str, Any]]:
    yield linked.merged.sql, linked.merged.arguments(parameters)


_listen(SQLite, _commands_of_sqlite)
_listen(PostgreSQL, _commands_of_postgresql)


_copy = asyncpg.Connection.copy_records_to_table


@wraps(_copy)
async def _notify_and_copy(self: asyncpg.Connection, table: str, **options: Any) -> Any:
    notify(f"COPY {table}", ())
    return await _copy(self, table, **options)


asyncpg.Connection.copy_records_to_table = _notify_and_copy


@contextmanager
def _listening(listener: Listener) -> Iterator[None]:
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


@contextmanager
def recorded_with_arguments() -> Iterator[list[tuple[str, Any]]]:
    """Yield a list that every statement is appended to, with its arguments."""
    statements: list[tuple[str, Any]] = []
    with _listening(lambda statement, arguments: statements.append((statement, arguments))):
        yield statements


@contextmanager
def recorded() -> Iterator[list[str]]:
    """Yield a list that every statement of an operation is appended to."""
    statements: list[str] = []

    def append(statement: str, _arguments: Any) -> None:
        if not statement.startswith(_NOT_OF_THE_OPERATION):
            statements.append(statement)

    with _listening(append):
        yield statements


@contextmanager
def recorded_look_ups() -> Iterator[list[str]]:
    """Yield a list that every look-up of a token is appended to."""
    statements: list[str] = []

    def append(statement: str, _arguments: Any) -> None:
        if statement.startswith(LOOK_UP):
            statements.append(statement)

    with _listening(append):
        yield statements
