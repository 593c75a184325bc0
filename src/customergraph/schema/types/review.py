from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from customergraph.domain.arguments import text_argument
from customergraph.domain.identity import Kind
from customergraph.domain.review import REVIEWS_BY_ID, SCORES, ReviewCriteria
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


def reviews_of_project(
    info: Info,
    first: FirstOfAll = strawberry.UNSET,
    after: After = strawberry.UNSET,
    score: Annotated[
        list[int] | None,
        strawberry.argument(
            description="Only reviews with one of these scores, 1 to 5. A page with several, or with other"
            f" conditions too, {UNSERVED}."
        ),
    ] = strawberry.UNSET,
    location_slug: LocationSlug = strawberry.UNSET,
    date_from: Annotated[date | None, first_day("createdAt")] = strawberry.UNSET,
    date_to: Annotated[date | None, last_day("createdAt")] = strawberry.UNSET,
) -> Any:
    since, until = days(info, date_from, date_to)
    scores = unset_to_none(score)
    return list_of_project(
        info,
        Kind.REVIEW,
        REVIEWS_BY_ID,
        (first, after),
        ReviewCriteria(None if scores is None else frozenset(scores) & frozenset(SCORES)),
        location_slug=text_argument("locationSlug", unset_to_none(location_slug)),
        since=since,
        until=until,
    )
