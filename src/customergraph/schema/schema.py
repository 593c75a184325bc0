"""The schema, put together: its roots, its scalars, how its operations are executed, and its text."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from customergraph.execution.operation import Execution
from customergraph.schema.directives import of_september_2025
from customergraph.schema.mutations.root import Mutation
from customergraph.schema.queries import Query
from customergraph.schema.scalars import NATIVE, SCALARS
from customergraph.schema.types.charge import Charge
from customergraph.schema.types.message import Message
from customergraph.schema.types.review import Review

schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    types=(Message, Review, Charge),
    config=StrawberryConfig(scalar_map=SCALARS),
)


# The same for graphql-core.
executable = schema._schema  # noqa: SLF001 - Strawberry shows it nowhere else
executable.directives = of_september_2025(executable.directives)


def execution(*, breadth_first: bool = True) -> Execution:
    """Give how operations of this schema are executed; orjson writes their answers."""
    return Execution(executable, NATIVE, breadth_first=breadth_first)


def sdl() -> str:
    """Print the schema as the committed schema.graphql has it."""
    return schema.as_str().rstrip("\n") + "\n"
