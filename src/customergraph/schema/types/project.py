from uuid import UUID

import strawberry

from customergraph.domain.identity import Kind
from customergraph.schema.node import Node, database_id, global_id
from customergraph.schema.scalars import BigInt


@strawberry.type(description="The tenant that the token belongs to. Every other object belongs to exactly one project.")
class Project(Node):
    id: strawberry.ID = global_id(Kind.PROJECT)
    database_id: BigInt = database_id()
    uuid: UUID = strawberry.field(description="A universally unique identifier.")
    name: str = strawberry.field(description="The name that people see.")
    slug: str = strawberry.field(description="The name in URLs and commands.")
    timezone: str = strawberry.field(
        description="The IANA time zone in which its days begin and end, like `Europe/Berlin`."
    )
