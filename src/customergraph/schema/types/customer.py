from collections.abc import Hashable, Mapping
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from customergraph.domain import customer as rules
from customergraph.domain import identity, paging
from customergraph.domain.arguments import text_argument
from customergraph.domain.charge import CHARGES_NEWEST_FIRST
from customergraph.domain.customer import CustomerCriteria
from customergraph.domain.identity import Kind
from customergraph.domain.message import MESSAGES_NEWEST_FIRST
from customergraph.domain.paging import Ordering
from customergraph.domain.review import REVIEWS_NEWEST_FIRST, ReviewCriteria
from customergraph.errors import BadUserInput
from customergraph.execution.fields import Loading, batched, computed, counted_in_parts
from customergraph.loaders import Loaders
from customergraph.schema.connections import After, Connection, ConnectionLoading, First
from customergraph.schema.context import Info
from customergraph.schema.enums import (
    CustomerDateKey,
    CustomerFilter,
    CustomerSortKey,
    SortDirection,
)
from customergraph.schema.loaded_fields import loaded, referenced, unset_to_none
from customergraph.schema.node import Node, database_id, global_id
from customergraph.schema.project_lists import COUNT_PRICE, UNSERVED, UNSERVED_PRICE, days
from customergraph.schema.scalars import BigInt
from customergraph.schema.types.charge import Charge
from customergraph.schema.types.location import Location
from customergraph.schema.types.message import Channel, Message, Statuses, message_criteria
from customergraph.schema.types.review import Review
from customergraph.schema.types.tag import Tag

NESTED_PAGE = 10
# In objects, like all costs: a search also reads the rows that do not match.
SEARCH_COUNT_PRICE = 500
FACET_COUNTS_PRICE = 500
# An index has the customers of a location by `createdAt`, so that these may go with it.
_SERVED_WITH_LOCATION = {
    *("locationSlug", "email", "includeArchived", "dateFrom", "dateTo", "dateKey", "sortKey", "sortDir"),
    *("first", "after", "last", "before"),
}


def _is_set(value: Any) -> bool:
    return value is not None


def _nested(
    info: Info, kind: Kind, order: Ordering, first: int | None, after: str | None, criteria: Hashable = None
) -> ConnectionLoading:
    loaders = info.context.loaders
    page = paging.page(order, default=NESTED_PAGE, first=first, after=unset_to_none(after))
    return ConnectionLoading(loaders.page_of(kind, page, criteria), loaders.count_of(kind, criteria))


def _messages(
    info: Info,
    first: First = NESTED_PAGE,
    after: After = strawberry.UNSET,
    status: Statuses = strawberry.UNSET,
    channel: Channel = strawberry.UNSET,
) -> Any:
    return _nested(info, Kind.MESSAGE, MESSAGES_NEWEST_FIRST, first, after, message_criteria(status, channel))


def _reviews(info: Info, first: First = NESTED_PAGE, after: After = strawberry.UNSET) -> Any:
    return _nested(info, Kind.REVIEW, REVIEWS_NEWEST_FIRST, first, after, ReviewCriteria())


def _charges(info: Info, first: First = NESTED_PAGE, after: After = strawberry.UNSET) -> Any:
    return _nested(info, Kind.CHARGE, CHARGES_NEWEST_FIRST, first, after)


