"""Records the SQL that the gateway under test runs in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

_FRAMING = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA")


@contextmanager
def recorded() -> Iterator[list[str]]:
    """Give the list that every statement is appended to; what frames transactions is left out."""
    found: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, _p: Any, _context: Any, _many: bool) -> None:  # noqa: FBT001
        if not statement.startswith(_FRAMING):
            found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)
