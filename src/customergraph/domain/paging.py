"""Pages of a list: their arguments, cursors and rows (contract, section 3)."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from typing import Any, NamedTuple

import orjson

from customergraph.domain.identity import LARGEST_ID
from customergraph.domain.text import has_controls
from customergraph.domain.timestamps import from_microseconds, microseconds
from customergraph.errors import BadUserInput, CursorMalformed

PAGE = 25
LARGEST_PAGE = 100

# Columns of a page's rows that no table has: the value of the sort, for cursors, and whether more rows follow.
SORT_VALUE = "sort_value"
HAS_MORE = "followed"


class SortDirection(StrEnum):
    ASC = "ASC"
    DESC = "DESC"


class KeyType(Enum):
    TEXT = str
    TIMESTAMP = datetime


@dataclass(frozen=True, slots=True)
class Ordering:
    """A total order of a list: by a column, then by id, in the same direction; rows without a value come last."""

    list: str
    column: str
    type: KeyType
    nullable: bool = False
    direction: SortDirection = SortDirection.DESC

    @property
    def descending(self) -> bool:
        return self.direction is SortDirection.DESC

    @property
    def label(self) -> str:
        return f"{self.list}:{self.column}:{self.direction}"


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a list: the sort's value and the id of a row."""

    value: str | datetime | None
    id: int

    def encoded(self, ordering: Ordering) -> str:
        """Return the cursor as an opaque text, which is valid for this ordering only."""
        value = microseconds(self.value) if isinstance(self.value, datetime) else self.value
        return _text(orjson.dumps([ordering.label, value, self.id]))

    @classmethod
    def decoded(cls, text: str, ordering: Ordering, argument: str) -> "Cursor":
        """Read a cursor; raises CursorMalformed for a text that is not a cursor of this ordering."""
        malformed = CursorMalformed(
            f"`{argument}` is not a cursor of this list: pass an `endCursor` or `startCursor` as it was given."
        )
        try:
            content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            label, value, id_ = orjson.loads(content)
            canonical = _text(orjson.dumps([label, value, id_])) == text
        except (binascii.Error, ValueError, TypeError):
            raise malformed from None
        if not canonical or not isinstance(label, str):
            raise malformed
        if label != ordering.label:
            raise CursorMalformed(
                f"`{argument}` is a cursor of another list, sort key or direction:"
                " use it with the arguments of the request that gave it, or start without it."
            )
        if type(id_) is not int or not 0 < id_ <= LARGEST_ID:
            raise malformed
        try:
            return cls(_value(value, ordering), id_)
        except (OverflowError, ValueError):
            raise malformed from None


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _value(value: Any, ordering: Ordering) -> str | datetime | None:
    if value is None and ordering.nullable:
        return None
    if ordering.type is KeyType.TIMESTAMP and type(value) is int:
        return from_microseconds(value)
    if ordering.type is KeyType.TEXT and isinstance(value, str) and not has_controls(value):
        return value
    raise ValueError


@dataclass(frozen=True, slots=True)
class Page:
    """The part of a list that a client requests: its size, its direction, and its bounds."""

    ordering: Ordering
    size: int
    backward: bool = False
    after: Cursor | None = None
    before: Cursor | None = None


def page(
    ordering: Ordering,
    *,
    default: int,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> Page:
    """Check the paging arguments of a connection.

    Raises BadUserInput for a size outside 1 to 100 or both sizes, and CursorMalformed.
    """
    if first is not None and last is not None:
        raise BadUserInput("`first` and `last` exclude each other: give one of them.")
    for name, size in (("first", first), ("last", last)):
        if size is not None and not 1 <= size <= LARGEST_PAGE:
            raise BadUserInput(f"`{name}` must be between 1 and {LARGEST_PAGE}, and is {size}.")
    return Page(
        ordering,
        size=first or last or default,
        backward=last is not None,
        after=None if after is None else Cursor.decoded(after, ordering, "after"),
        before=None if before is None else Cursor.decoded(before, ordering, "before"),
    )


class Slice(NamedTuple):
    """A page of rows in the order of the list. Each row has the sort's value as `sort_value`."""

    rows: Sequence[Any]
    ordering: Ordering
    has_next_page: bool
    has_previous_page: bool

    @classmethod
    def of(cls, rows: Sequence[Any], page: Page) -> "Slice":
        """Cut off the row that was read beyond the page, and reverse a page that was read backward."""
        has_more = len(rows) > page.size
        rows = rows[: page.size]
        if page.backward:
            return cls(rows[::-1], page.ordering, page.before is not None, has_more)
        return cls(rows, page.ordering, has_more, page.after is not None)

    def cursor(self, row: Any) -> str:
        return Cursor(row.sort_value, row.id).encoded(self.ordering)
