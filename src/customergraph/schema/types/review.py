from datetime import datetime
from uuid import UUID

import strawberry

from customergraph.domain.identity import Kind
from customergraph.schema.loaded_fields import referenced
from customergraph.schema.node import Node, database_id, global_id
from customergraph.schema.scalars import BigInt
from customergraph.schema.types.customer_link import CustomerLink
from customergraph.schema.types.location import Location


@strawberry.type(description="What a customer wrote about the business.")
class Review(Node):
    id: strawberry.ID = global_id(Kind.REVIEW)
    database_id: BigInt = database_id()
    uuid: UUID = strawberry.field(description="A universally unique identifier.")
    customer: CustomerLink | None = referenced(
        Kind.CUSTOMER,
        "customer_id",
        description="The author, archived or not; null once that customer is deleted.",
    )
    score: int = strawberry.field(description="From 1 to 5; 5 is the best.")
    body: str | None = strawberry.field(description="The text.")
    source: str = strawberry.field(description="Where it was left, like `google`, `facebook` or `native`.")
    url: str | None = strawberry.field(description="The URL of the review there.")
    reply: str | None = strawberry.field(description="The reply of the business.")
    replied_at: datetime | None = strawberry.field(description="When the business replied.")
    location: Location | None = referenced(Kind.LOCATION, "location_id", description="The location it is about.")
    created_at: datetime = strawberry.field(description="When it was left.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
