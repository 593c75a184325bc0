"""Global identification after the Relay specification."""

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
class Identified:
    """A row that was found by its global id, with the type that the id told.

    Rows of different tables look alike; what asked for the row knows its type.
    """

    kind: Kind
    row: Row

    def __getattr__(self, name: str) -> Any:
        return getattr(self.row, name)


@strawberry.interface(description="Something with a global id, by which `node` finds it again.")
class Node:
    id: strawberry.ID = strawberry.field(description="The global id.")

    # Every field but `node` and `nodes` has one concrete type.
    is_type_of = staticmethod(accepts_any_source)

    @staticmethod
    def resolve_type(source: Identified, _info: Any, _type: Any) -> str:
        return source.kind


def global_id(kind: Kind) -> Any:
    """Declare the field `id` of a type."""
    return computed(GlobalId.of(kind), "id", description="The global id.")


def database_id() -> Any:
    """Declare the field `databaseId` of a type."""
    return computed(int, "id", description="The plain integer id, as the REST API has it; never used again.")


MOST_NODES = 100


async def find_node(
    info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="A global id.")]
) -> Node | None:
    return await _identified(info.context, id)  # type: ignore[return-value] # a row in the place of its type


async def find_nodes(
    info: Info,
    ids: Annotated[list[strawberry.ID], strawberry.argument(description=f"Global ids, {MOST_NODES} at most.")],
) -> list[Node | None]:
    if len(ids) > MOST_NODES:
        raise BadUserInput(f"`ids` must hold at most {MOST_NODES} ids, and holds {len(ids)}.")
    found: Any = await asyncio.gather(*(_identified(info.context, id_) for id_ in ids))
    return list(found)


async def _identified(context: Context, text: str) -> Identified | None:
    """Find a row by its global id; None for what is no global id, or of nothing in this project."""
    wanted = GlobalId.parsed(text)
    if wanted is None:
        return None
    if wanted.kind is Kind.PROJECT:
        row = await context.loaders.project().load(None) if wanted.id == context.principal.project_id else None
    else:
        row = await context.loaders.by_id(wanted.kind).load(wanted.id)
    return None if row is None else Identified(wanted.kind, row)
