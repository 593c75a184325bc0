"""Connections: Relay's pages of a list."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Generic, TypeVar

import strawberry

from customergraph.domain.paging import Slice

NodeType = TypeVar("NodeType")

First = Annotated[int | None, strawberry.argument(description="How many at most, from the start: 1 to 100.")]
After = Annotated[
    str | None, strawberry.argument(description="Only what comes after this cursor, which this list gave.")
]


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more follows after this page.")
    has_previous_page: bool = strawberry.field(description="Whether something comes before this page.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first on this page.")
    end_cursor: str | None = strawberry.field(
        description="The cursor of the last on this page: pass it as `after` to get the next page."
    )


@strawberry.type(description="One entry of a list, with its cursor.")
class Edge(Generic[NodeType]):
    cursor: str = strawberry.field(description="The place of this entry in the list.")
    node: NodeType = strawberry.field(description="The entry itself.")


def _edges(root: strawberry.Parent[Any]) -> Any:
    return [Edge(cursor=root.page.cursor(row), node=row) for row in root.page.rows]


def _nodes(root: strawberry.Parent[Any]) -> Any:
    return root.page.rows


def _page_info(root: strawberry.Parent[Any]) -> PageInfo:
    rows = root.page.rows
    return PageInfo(
        has_next_page=root.page.has_next_page,
        has_previous_page=root.page.has_previous_page,
        start_cursor=root.page.cursor(rows[0]) if rows else None,
        end_cursor=root.page.cursor(rows[-1]) if rows else None,
    )


async def _total_count(root: strawberry.Parent[Any]) -> int:
    count: int = await root.count()
    return count


@strawberry.type(description="One page of a list.")
class Connection(Generic[NodeType]):
    page: strawberry.Private[Slice]
    count: strawberry.Private[Callable[[], Awaitable[int]]]

    edges: list[Edge[NodeType]] = strawberry.field(
        resolver=_edges, description="The entries of this page, each with its cursor."
    )
    nodes: list[NodeType] = strawberry.field(resolver=_nodes, description="The entries of this page.")
    page_info: PageInfo = strawberry.field(resolver=_page_info, description="Where this page stands in the list.")
    total_count: int = strawberry.field(
        resolver=_total_count, description="How many the whole list has, without regard to the page."
    )
