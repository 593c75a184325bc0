from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from customergraph.domain.arguments import text_argument
from customergraph.domain.charge import CHARGES_BY_ID, currency_argument
from customergraph.domain.identity import Kind
from customergraph.schema.connections import After
from customergraph.schema.context import Info
from customergraph.schema.loaded_fields import referenced, unset_to_none
from customergraph.schema.node import Node, database_id, global_id
from customergraph.schema.project_lists import (
    UNSERVED,
    FirstOfAll,
    LocationSlug,
    days,
    first_day,
    last_day,
    list_of_project,
)
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


def charges_of_project(
    info: Info,
    first: FirstOfAll = strawberry.UNSET,
    after: After = strawberry.UNSET,
    currency: Annotated[
        str | None,
        strawberry.argument(
            description="Only charges in this currency: its ISO 4217 code, in either case."
            f" A page with other conditions too {UNSERVED}."
        ),
    ] = strawberry.UNSET,
    location_slug: LocationSlug = strawberry.UNSET,
    date_from: Annotated[date | None, first_day("chargedAt")] = strawberry.UNSET,
    date_to: Annotated[date | None, last_day("chargedAt")] = strawberry.UNSET,
) -> Any:
    since, until = days(info, date_from, date_to)
    return list_of_project(
        info,
        Kind.CHARGE,
        CHARGES_BY_ID,
        (first, after),
        currency=currency_argument(unset_to_none(currency)),
        location_slug=text_argument("locationSlug", unset_to_none(location_slug)),
        since=since,
        until=until,
    )
