"""Timestamps as the stores keep them, and the two ways to read a column of them.

An answer can have thousands of timestamps, and making datetimes of them takes a tenth of the request:
this is done only for code that needs a datetime. For the JSON encoder SQLite's text stays text, and
PostgreSQL's counts become datetimes in UTC without an offset, which are the fastest to make and to encode.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any, ClassVar

from sqlalchemy import DateTime, String, TypeDecorator
from sqlalchemy.engine import Dialect

from customergraph.domain.timestamps import MICROSECOND
from customergraph.rows import Conversion

_WIDTH = len("2026-11-24T09:30:00.000000Z")
_PUNCTUATION = b"--T::.Z"
# PostgreSQL counts microseconds from this time (its documentation, "Date/Time Types").
_NAIVE_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 - the encoder needs no offset
_EPOCH = _NAIVE_EPOCH.replace(tzinfo=UTC)
# asyncpg's own codec wrote `infinity` into older stores for the first and the last datetime that Python has.
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_INFINITE = {_FIRST: -(2**63), _LAST: 2**63 - 1}


def _parsed(text: str) -> datetime:
    # We write UTC; another program may have written another offset or none.
    time = datetime.fromisoformat(text)
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def _encodable_texts(stored: Sequence[str | None]) -> Sequence[str | datetime | None]:
    if _are_ours([text for text in stored if text is not None]):
        return [None if text is None else text.replace(".000000Z", "Z") for text in stored]
    return [None if text is None else _parsed(text) for text in stored]


def _are_ours(texts: Sequence[str]) -> bool:
    """Return whether texts are of the form that we write; raises ValueError for one of a time that does not exist.

    It takes less than half of what it takes to make datetimes of them in UTC.
    """
    if not set(map(len, texts)) <= {_WIDTH} or _without_digits(texts) != _PUNCTUATION * len(texts):
        return False
    return len(list(map(datetime.fromisoformat, texts))) == len(texts)


def _without_digits(texts: Sequence[str]) -> bytes:
    return "".join(texts).encode().translate(None, b"0123456789")


def _counted(count: int) -> datetime:
    try:
        # Multiplying a timedelta is faster than making one from a number.
        return _EPOCH + MICROSECOND * count
    except OverflowError:
        return _LAST if count > 0 else _FIRST


def _encodable_counts(stored: Sequence[int | None]) -> Sequence[datetime | None]:
    try:
        return [None if count is None else _NAIVE_EPOCH + MICROSECOND * count for count in stored]
    except OverflowError:
        return [None if count is None else _counted(count) for count in stored]


class _Stored(TypeDecorator[datetime]):
    """A timestamp that is read by `conversion`."""

    conversion: ClassVar[Conversion]

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:  # noqa: ARG002
        read = self.conversion.value
        return lambda stored: None if stored is None else read(stored)


class _Text(_Stored):
    """A timestamp in UTC with microseconds, as RFC 3339 text of one width that sorts by time."""

    impl = String(_WIDTH)
    cache_ok = True
    conversion = Conversion(datetime, _parsed, _encodable_texts)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is not UTC:
            value = value.astimezone(UTC)
        return value.isoformat(timespec="microseconds").replace("+00:00", "Z")


class _Count(_Stored):
    """A timestamp as a count, from a connection that `count_timestamps` has prepared."""

    impl = DateTime(timezone=True)
    cache_ok = True
    conversion = Conversion(datetime, _counted, _encodable_counts)


Timestamp = _Text().with_variant(_Count(), "postgresql")


async def count_timestamps(driver: Any) -> None:
    """Make a connection of asyncpg accept datetimes, and return timestamps as PostgreSQL's counts."""
    await driver.set_type_codec(
        "timestamptz", schema="pg_catalog", format="tuple", encoder=_encoded, decoder=itemgetter(0)
    )


def _encoded(time: datetime) -> tuple[int]:
    return (_INFINITE.get(time, (time - _EPOCH) // MICROSECOND),)