@strawberry.type(
    description="A person whom the business may ask for a review, with their messages, reviews and charges."
)
class Customer(Node):
    id: strawberry.ID = global_id(Kind.CUSTOMER)
    database_id: BigInt = database_id()
    uuid: UUID = strawberry.field(description="A universally unique identifier.")

    name: str = computed(
        rules.full_name, "first_name", "last_name", description="First and last name, joined by one space."
    )
    first_name: str = strawberry.field(description="First name.")
    last_name: str | None = strawberry.field(description="Last name.")
    email: str | None = strawberry.field(
        description="Email address, as it was entered; unique in the project. Case, and whether the domain is"
        " written in Unicode or ASCII, make no difference."
    )
    phone: str | None = strawberry.field(description="Phone number as E.164; unique in the project.")
    company: str | None = strawberry.field(description="Company or organization.")
    has_subscription: bool = strawberry.field(description="Whether the customer pays for a subscription.")
    notes: str | None = strawberry.field(description="Internal notes; the customer never sees them.")
    address1: str | None = strawberry.field(description="First line of the street address.")
    address2: str | None = strawberry.field(description="Second line of the street address.")
    city: str | None = strawberry.field(description="City.")
    state: str | None = strawberry.field(description="State, province or region.")
    postal_code: str | None = strawberry.field(description="Postal or ZIP code.")
    is_archived: bool = strawberry.field(description="Whether the customer is archived, and so absent from lists.")
    is_unsubscribed: bool = computed(
        _is_set, "unsubscribed_at", description="Whether the customer wants no more messages."
    )
    signed_up_at: datetime | None = strawberry.field(description="When the customer signed up.")
    asked_at: datetime | None = strawberry.field(
        description="The latest time for which a review request was scheduled, even if it was not sent."
    )
    messaged_at: datetime | None = strawberry.field(description="When a message was last sent to the customer.")
    reviewed_at: datetime | None = strawberry.field(description="When the customer last left a review.")
    archived_at: datetime | None = strawberry.field(description="When the customer was archived.")
    unsubscribed_at: datetime | None = strawberry.field(description="When the customer unsubscribed.")
    created_at: datetime = strawberry.field(description="When the customer was added.")
    updated_at: datetime = strawberry.field(
        description="When a field or tag of the customer last changed; messages, reviews and charges do not count."
    )

    location: Location | None = referenced(
        Kind.LOCATION, "location_id", description="The location that the customer belongs to."
    )
    tags: list[Tag] = loaded(Loaders.tags_of, "id", description="The customer's tags, by name.")
    messages: Connection[Message] = batched(_messages, "id", description="The customer's messages, newest first.")
    reviews: Connection[Review] = batched(_reviews, "id", description="The customer's reviews, newest first.")
    charges: Connection[Charge] = batched(_charges, "id", description="The customer's charges, newest first.")


@strawberry.type(description="How many customers a facet has.")
class FacetCount:
    facet: CustomerFilter = strawberry.field(description="The facet.")
    count: int = strawberry.field(description="How many customers it has under the list's other conditions.")


@strawberry.type(description="One page of a list.")
class CustomerConnection(Connection[Customer]):
    facet_counts: list[FacetCount] = counted_in_parts(
        price=FACET_COUNTS_PRICE,
        description="How many customers each facet has under the list's other conditions. Reads what it counts, and"
        " costs 500.",
    )


CustomerId = Annotated[
    strawberry.ID,
    strawberry.argument(description="The customer's global id, integer id or UUID."),
]


def customer_of(info: Info, id: CustomerId) -> Any:
    loaders = info.context.loaders
    key = identity.parsed(id, Kind.CUSTOMER)
    if key is None:
        return None
    loader = loaders.by_uuid(Kind.CUSTOMER) if isinstance(key, UUID) else loaders.by_id(Kind.CUSTOMER)
    return Loading(loader, key)


def price_of_counting_customers(arguments: Mapping[str, Any]) -> int:
    """Return the price of `totalCount` for these arguments of `customers`."""
    return SEARCH_COUNT_PRICE if (arguments.get("q") or "").strip() else COUNT_PRICE


def price_of_customers(arguments: Mapping[str, Any]) -> int:
    """Return what a page of `customers` costs besides its objects: a price where no index serves the conditions."""
    tags = (arguments.get("tagSlug") is not None) + len(arguments.get("tagSlugs") or ())
    is_served = tags <= 1 and (arguments.get("locationSlug") is None or _is_served_with_location(arguments))
    return 0 if is_served else UNSERVED_PRICE


def _is_served_with_location(arguments: Mapping[str, Any]) -> bool:
    is_by_creation = all(arguments.get(name) in {None, "CREATED_AT"} for name in ("sortKey", "dateKey"))
    # Neither an empty search nor an empty list of tags is a condition.
    return is_by_creation and _SERVED_WITH_LOCATION.issuperset(name for name, value in arguments.items() if value)


