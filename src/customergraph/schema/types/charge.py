from datetime import datetime
from uuid import UUID

import strawberry

from customergraph.domain.identity import Kind
from customergraph.schema.loaded_fields import referenced
from customergraph.schema.node import Node, database_id, global_id
from customergraph.schema.scalars import BigInt
from customergraph.schema.types.customer_link import CustomerLink
from customergraph.schema.types.location import Location


@strawberry.type(description="Money that a customer paid, or got back.")
class Charge(Node):
    id: strawberry.ID = global_id(Kind.CHARGE)
    database_id: BigInt = database_id()
    uuid: UUID = strawberry.field(description="A universally unique identifier.")
    customer: CustomerLink = referenced(Kind.CUSTOMER, "customer_id", description="Who paid, archived or not.")
    amount: BigInt = strawberry.field(
        description="The amount in the smallest unit of the currency, like cents; negative for a refund."
    )
    currency: str = strawberry.field(description="The ISO 4217 code, like `USD`.")
    charged_at: datetime = strawberry.field(description="When it was charged.")
    location: Location | None = referenced(Kind.LOCATION, "location_id", description="The location where it was paid.")
    created_at: datetime = strawberry.field(description="When it was added.")
