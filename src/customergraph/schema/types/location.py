from uuid import UUID

import strawberry

from customergraph.domain.identity import Kind
from customergraph.execution.fields import computed
from customergraph.schema.node import Node, database_id, global_id
from customergraph.schema.scalars import BigInt


def _display_name(display_name: str | None, name: str) -> str:
    return display_name or name


@strawberry.type(description="A place of business that customers, reviews and charges belong to.")
class Location(Node):
    id: strawberry.ID = global_id(Kind.LOCATION)
    database_id: BigInt = database_id()
    uuid: UUID = strawberry.field(description="A universally unique identifier.")
    slug: str = strawberry.field(description="The name in inputs and import files; unique in the project.")
    name: str = strawberry.field(description="The name used inside the business.")
    display_name: str = computed(
        _display_name,
        "display_name",
        "name",
        description="The name shown to customers; the same as `name` unless it has been set.",
    )
    code: str | None = strawberry.field(description="A short code that the business uses.")
    address1: str | None = strawberry.field(description="First line of the street address.")
    address2: str | None = strawberry.field(description="Second line of the street address.")
    city: str | None = strawberry.field(description="City.")
    state: str | None = strawberry.field(description="State, province or region.")
    postal_code: str | None = strawberry.field(description="Postal or ZIP code.")
