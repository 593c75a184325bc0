"""The feed of a project's changes: what a change tells, and the places of a reader (contract, `sync.md`, section 7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from customergraph.domain.identity import LARGEST_ID, Kind
from customergraph.domain.paging import PAGE, opaque, parts_of
from customergraph.domain.timestamps import from_microseconds, microseconds
from customergraph.errors import CursorExpired, CursorMalformed
from customergraph.rows import Lists, Rows

_LABEL = "changes"
# A page with conditions adds to a position: the sum still has 64 bits.
_LARGEST_POSITION = LARGEST_ID // 2


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
        return opaque([_LABEL, self.project_id, self.position, count])

    @classmethod
    def decoded(cls, text: str, project_id: int) -> "FeedCursor":
        """Read the cursor of a project; raises CursorMalformed, and CursorExpired for another project's."""
        malformed = CursorMalformed("`after` is not a cursor of `changes`: pass an `endCursor` as it was given.")
        try:
            label, owner, position, count = parts_of(text)
            at = None if position == 0 and count is None else from_microseconds(count)
        except (OverflowError, ValueError, TypeError):
            raise malformed from None
        if label != _LABEL or type(owner) is not int or type(position) is not int:
            raise malformed
        if not 0 <= position <= _LARGEST_POSITION:
            raise malformed
        if owner != project_id:
            raise CursorExpired
        return cls(owner, position, at)


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


class FeedSlice(NamedTuple):
    """A page of changes, oldest first, and the places of its end and of the newest change."""

    rows: Sequence[Any]
    project_id: int
    has_next_page: bool
    has_previous_page: bool
    end: FeedCursor
    head: FeedCursor

    @property
    def end_cursor(self) -> str:
        return self.end.encoded()

    @property
    def head_cursor(self) -> str:
        return self.head.encoded()

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
            FeedCursor(project_id, *end),
            FeedCursor(project_id, *head),
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
