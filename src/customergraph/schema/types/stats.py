"""Statistics by period (contract "Sync", section 11)."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo

import strawberry

from customergraph.domain import stats
from customergraph.domain.arguments import text_argument
from customergraph.domain.stats import Periods
from customergraph.execution.fields import Loading, batched
from customergraph.schema.context import Info
from customergraph.schema.enums import MessageChannel, StatsInterval
from customergraph.schema.loaded_fields import unset_to_none
from customergraph.schema.scalars import BigInt

# In objects, like all costs, and fixed beforehand: a field reads an index of what it counts.
STATS_PRICE = 500


@strawberry.type(description="The charges of one period in one currency.")
class RevenueStats:
    period_start: date = strawberry.field(description="The first day of the period.")
    currency: str = strawberry.field(description="The ISO 4217 code.")
    amount: BigInt = strawberry.field(description="All charges less all refunds, in the smallest unit.")
    refunded: BigInt = strawberry.field(description="The refunds alone, as a positive amount.")
    charges_count: int = strawberry.field(description="How many charges and refunds there are.")


@strawberry.type(description="The reviews of one period.")
class ReviewStats:
    period_start: date = strawberry.field(description="The first day of the period.")
    reviews_count: int = strawberry.field(description="How many reviews there are.")
    average_score: float | None = strawberry.field(description="The mean score; null without reviews.")
    score_counts: list[int] = strawberry.field(description="How many reviews have 1, 2, 3, 4 and 5, in this order.")


@strawberry.type(
    description="The messages of one period and channel. A message counts in each stage that it has a time of."
)
class MessageStats:
    period_start: date = strawberry.field(description="The first day of the period.")
    channel: MessageChannel = strawberry.field(description="How they are sent.")
    scheduled_count: int = strawberry.field(description="How many were scheduled for the period.")
    sent_count: int = strawberry.field(description="How many of these were sent.")
    delivered_count: int = strawberry.field(description="How many of these were delivered.")
    opened_count: int = strawberry.field(description="How many of these were opened.")
    clicked_count: int = strawberry.field(description="How many of these were clicked.")
    failed_count: int = strawberry.field(description="How many of these failed.")
    complained_count: int = strawberry.field(description="How many of these the customer complained of.")
    canceled_count: int = strawberry.field(description="How many of these were canceled.")


def _price(_arguments: Mapping[str, Any]) -> int:
    return STATS_PRICE


def _bounds(**arguments: str | None) -> tuple[tuple[str, str], ...]:
    """Return the conditions that are given, by their names in the store."""
    return tuple((name, value) for name, value in sorted(arguments.items()) if value is not None)


def _location(slug: str | None) -> str | None:
    return text_argument("locationSlug", unset_to_none(slug))


def _revenue(
    info: Info,
    location_slug: Annotated[
        str | None, strawberry.argument(description="Only charges of this location.")
    ] = strawberry.UNSET,
) -> Any:
    return Loading(info.context.loaders.revenue(_bounds(location_slug=_location(location_slug))))


def _reviews(
    info: Info,
    location_slug: Annotated[
        str | None, strawberry.argument(description="Only reviews of this location.")
    ] = strawberry.UNSET,
    source: Annotated[
        str | None, strawberry.argument(description="Only reviews from this source, like `google`.")
    ] = strawberry.UNSET,
) -> Any:
    bounds = _bounds(location_slug=_location(location_slug), source=text_argument("source", unset_to_none(source)))
    return Loading(info.context.loaders.review_stats(bounds))


def _messages(info: Info) -> Any:
    return Loading(info.context.loaders.message_stats())


@strawberry.type(description="Counts and sums by period, all of one snapshot.")
class Stats:
    revenue: list[RevenueStats] = batched(
        _revenue,
        "periods",
        price=_price,
        description="Charges by when they were charged: a row for each period and currency that has any.",
    )
    reviews: list[ReviewStats] = batched(
        _reviews,
        "periods",
        price=_price,
        description="Reviews by when they were left: a row for each period, empty ones too.",
    )
    messages: list[MessageStats] = batched(
        _messages,
        "periods",
        price=_price,
        description="Messages by when they were scheduled: a row for each period and channel, empty ones too.",
    )


class StatsSource(NamedTuple):
    """The source of Stats: the periods that its fields are for."""

    periods: Periods


def stats_of(
    info: Info,
    date_from: Annotated[date, strawberry.argument(description="The first day, in the project's time zone.")],
    date_to: Annotated[date, strawberry.argument(description="The last day, inclusive; at most 400 periods in all.")],
    interval: Annotated[
        StatsInterval | None,
        strawberry.argument(description="How long a period is; the first and the last are cut at the bounds."),
    ] = StatsInterval.MONTH,
) -> Any:
    zone = ZoneInfo(info.context.principal.timezone)
    return StatsSource(stats.periods(date_from, date_to, interval or StatsInterval.MONTH, zone))
