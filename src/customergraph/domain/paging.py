"""Pages of a list: their arguments, cursors and rows (contract, section 3)."""

import base64
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
from customergraph.rows import Lists, Range, Rows

PAGE = 25
LARGEST_PAGE = 100

# The ranks of a ranked order, from the first to the last.
RANKS = ("0", "1")

# Columns of a page's rows that no table has: the value of the sort, for cursors, and whether more rows follow.
SORT_VALUE = "sort_value"
HAS_MORE = "followed"


class SortDirection(StrEnum):
    ASC = "ASC"
    DESC = "DESC"


class KeyType(Enum):
    TEXT = str
    TIMESTAMP = datetime
    ID = int


@dataclass(frozen=True, slots=True)
class Ordering:
    """A total order of a list: by a column, then by id, in the same direction; rows without a value come last.

    In a ranked order the rows of the first rank come before all others. A cursor's value begins with its rank there.
    """

    list: str
    column: str
    type: KeyType
    nullable: bool = False
    direction: SortDirection = SortDirection.DESC
    is_ranked: bool = False

    @classmethod
    def by_id(cls, list_: str) -> "Ordering":
        """Order a list by id alone, oldest first."""
        return cls(list_, "id", KeyType.ID, direction=SortDirection.ASC)

    @property
    def descending(self) -> bool:
        return self.direction is SortDirection.DESC

    @property
    def is_by_id(self) -> bool:
        return self.type is KeyType.ID

    @property
    def label(self) -> str:
        return f"{self.list}:{'ranked ' if self.is_ranked else ''}{self.column}:{self.direction}"


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a list: the sort's value and the id of a row."""

    value: str | datetime | int | None
    id: int

    def encoded(self, ordering: Ordering) -> str:
        """Return the cursor as an opaque text, which is valid for this ordering only."""
        value = microseconds(self.value) if isinstance(self.value, datetime) else self.value
        return opaque([ordering.label, value, self.id])

    @classmethod
    def decoded(cls, text: str, ordering: Ordering, argument: str) -> "Cursor":
        """Read a cursor; raises CursorMalformed for a text that is not a cursor of this ordering."""
        malformed = CursorMalformed(
            f"`{argument}` is not a cursor of this list: pass an `endCursor` or `startCursor` as it was given."
        )
        try:
            label, value, id_ = parts_of(text)
        except (ValueError, TypeError):
            raise malformed from None
        if not isinstance(label, str):
            raise malformed
        if label != ordering.label:
            raise CursorMalformed(
                f"`{argument}` is a cursor of another list, sort key or direction:"
                " use it with the arguments of the request that gave it, or start without it."
            )
        if type(id_) is not int or not 0 < id_ <= LARGEST_ID:
            raise malformed
        try:
            return cls(id_ if ordering.is_by_id and value == id_ else _value(value, ordering), id_)
        except (OverflowError, ValueError):
            raise malformed from None


def opaque(parts: Sequence[Any]) -> str:
    """Return the text of a cursor that is made of these parts."""
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def parts_of(text: str) -> Any:
    """Return what the text of a cursor was made of; raises ValueError for a text that `opaque` does not make."""
    parts = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    if opaque(parts) != text:
        raise ValueError
    return parts


def _value(value: Any, ordering: Ordering) -> str | datetime | None:
    if value is None and ordering.nullable:
        return None
    if ordering.type is KeyType.TIMESTAMP and type(value) is int:
        return from_microseconds(value)
    is_text = ordering.type is KeyType.TEXT and isinstance(value, str) and not has_controls(value)
    if is_text and (not ordering.is_ranked or value[:1] in RANKS):
        return value  # type: ignore[no-any-return] # a str
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
        refuse_size(name, size)
    return Page(
        ordering,
        size=first or last or default,
        backward=last is not None,
        after=None if after is None else Cursor.decoded(after, ordering, "after"),
        before=None if before is None else Cursor.decoded(before, ordering, "before"),
    )


def refuse_size(name: str, size: int | None) -> None:
    """Raise BadUserInput for the size of a page outside 1 to 100."""
    if size is not None and not 1 <= size <= LARGEST_PAGE:
        raise BadUserInput(f"`{name}` must be between 1 and {LARGEST_PAGE}, and is {size}.")


class Slice(NamedTuple):
    """A page of rows in the order of the list. Each row has the sort's value as `sort_value`."""

    rows: Sequence[Any]
    ordering: Ordering
    has_next_page: bool
    has_previous_page: bool

    @property
    def start_cursor(self) -> str | None:
        return self.cursor(self.rows[0]) if self.rows else None

    @property
    def end_cursor(self) -> str | None:
        return self.cursor(self.rows[-1]) if self.rows else None

    def cursor(self, row: Any) -> str:
        return Cursor(row.sort_value, row.id).encoded(self.ordering)


class Pages(Lists):
    """A page of the list of each key, by column."""

    __slots__ = ("has_next_page", "has_previous_page", "ordering")

    def __init__(
        self,
        rows: Rows,
        ranges: Sequence[Range],
        ordering: Ordering,
        has_next_page: Sequence[bool],
        has_previous_page: Sequence[bool],
    ) -> None:
        super().__init__(rows, ranges)
        self.ordering = ordering
        self.has_next_page = has_next_page
        self.has_previous_page = has_previous_page

    @classmethod
    def of_one(cls, rows: Rows, page: Page) -> "Pages":
        """Cut off the row that was read beyond the page, and reverse a page that was read backward."""
        has_more = rows.count > page.size
        if has_more:
            rows = rows[: page.size]
        if page.backward:
            rows = rows[::-1]
            return cls(rows, [(0, rows.count)], page.ordering, [page.before is not None], [has_more])
        return cls(rows, [(0, rows.count)], page.ordering, [has_more], [page.after is not None])

    @classmethod
    def of_each(cls, rows: Rows, ranges: Sequence[Range], page: Page) -> "Pages":
        """Leave out the row that was read beyond each page."""
        size = page.size
        has_more = [stop - start > size for start, stop in ranges]
        if True in has_more:
            ranges = [(start, min(stop, start + size)) for start, stop in ranges]
        return cls(rows, ranges, page.ordering, has_more, [page.after is not None] * len(ranges))

    def picked(self, places: Sequence[int]) -> "Pages":
        """Return the pages at these places."""
        return Pages(
            self.rows,
            [self.ranges[place] for place in places],
            self.ordering,
            [self.has_next_page[place] for place in places],
            [self.has_previous_page[place] for place in places],
        )

    def column(self, name: str) -> Sequence[Any]:
        """Return an attribute of each page."""
        if name == "start_cursor":
            return self._cursors_at([start if start < stop else None for start, stop in self.ranges])
        if name == "end_cursor":
            return self._cursors_at([stop - 1 if start < stop else None for start, stop in self.ranges])
        column: Sequence[Any] = getattr(self, name)
        return column

    def _cursors_at(self, places: Sequence[int | None]) -> list[str | None]:
        cursors = iter(self.cursors(self.rows.picked([place for place in places if place is not None])))
        return [None if place is None else next(cursors) for place in places]

    def cursors(self, rows: Rows) -> list[str]:
        """Return the cursors of some of the rows."""
        ordering = self.ordering
        return [
            Cursor(value, id_).encoded(ordering)
            for value, id_ in zip(rows.column(SORT_VALUE), rows.column("id"), strict=True)
        ]

    def __getitem__(self, index: Any) -> Any:
        rows = super().__getitem__(index)
        return Slice(rows, self.ordering, self.has_next_page[index], self.has_previous_page[index])
