"""The feed of a project's changes: what a change tells, and the places of a reader (contract, `sync.md`, section 7)."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from customergraph.domain.identity import Kind
from customergraph.domain.paging import LARGEST_PAGE, PAGE
from customergraph.domain.timestamps import from_microseconds, microseconds
from customergraph.errors import BadUserInput, CursorExpired, CursorMalformed
from customergraph.rows import Lists, Rows

_LABEL = "changes"


class ChangeKind(StrEnum):
    """The kinds of things that changes tell of."""

    CUSTOMER = "CUSTOMER"
    MESSAGE = "MESSAGE"
    REVIEW = "REVIEW"
    CHARGE = "CHARGE"
    LOCATION = "LOCATION"
    TAG = "TAG"


class ChangeAction(StrEnum):
    """What happened."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    DELETED = "DELETED"


# In the order in which the changes of one transaction stand: what others refer to comes first.
ENTITY_OF: Mapping[ChangeKind, Kind] = {
    ChangeKind.LOCATION: Kind.LOCATION,
    ChangeKind.TAG: Kind.TAG,
    ChangeKind.CUSTOMER: Kind.CUSTOMER,
    ChangeKind.MESSAGE: Kind.MESSAGE,
    ChangeKind.REVIEW: Kind.REVIEW,
    ChangeKind.CHARGE: Kind.CHARGE,
}
CHANGE_KIND_OF: Mapping[Kind, ChangeKind] = {entity: kind for kind, entity in ENTITY_OF.items()}


# The position of a change, and its time; position 0, before the first change, has no time.
Place = tuple[int, datetime | None]
BEFORE_FIRST: Place = (0, None)


@dataclass(frozen=True, slots=True)
class FeedCursor:
    """A place in a project's feed: that of a change, or position 0 before the first one, which has no time."""

    project_id: int
    position: int
    at: datetime | None

    def encoded(self) -> str:
        """Return the cursor as an opaque text."""
        count = None if self.at is None else microseconds(self.at)
        return _text([_LABEL, self.project_id, self.position, count])

    @classmethod
    def decoded(cls, text: str, project_id: int) -> "FeedCursor":
        """Read the cursor of a project; raises CursorMalformed, and CursorExpired for another project's."""
        malformed = CursorMalformed("`after` is not a cursor of `changes`: pass an `endCursor` as it was given.")
        try:
            content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            label, owner, position, count = orjson.loads(content)
            at = None if position == 0 and count is None else from_microseconds(count)
            is_canonical = _text([label, owner, position, count]) == text
        except (binascii.Error, OverflowError, ValueError, TypeError):
            raise malformed from None
        if not is_canonical or label != _LABEL or type(owner) is not int or type(position) is not int or position < 0:
            raise malformed
        if owner != project_id:
            raise CursorExpired
        return cls(owner, position, at)


def _text(parts: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class FeedPage:
    """The part of the feed that a client requests; None as `kinds` stands for all, and as `after` for the oldest."""

    size: int = PAGE
    after: FeedCursor | None = None
    kinds: frozenset[ChangeKind] | None = None
    customer: int | UUID | None = None
    # Without `after`: whether it begins after the newest change, and so is empty.
    at_head: bool = False

    @property
    def is_filtered(self) -> bool:
        return self.kinds is not None or self.customer is not None


def page_size(first: int | None) -> int:
    """Check the argument `first`; raises BadUserInput."""
    if first is not None and not 1 <= first <= LARGEST_PAGE:
        raise BadUserInput(f"`first` must be between 1 and {LARGEST_PAGE}, and is {first}.")
    return first or PAGE


class FeedSlice(NamedTuple):
    """A page of changes, oldest first, and the places of its end and of the newest change."""

    rows: Sequence[Any]
    project_id: int
    has_next_page: bool
    has_previous_page: bool
    end_cursor: str
    head_cursor: str

    @property
    def end(self) -> FeedCursor:
        return FeedCursor.decoded(self.end_cursor, self.project_id)

    @property
    def head(self) -> FeedCursor:
        return FeedCursor.decoded(self.head_cursor, self.project_id)

    @property
    def start_cursor(self) -> str | None:
        return self.cursor(self.rows[0]) if self.rows else None

    def cursor(self, row: Any) -> str:
        return FeedCursor(self.project_id, row.position, row.at).encoded()


class FeedReader:
    """Reads one page of the feed for a subscription.

    It begins after `place`; without one, where the subscription itself begins. `page` is the page that it has read.
    """

    __slots__ = ("page", "place")

    def __init__(self, place: FeedCursor | None = None) -> None:
        self.place = place
        self.page: FeedSlice | None = None


class FeedPages(Lists):
    """The one page of changes that a field has, by column."""

    __slots__ = ("_slice",)

    def __init__(self, rows: Rows, project_id: int, *, has_more: bool, page: FeedPage, end: Place, head: Place) -> None:
        super().__init__(rows, [(0, rows.count)])
        self._slice = FeedSlice(
            super().__getitem__(0),
            project_id,
            has_more,
            page.after is not None or page.at_head,
            FeedCursor(project_id, *end).encoded(),
            FeedCursor(project_id, *head).encoded(),
        )

    def picked(self, places: Sequence[int]) -> "FeedPages":
        """Return the page at these places, which is the same at each."""
        self.ranges = [self.ranges[0]] * len(places)
        return self

    def column(self, name: str) -> Sequence[Any]:
        """Return an attribute of each page."""
        return [getattr(self._slice, name)] * len(self.ranges)

    def cursors(self, rows: Rows) -> list[str]:
        """Return the cursors of some of the changes."""
        owner = self._slice.project_id
        places = zip(rows.column("position"), rows.column("at"), strict=True)
        return [FeedCursor(owner, *place).encoded() for place in places]

    def __getitem__(self, index: Any) -> Any:
        # Iteration ends with the IndexError of a list.
        _ = self.ranges[index]
        return self._slice
