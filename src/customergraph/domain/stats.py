"""Periods of days, by which statistics count (contract "Sync", section 11)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import islice
from zoneinfo import ZoneInfo

from customergraph.domain.arguments import days
from customergraph.domain.timestamps import first_instant
from customergraph.errors import BadUserInput

MAX_PERIODS = 400
_DAY = timedelta(days=1)


class StatsInterval(StrEnum):
    """The contract's `StatsInterval`."""

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"


@dataclass(frozen=True, slots=True)
class Periods:
    """Periods one after the other: the first day of each, and the times [start, end) of each."""

    days: tuple[date, ...]
    starts: tuple[datetime, ...]
    ends: tuple[datetime, ...]


def periods(first: date, last: date, interval: StatsInterval, zone: ZoneInfo) -> Periods:
    """Return the periods of the days from `dateFrom` to `dateTo` in a time zone; the first and last are cut there.

    Raises BadUserInput where `dateTo` is before `dateFrom`, and for more than 400 periods.
    """
    _, end = days(first, last, zone)
    begins = tuple(islice(_begins(first, last, interval), MAX_PERIODS + 1))
    if len(begins) > MAX_PERIODS:
        raise BadUserInput(
            f"`dateFrom` to `dateTo` must be at most {MAX_PERIODS} periods of {interval}, and is more:"
            " give fewer days or a longer `interval`."
        )
    starts = tuple(first_instant(day, zone) for day in begins)
    return Periods(begins, starts, (*starts[1:], end or datetime.max.replace(tzinfo=UTC)))


def _begins(first: date, last: date, interval: StatsInterval) -> Iterator[date]:
    """Yield the first day of each period."""
    day: date | None = first
    while day is not None and day <= last:
        yield day
        day = _next(day, interval)


def _next(day: date, interval: StatsInterval) -> date | None:
    """Return the day on which the next period begins; None beyond the calendar."""
    try:
        if interval is StatsInterval.MONTH:
            return date(day.year + day.month // 12, day.month % 12 + 1, 1)
        return day + (_DAY if interval is StatsInterval.DAY else timedelta(days=7 - day.weekday()))
    except (OverflowError, ValueError):
        return None
