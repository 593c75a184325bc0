"""Connections: Relay's pages of a list."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Generic, TypeVar

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


@strawberry.type(description="One page of a list.")
class Connection(Generic[NodeType]):
    page: strawberry.Private[Slice]
    count: strawberry.Private[Callable[[], Awaitable[int]]]

    @strawberry.field(description="The entries of this page, each with its cursor.")
    def edges(self) -> list[Edge[NodeType]]:
        return [Edge(cursor=self.page.cursor(row), node=row) for row in self.page.rows]

    @strawberry.field(description="The entries of this page.")
    def nodes(self) -> list[NodeType]:
        return self.page.rows  # type: ignore[return-value] # rows are the source objects of their types

    @strawberry.field(description="Where this page stands in the list.")
    def page_info(self) -> PageInfo:
        rows = self.page.rows
        return PageInfo(
            has_next_page=self.page.has_next_page,
            has_previous_page=self.page.has_previous_page,
            start_cursor=self.page.cursor(rows[0]) if rows else None,
            end_cursor=self.page.cursor(rows[-1]) if rows else None,
        )

    @strawberry.field(description="How many the whole list has, without regard to the page.")
    async def total_count(self) -> int:
        return await self.count()
