"""The whole schema: for Strawberry, for graphql-core, for the executors, and as text."""

from collections.abc import Iterator

import strawberry
from graphql import GraphQLObjectType, OperationType
from strawberry.schema.config import StrawberryConfig

from customergraph.execution.operation import Execution
from customergraph.execution.strawberry_internals import core_schema
from customergraph.schema.directives import of_september_2025
from customergraph.schema.mutations.root import Mutation
from customergraph.schema.queries import Query
from customergraph.schema.scalars import NATIVE, SCALARS
from customergraph.schema.subscriptions import Subscription

schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    config=StrawberryConfig(scalar_map=SCALARS),
)

# What the documentation begins with; Markdown.
INTRODUCTION = """\
The customers of a business, their history, and each step of a customer's life.

- **Read** from `customers`, a list with search, groups, days and sorts, or from `customer` by its id. A customer has
  its `location` and `tags`, and its history: `messages`, `reviews` and `charges`, which are lists of the whole project
  too. `locations` and `tags` are what customers are sorted into, and `project` is whose data it all is.
- **Lists** are pages: ask for `first` entries and `pageInfo { hasNextPage endCursor }`, and pass `endCursor` as `after`
  for the next page. `nodes` has the entries alone, `edges` each with its cursor.
- **Follow** the project's `changes`: as a list, or as a subscription by server-sent events.
- **Ids**: `id` is unique among all objects, and `node` finds any object by it. An argument that takes a customer's id
  takes its `databaseId` or `uuid` too.
- **Change** a customer by a mutation, a verb and a noun each. Mistakes in the input are `userErrors`, all of them at
  once; nothing is changed then. Other failures are `errors` with a `code` in their `extensions`.
- **Cost**: an operation costs the number of objects that it may return. `extensions.cost` says what it was.
"""

executable = core_schema(schema)
executable.description = INTRODUCTION.strip()
executable.directives = of_september_2025(executable.directives)


def execution(*, compiles: bool = True) -> Execution:
    """Return the options that the operations of this schema are executed with."""
    return Execution(executable, NATIVE, compiles=compiles)


def sdl() -> str:
    """Return the text of the committed schema.graphql, which Strawberry prints without the schema's description."""
    roots = "".join(f"  {kind}: {type_.name}\n" for kind, type_ in _roots())
    return f'"""\n{INTRODUCTION}"""\nschema {{\n{roots}}}\n\n{schema.as_str().rstrip()}\n'


def _roots() -> Iterator[tuple[str, GraphQLObjectType]]:
    for operation in OperationType:
        type_ = executable.get_root_type(operation)
        if type_ is not None:
            yield operation.value, type_
