"""Time stamps and calendar days."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from customergraph.errors import UserErrorCode, ValueRefused

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
_RFC_3339 = re.compile(r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(\.\d+)?([Zz]|[+-]\d{2}:[0-5]\d)", re.ASCII)
_SECONDS = re.compile(r"-?\d{1,12}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def now() -> datetime:
    return datetime.now(UTC)


def microseconds(timestamp: datetime) -> int:
    """Return the number of microseconds since 1970."""
    return (timestamp - EPOCH) // MICROSECOND


def from_microseconds(count: int) -> datetime:
    """Return the timestamp so many microseconds after 1970; raises OverflowError outside the years 1 to 9999."""
    return EPOCH + timedelta(microseconds=count)


def rfc_3339(timestamp: datetime) -> str:
    """Return a timestamp as answers have it: in UTC, without a fraction or with six digits of it."""
    return timestamp.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def parsed(text: str | int) -> datetime:
    """Read RFC 3339 with an offset, or Unix seconds, as a timestamp in UTC.

    Raises ValueRefused for other texts, and outside the years 1 to 9999.
    """
    if isinstance(text, int) or _SECONDS.fullmatch(text):
        try:
            return EPOCH + timedelta(seconds=int(text))
        except OverflowError:
            raise _refused(text) from None
    match = _RFC_3339.fullmatch(text)
    if match is None:
        raise _refused(text)
    day, clock, fraction, offset = match.groups()
    try:
        timestamp = datetime.fromisoformat(f"{day}T{clock}{(fraction or '')[:7]}{offset.upper()}")
        return timestamp.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _refused(text) from None


def _refused(text: str | int) -> ValueRefused:
    shown = str(text) if isinstance(text, str) else "an integer out of range"
    return ValueRefused(
        UserErrorCode.INVALID,
        f"{shown[:40]!r} is not a time: give RFC 3339 with an offset, like 2026-11-24T09:30:00Z,"
        " or Unix seconds, of the years 1 to 9999",
    )


def parsed_day(text: str) -> date:
    """Read a calendar date; raises ValueRefused for other texts and for days that do not exist."""
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise ValueRefused(UserErrorCode.INVALID, f"{text[:40]!r} is not a date of the calendar: give YYYY-MM-DD")


def first_instant(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of a calendar day in a time zone, in UTC.

    That is midnight or, where the clocks skip midnight, the end of the skipped time. For the first day of the
    calendar it is the earliest timestamp that there is.
    """
    midnight = datetime.combine(day, time(), zone)
    try:
        late, early = midnight.astimezone(UTC), midnight.replace(fold=1).astimezone(UTC)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)
    if early >= late:
        return late
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) // 2
        if middle.astimezone(zone).date() < day:
            early = middle
        else:
            late = middle
    return late.replace(microsecond=0)


def bounds(first: date | None, last: date | None, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """Return the timestamps [from, until) that the days from `first` to `last` span in a time zone."""
    from_ = first_instant(first, zone) if first else None
    if last is None or last == date.max:
        return from_, None
    return from_, first_instant(last + timedelta(days=1), zone)


def zone_name(name: str) -> str:
    """Check the name of an IANA time zone; raises ValueRefused for an unknown one."""
    if name not in available_timezones():
        raise ValueRefused(UserErrorCode.INVALID, f"unknown time zone {name!r}: give an IANA name like Europe/Berlin")
    return name
