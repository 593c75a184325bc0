"""Object identification, as the GraphQL Global Object Identification specification defines it."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any

import strawberry

from customergraph.domain.identity import GlobalId, Kind
from customergraph.errors import BadUserInput
from customergraph.execution.fields import accepts_any_source, computed
from customergraph.loaders import Row
from customergraph.schema.context import Context, Info


@dataclass(frozen=True, slots=True)
class TypedRow:
    """A row with the kind of its global id: rows of different tables look alike."""

    kind: Kind
    row: Row

    def __getattr__(self, name: str) -> Any:
        return getattr(self.row, name)


@strawberry.interface(description="An object with a global id, by which `node` returns it.")
class Node:
    id: strawberry.ID = strawberry.field(description="The global id.")

    # Only `node` and `nodes` are of this type; every other field has a concrete type.
    is_type_of = staticmethod(accepts_any_source)

    @staticmethod
    def resolve_type(source: TypedRow, _info: Any, _type: Any) -> str:
        return source.kind


def global_id(kind: Kind) -> Any:
    """Declare the field `id` of a type."""
    return computed(GlobalId.of(kind), "id", by_column=GlobalId.of_column(kind), description="The global id.")


def database_id() -> Any:
    """Declare the field `databaseId` of a type."""
    return computed(int, "id", description="The integer id, the same as in the REST API; it is never reused.")


MAX_NODES = 100


async def find_node(
    info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="A global id.")]
) -> Node | None:
    return await _load(info.context, id)  # type: ignore[return-value] # a row stands for its type


async def find_nodes(
    info: Info,
    ids: Annotated[list[strawberry.ID], strawberry.argument(description=f"At most {MAX_NODES} global ids.")],
) -> list[Node | None]:
    if len(ids) > MAX_NODES:
        raise BadUserInput(f"`ids` must hold at most {MAX_NODES} ids, and holds {len(ids)}.")
    nodes: Any = await asyncio.gather(*(_load(info.context, id_) for id_ in ids))
    return list(nodes)


async def _load(context: Context, text: str) -> TypedRow | None:
    """Return the row of a global id; None where the project has no such row."""
    node_id = GlobalId.parsed(text)
    if node_id is None:
        return None
    if node_id.kind is Kind.PROJECT:
        row = await context.loaders.project().load(None) if node_id.id == context.principal.project_id else None
    else:
        row = await context.loaders.by_id(node_id.kind).load(node_id.id)
    return None if row is None else TypedRow(node_id.kind, row)
