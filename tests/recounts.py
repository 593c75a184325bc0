"""What statistics must say, counted by Python from the rows of the store."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import stores
from factories import Tenant

STAGES = ("sent", "delivered", "opened", "clicked", "failed", "complained", "canceled")
DAY = timedelta(days=1)


def period_of(day: date, first: date, interval: str) -> date:
    """Return the first day of a day's period, where the list begins with the day `first`."""
    begins = {"DAY": day, "WEEK": day - day.weekday() * DAY, "MONTH": day.replace(day=1)}[interval]
    return max(begins, first)


def all_periods(first: date, last: date, interval: str) -> list[date]:
    days = [first + number * DAY for number in range((last - first).days + 1)]
    return list(dict.fromkeys(period_of(day, first, interval) for day in days))


class Recount:
    """Counts the rows of a project by period."""

    def __init__(self, tenant: Tenant, zone: str, first: date, last: date, interval: str) -> None:
        self._tenant = tenant
        self._zone = ZoneInfo(zone)
        self._first, self._last, self._interval = first, last, interval

    def _rows(self, columns: str, table: str) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Yield the first day of the period and the row of each row within the days; its first column is the time."""
        sql = f"SELECT {columns} FROM {table} WHERE project_id = {self._tenant.project_id}"  # noqa: S608 - ours
        for row in stores.rows(self._tenant.database_url, sql):
            day = datetime.fromisoformat(row[0]).replace(tzinfo=UTC).astimezone(self._zone).date()
            if self._first <= day <= self._last:
                yield str(period_of(day, self._first, self._interval)), row[1:]

    def _periods(self) -> list[str]:
        return [str(day) for day in all_periods(self._first, self._last, self._interval)]

    def revenue(self) -> list[dict[str, Any]]:
        amounts: dict[tuple[str, str], list[int]] = defaultdict(list)
        for period, (currency, amount) in self._rows("charged_at, currency, amount", "charge"):
            amounts[period, currency].append(amount)
        return [
            {
                "periodStart": period,
                "currency": currency,
                "amount": sum(each),
                "refunded": -sum(amount for amount in each if amount < 0),
                "chargesCount": len(each),
            }
            for (period, currency), each in sorted(amounts.items())
        ]

    def reviews(self) -> list[dict[str, Any]]:
        scores: dict[str, list[int]] = defaultdict(list)
        for period, (score,) in self._rows("created_at, score", "review"):
            scores[period].append(score)
        return [
            {
                "periodStart": period,
                "reviewsCount": len(scores[period]),
                "averageScore": sum(scores[period]) / len(scores[period]) if scores[period] else None,
                "scoreCounts": [scores[period].count(score) for score in range(1, 6)],
            }
            for period in self._periods()
        ]

    def messages(self) -> list[dict[str, Any]]:
        counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        columns = ", ".join(("scheduled_at", "channel", *(f"{stage}_at" for stage in STAGES)))
        for period, (channel, *times) in self._rows(columns, "message"):
            counts[period, channel].update({"scheduled": 1})
            counts[period, channel].update(stage for stage, time in zip(STAGES, times, strict=True) if time)
        return [
            {
                "periodStart": period,
                "channel": channel,
                **{f"{stage}Count": counts[period, channel][stage] for stage in ("scheduled", *STAGES)},
            }
            for period in self._periods()
            for channel in ("EMAIL", "SMS")
        ]
