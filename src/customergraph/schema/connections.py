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

First = Annotated[
    int | None,
    strawberry.argument(description="Return at most this many entries, from the start of the list: 1 to 100."),
]
After = Annotated[
    str | None,
    strawberry.argument(description="Return only the entries after this cursor, which must be a cursor of this list."),
]

# The columns of a row that its cursor is made of.
_CURSOR_COLUMNS = ("id", SORT_VALUE)


class ConnectionSource(NamedTuple):
    """The source of a connection: a page, and what counts the list that it is a page of."""

    page: Slice
    counter: Loader
    list_key: Hashable

    @property
    def counted(self) -> Self:
        """The key of `totalCount`."""
        return self


class PageInfoSource(NamedTuple):
    page: Slice


class EdgeSource(NamedTuple):
    page: Slice
    node: Row


@dataclass(frozen=True, slots=True)
class ConnectionLoader:
    """Loads connections: their pages by one loader, and, if `totalCount` is selected, their counts by another."""

    pages: Loader
    counter: Loader

    async def load(self, key: Any) -> ConnectionSource:
        return ConnectionSource(await self.pages.load(key), self.counter, key)

    async def load_many(self, keys: Sequence[Any], columns: Columns) -> list[ConnectionSource]:
        pages = await self.pages.load_many(keys, columns)
        return [ConnectionSource(page, self.counter, key) for page, key in zip(pages, keys, strict=True)]


class _TotalCounts:
    async def load(self, source: ConnectionSource) -> int:
        count: int = await source.counter.load(source.list_key)
        return count

    async def load_many(self, sources: Sequence[ConnectionSource], columns: Columns) -> Sequence[int]:
        # All lists of one level have the same counter.
        return await sources[0].counter.load_many([source.list_key for source in sources], columns)


def _total_counts() -> Any:
    return _TotalCounts()


def _edges(page: Slice) -> list[EdgeSource]:
    return [EdgeSource(page, row) for row in page.rows]


def _cursor_at(index: int) -> Callable[[Slice], str | None]:
    return lambda page: page.cursor(page.rows[index]) if page.rows else None


@strawberry.type(description="The position of a page in its list.")
class PageInfo:
    has_next_page: bool = computed(
        attrgetter("has_next_page"),
        "page",
        row_columns=(HAS_MORE,),
        description="Whether entries follow after this page.",
    )
    has_previous_page: bool = computed(
        attrgetter("has_previous_page"),
        "page",
        row_columns=(HAS_MORE,),
        description="Whether entries come before this page.",
    )
    start_cursor: str | None = computed(
        _cursor_at(0), "page", row_columns=_CURSOR_COLUMNS, description="The cursor of the first entry of this page."
    )
    end_cursor: str | None = computed(
        _cursor_at(-1),
        "page",
        row_columns=_CURSOR_COLUMNS,
        description="The cursor of the last entry of this page: pass it as `after` to get the next page.",
    )


@strawberry.type(description="One entry of a list, with its cursor.")
class Edge(Generic[NodeType]):
    cursor: str = computed(
        Slice.cursor, "page", "node", row_columns=_CURSOR_COLUMNS, description="The position of this entry in the list."
    )
    node: NodeType = strawberry.field(description="The entry itself.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[NodeType]):
    edges: list[Edge[NodeType]] = computed(
        _edges, "page", description="The entries of this page, each with its cursor."
    )
    nodes: list[NodeType] = computed(attrgetter("rows"), "page", description="The entries of this page.")
    page_info: PageInfo = computed(PageInfoSource, "page", description="The position of this page in the list.")
    total_count: int = batched(
        _total_counts, "counted", description="The number of entries in the whole list, on all pages.", price=1
    )
