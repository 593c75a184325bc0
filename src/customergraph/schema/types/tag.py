from uuid import UUID

import strawberry

from customergraph.domain.identity import Kind
from customergraph.schema.node import Node, database_id, global_id
from customergraph.schema.scalars import BigInt


@strawberry.type(description="A label for customers.")
class Tag(Node):
    id: strawberry.ID = global_id(Kind.TAG)
    database_id: BigInt = database_id()
    uuid: UUID = strawberry.field(description="A universally unique identifier.")
    slug: str = strawberry.field(description="The name in filters, inputs and import files; unique in the project.")
    name: str = strawberry.field(description="The name that people see.")
    color: str | None = strawberry.field(description="The color, as `#rrggbb`.")
    icon: str | None = strawberry.field(description="The name of the icon.")
