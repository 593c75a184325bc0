"""Records the SQL that the gateway under test runs in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

# What frames transactions, and the note of a token's use, which is made outside the request.
_NOT_OF_THE_REQUEST = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "UPDATE token SET last_used_at")


@contextmanager
def recorded() -> Iterator[list[str]]:
    """Give the list that every statement of a request is appended to."""
    found: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, _p: Any, _context: Any, _many: bool) -> None:  # noqa: FBT001
        if not statement.startswith(_NOT_OF_THE_REQUEST):
            found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)