def customers_of(
    info: Info,
    q: Annotated[
        str | None,
        strawberry.argument(
            description="Words, each of which must occur in the full name, email, company or phone."
            " Case and accents make no difference. Up to 100 characters."
        ),
    ] = strawberry.UNSET,
    email: Annotated[
        str | None,
        strawberry.argument(
            description="Only customers with this email address. Case, and whether the domain is written in"
            " Unicode or ASCII, make no difference."
        ),
    ] = strawberry.UNSET,
    tag_slug: Annotated[
        str | None, strawberry.argument(description="Only customers that have the tag with this slug.")
    ] = strawberry.UNSET,
    tag_slugs: Annotated[
        list[str] | None,
        strawberry.argument(
            description="Only customers that have all of these tags: at most 10 slugs. A page with several tags"
            f" {UNSERVED}."
        ),
    ] = strawberry.UNSET,
    location_slug: Annotated[
        str | None,
        strawberry.argument(
            description="Only customers of this location. A page in another order than by `CREATED_AT`, or with other"
            f" conditions than `email`, `includeArchived` and days of `createdAt`, {UNSERVED}."
        ),
    ] = strawberry.UNSET,
    include_archived: Annotated[  # noqa: FBT002 - an argument of the graph, which has a name
        bool | None,
        strawberry.argument(description="Whether archived customers are in the list, between the others."),
    ] = False,
    filter: Annotated[
        CustomerFilter | None, strawberry.argument(description="Only customers of this group.")
    ] = strawberry.UNSET,
    date_key: Annotated[
        CustomerDateKey | None, strawberry.argument(description="The time that `dateFrom` and `dateTo` apply to.")
    ] = CustomerDateKey.CREATED_AT,
    date_from: Annotated[
        date | None, strawberry.argument(description="The first day, inclusive, in the project's time zone.")
    ] = strawberry.UNSET,
    date_to: Annotated[
        date | None, strawberry.argument(description="The last day, inclusive, in the project's time zone.")
    ] = strawberry.UNSET,
    sort_key: Annotated[
        CustomerSortKey | None, strawberry.argument(description="What to sort by.")
    ] = CustomerSortKey.CREATED_AT,
    sort_dir: Annotated[
        SortDirection | None, strawberry.argument(description="The direction of the sort.")
    ] = SortDirection.DESC,
    first: Annotated[
        int | None,
        strawberry.argument(
            description="Return at most this many entries, from the start of the list: 1 to 100."
            " The default is 25, unless `last` is present."
        ),
    ] = strawberry.UNSET,
    after: After = strawberry.UNSET,
    last: Annotated[
        int | None,
        strawberry.argument(description="Return at most this many entries, from the end of the list: 1 to 100."),
    ] = strawberry.UNSET,
    before: Annotated[
        str | None,
        strawberry.argument(
            description="Return only the entries before this cursor, which must be a cursor of this list."
        ),
    ] = strawberry.UNSET,
) -> Any:
    loaders = info.context.loaders
    since, until = days(info, date_from, date_to)
    phrase = rules.search_argument(unset_to_none(q))
    if sort_key is CustomerSortKey.RELEVANCE and not phrase:
        raise BadUserInput("`sortKey: RELEVANCE` needs words in `q`: give some, or another sort key.")
    criteria = CustomerCriteria(
        words=rules.words_of(phrase),
        phrase=phrase,
        email=rules.email_argument(unset_to_none(email)),
        tag_slugs=rules.tags_argument(unset_to_none(tag_slug), unset_to_none(tag_slugs)),
        location_slug=text_argument("locationSlug", unset_to_none(location_slug)),
        facet=unset_to_none(filter),
        includes_archived=bool(include_archived),
        date_key=date_key or CustomerDateKey.CREATED_AT,
        since=since,
        until=until,
    )
    page = paging.page(
        rules.ordering(sort_key or CustomerSortKey.CREATED_AT, sort_dir or SortDirection.DESC),
        default=paging.PAGE,
        first=unset_to_none(first),
        after=unset_to_none(after),
        last=unset_to_none(last),
        before=unset_to_none(before),
    )
    return ConnectionLoading(
        loaders.customers(criteria, page),
        loaders.customer_count(criteria),
        facet_counts=loaders.facet_counts(criteria),
    )
