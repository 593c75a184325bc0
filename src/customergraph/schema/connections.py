"""Connections: Relay's pages of a list."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Annotated, Any, Generic, NamedTuple, Self, TypeVar

import strawberry

from customergraph.domain.paging import HAS_MORE, SORT_VALUE, Slice
from customergraph.execution.fields import Columns, batched, computed
from customergraph.loaders import Loader, Row

NodeType = TypeVar("NodeType")

First = Annotated[int | None, strawberry.argument(description="How many at most, from the start: 1 to 100.")]
After = Annotated[
    str | None, strawberry.argument(description="Only what comes after this cursor, which this list gave.")
]

# What rows have for their cursors to be made of.
_PLACE = ("id", SORT_VALUE)


class Paged(NamedTuple):
    """The source of a connection: a page, and whose list it is of what counts that."""

    page: Slice
    counter: Loader
    owner: Hashable

    @property
    def whole(self) -> Self:
        """What is counted."""
        return self


class Ends(NamedTuple):
    """The source of a page's info."""

    page: Slice


class Entry(NamedTuple):
    """The source of an edge."""

    page: Slice
    node: Row


@dataclass(frozen=True, slots=True)
class Pages:
    """Loads connections: their pages by one loader, and their counts, where they are asked for, by another."""

    pages: Loader
    counter: Loader

    async def load(self, key: Any) -> Paged:
        return Paged(await self.pages.load(key), self.counter, key)

    async def load_many(self, keys: Sequence[Any], columns: Columns) -> list[Paged]:
        pages = await self.pages.load_many(keys, columns)
        return [Paged(page, self.counter, key) for page, key in zip(pages, keys, strict=True)]


class _Counts:
    """Loads what has been left to be counted."""

    async def load(self, whole: Paged) -> int:
        count: int = await whole.counter.load(whole.owner)
        return count

    async def load_many(self, many: Sequence[Paged], columns: Columns) -> Sequence[int]:
        # The lists of one level are counted by one loader.
        return await many[0].counter.load_many([whole.owner for whole in many], columns)


def _counting() -> Any:
    return _Counts()


def _edges(page: Slice) -> list[Entry]:
    return [Entry(page, row) for row in page.rows]


def _end(place: int) -> Callable[[Slice], str | None]:
    """Give the cursor at one of a page's ends, where it has one."""
    return lambda page: page.cursor(page.rows[place]) if page.rows else None


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool = computed(
        attrgetter("has_next_page"), "page", within=(HAS_MORE,), description="Whether more follows after this page."
    )
    has_previous_page: bool = computed(
        attrgetter("has_previous_page"),
        "page",
        within=(HAS_MORE,),
        description="Whether something comes before this page.",
    )
    start_cursor: str | None = computed(
        _end(0), "page", within=_PLACE, description="The cursor of the first on this page."
    )
    end_cursor: str | None = computed(
        _end(-1),
        "page",
        within=_PLACE,
        description="The cursor of the last on this page: pass it as `after` to get the next page.",
    )


@strawberry.type(description="One entry of a list, with its cursor.")
class Edge(Generic[NodeType]):
    cursor: str = computed(
        Slice.cursor, "page", "node", within=_PLACE, description="The place of this entry in the list."
    )
    node: NodeType = strawberry.field(description="The entry itself.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[NodeType]):
    edges: list[Edge[NodeType]] = computed(
        _edges, "page", description="The entries of this page, each with its cursor."
    )
    nodes: list[NodeType] = computed(attrgetter("rows"), "page", description="The entries of this page.")
    page_info: PageInfo = computed(Ends, "page", description="Where this page stands in the list.")
    total_count: int = batched(
        _counting, "whole", description="How many the whole list has, without regard to the page.", price=1
    )
