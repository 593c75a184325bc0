"""Moments as the stores have them, and the two ways to read a column of them.

Answers hold timestamps by the thousand, and making a datetime of each takes a tenth of a request:
it is done for whoever asks for one. On the way to an answer SQLite's text stays text, and what
PostgreSQL counts becomes datetimes in UTC without an offset, which are made and written fastest.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any, ClassVar

from sqlalchemy import DateTime, String, TypeDecorator
from sqlalchemy.engine import Dialect

from customergraph.domain.timestamps import MICROSECOND
from customergraph.rows import Reading

_WIDTH = len("2026-11-24T09:30:00.000000Z")
# PostgreSQL counts microseconds from here (its documentation, "Date/Time Types").
_NAIVE_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 - without an offset for those who write it
_EPOCH = _NAIVE_EPOCH.replace(tzinfo=UTC)
# What asyncpg's own codec wrote into older stores for the first and the last microsecond that there are.
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_INFINITE = {_FIRST: -(2**63), _LAST: 2**63 - 1}


def _parsed(text: str) -> datetime:
    # Ours is in UTC, and what somebody else wrote may have another offset or none.
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _answered_texts(stored: Sequence[str | None]) -> Sequence[str | datetime | None]:
    if {len(text) for text in stored if text is not None} <= {_WIDTH}:
        return [None if text is None else text.replace(".000000Z", "Z") for text in stored]
    return [None if text is None else _parsed(text) for text in stored]


def _counted(count: int) -> datetime:
    try:
        # A timedelta that is multiplied is made faster than one of a number.
        return _EPOCH + MICROSECOND * count
    except OverflowError:
        return _LAST if count > 0 else _FIRST


def _answered_counts(stored: Sequence[int | None]) -> Sequence[datetime | None]:
    try:
        return [None if count is None else _NAIVE_EPOCH + MICROSECOND * count for count in stored]
    except OverflowError:
        return [None if count is None else _counted(count) for count in stored]


class _Stored(TypeDecorator[datetime]):
    """A moment that is read by `reading`."""

    reading: ClassVar[Reading]

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:  # noqa: ARG002
        read = self.reading.value
        return lambda stored: None if stored is None else read(stored)


class _Text(_Stored):
    """A moment in UTC with microseconds, as RFC 3339 text of one width that sorts by time."""

    impl = String(_WIDTH)
    cache_ok = True
    reading = Reading(datetime, _parsed, _answered_texts)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        if value is None:
            return None
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


class _Count(_Stored):
    """A moment as connections give it that `count_timestamps` has prepared."""

    impl = DateTime(timezone=True)
    cache_ok = True
    reading = Reading(datetime, _counted, _answered_counts)


Timestamp = _Text().with_variant(_Count(), "postgresql")


async def count_timestamps(driver: Any) -> None:
    """Have a connection of asyncpg take timestamps as they are, and give them as PostgreSQL counts them."""
    await driver.set_type_codec(
        "timestamptz", schema="pg_catalog", format="tuple", encoder=_on_the_wire, decoder=itemgetter(0)
    )


def _on_the_wire(moment: datetime) -> tuple[int]:
    return (_INFINITE.get(moment, (moment - _EPOCH) // MICROSECOND),)
