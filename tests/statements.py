"""Records the SQL that the gateway under test runs in this process."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from sqlalchemy import Engine, event

from customergraph.store.backend import Backend
from customergraph.store.postgresql import PostgreSQL
from customergraph.store.sqlite import SQLite

Told = Callable[[str, Any], None]

# What frames transactions, and the note of a token's use, which is made outside the request.
_NOT_OF_THE_REQUEST = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "SET", "UPDATE token SET last_used_at")

_listening: list[Told] = []


def tell(statement: str, arguments: Any) -> None:
    """Tell who listens of a statement that runs."""
    for told_ in _listening:
        told_(statement, arguments)


@event.listens_for(Engine, "before_cursor_execute")
def _by_sqlalchemy(_c: Any, _cursor: Any, statement: str, values: Any, _context: Any, _many: bool) -> None:  # noqa: FBT001
    tell(statement, values)


def _listen(backend: type[Backend]) -> None:
    """Have an engine tell what it has its driver run without SQLAlchemy."""
    run = backend.fetch

    @wraps(run)
    async def fetched(self: Any, driver: Any, sql: str, arguments: Any) -> Any:
        tell(sql, tuple(arguments))
        return await run(self, driver, sql, arguments)

    backend.fetch = fetched  # type: ignore[method-assign]


for _backend in (SQLite, PostgreSQL):
    _listen(_backend)


@contextmanager
def told() -> Iterator[list[tuple[str, Any]]]:
    """Return the list that every statement is appended to, with its parameters."""
    found: list[tuple[str, Any]] = []

    def note(statement: str, arguments: Any) -> None:
        found.append((statement, arguments))

    _listening.append(note)
    try:
        yield found
    finally:
        _listening.remove(note)


@contextmanager
def recorded() -> Iterator[list[str]]:
    """Return the list that every statement of a request is appended to."""
    found: list[str] = []

    def note(statement: str, _arguments: Any) -> None:
        if not statement.startswith(_NOT_OF_THE_REQUEST):
            found.append(statement)

    _listening.append(note)
    try:
        yield found
    finally:
        _listening.remove(note)
