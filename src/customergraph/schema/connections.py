"""Connections: Relay's pages of a list."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

import strawberry

from customergraph.domain.feed import FeedPages
from customergraph.domain.paging import HAS_MORE, SORT_VALUE, Pages, Slice
from customergraph.execution.fields import Loading, computed, counted, held
from customergraph.loaders import Loader, Row
from customergraph.rows import Range, Rows

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
    """The source of a connection: a page, and what counts the list that it is a page of, by field."""

    page: Slice
    counters: Mapping[str, Loader]
    list_key: Hashable

    @property
    def nodes(self) -> Sequence[Row]:
        return self.page.rows

    @property
    def edges(self) -> list["EdgeSource"]:
        return [EdgeSource(self.page, row) for row in self.page.rows]

    @property
    def page_info(self) -> Slice:
        return self.page


class EdgeSource(NamedTuple):
    page: Slice
    node: Row

    @property
    def cursor(self) -> str:
        return self.page.cursor(self.node)


class ConnectionSources:
    """The sources of many connections, by column."""

    def __init__(self, pages: Pages | FeedPages, counters: Mapping[str, Loader], keys: Sequence[Hashable]) -> None:
        self.count = len(pages)
        self.counters = counters
        self._pages = pages
        self._keys = keys

    def column(self, name: str) -> Sequence[Any]:
        return self._keys if name == "list_key" else self._pages.column(name)

    def picked(self, places: Sequence[int]) -> "ConnectionSources":
        return ConnectionSources(self._pages.picked(places), self.counters, [self._keys[place] for place in places])

    def held(self, name: str) -> tuple[Any, Sequence[Range] | None]:
        if name == "page_info":
            return self, None
        rows = self._pages.rows
        return (rows if name == "nodes" else EdgeSources(rows, self._pages)), self._pages.ranges


class EdgeSources:
    """The sources of the edges of many connections, by column."""

    def __init__(self, rows: Rows, pages: Pages | FeedPages) -> None:
        self.count = rows.count
        self._rows = rows
        self._pages = pages

    def column(self, _name: str) -> Sequence[str]:
        return self._pages.cursors(self._rows)

    def picked(self, places: Sequence[int]) -> "EdgeSources":
        return EdgeSources(self._rows.picked(places), self._pages)

    def held(self, _name: str) -> tuple[Rows, None]:
        return self._rows, None


class ConnectionLoading(Loading):
    """Loads connections: their pages by one loader, and by others those of their counts that are selected."""

    __slots__ = ()

    def __init__(self, pages: Loader, total_count: Loader, **counters: Loader) -> None:
        super().__init__(pages, counters={"total_count": total_count, **counters})

    async def load(self, key: Any) -> ConnectionSource:
        return ConnectionSource(await self.loader.load(key), self.counters, key)

    def sources(self, values: Pages, keys: Sequence[Any]) -> ConnectionSources:
        return ConnectionSources(values, self.counters, keys)


def _attribute(name: str, *, row_columns: Sequence[str], description: str) -> Any:
    """Declare a field for an attribute, which needs these columns of the rows of a page."""
    return computed(_same, name, by_column=_same, row_columns=row_columns, description=description)


def _same(value: Any) -> Any:
    return value


@strawberry.type(description="The position of a page in its list.")
class PageInfo:
    has_next_page: bool = _attribute(
        "has_next_page", row_columns=(HAS_MORE,), description="Whether entries follow after this page."
    )
    has_previous_page: bool = _attribute(
        "has_previous_page", row_columns=(HAS_MORE,), description="Whether entries come before this page."
    )
    start_cursor: str | None = _attribute(
        "start_cursor", row_columns=_CURSOR_COLUMNS, description="The cursor of the first entry of this page."
    )
    end_cursor: str | None = _attribute(
        "end_cursor",
        row_columns=_CURSOR_COLUMNS,
        description="The cursor of the last entry of this page: pass it as `after` to get the next page.",
    )


@strawberry.type(description="One entry of a list, with its cursor.")
class Edge(Generic[NodeType]):
    cursor: str = _attribute(
        "cursor", row_columns=_CURSOR_COLUMNS, description="The position of this entry in the list."
    )
    node: NodeType = held(description="The entry itself.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[NodeType]):
    edges: list[Edge[NodeType]] = held(description="The entries of this page, each with its cursor.")
    nodes: list[NodeType] = held(description="The entries of this page.")
    page_info: PageInfo = held(description="The position of this page in the list.")
    total_count: int = counted(description="The number of entries in the whole list, on all pages.", price=1)
