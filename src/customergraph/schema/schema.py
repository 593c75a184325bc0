"""The whole schema: for Strawberry, for graphql-core, for the executors, and as text."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from customergraph.execution.operation import Execution
from customergraph.execution.strawberry_internals import core_schema
from customergraph.schema.directives import of_september_2025
from customergraph.schema.mutations.root import Mutation
from customergraph.schema.queries import Query
from customergraph.schema.scalars import NATIVE, SCALARS

schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    config=StrawberryConfig(scalar_map=SCALARS),
)

executable = core_schema(schema)
executable.directives = of_september_2025(executable.directives)


def execution(*, compiles: bool = True) -> Execution:
    """Return the options that the operations of this schema are executed with."""
    return Execution(executable, NATIVE, compiles=compiles)


def sdl() -> str:
    """Return the text of the committed schema.graphql."""
    return schema.as_str().rstrip("\n") + "\n"
