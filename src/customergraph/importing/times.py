"""The times of import files: days, times with or without an offset, and Unix seconds."""

import re
from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from customergraph.domain import timestamps
from customergraph.errors import UserErrorCode, ValueRefused
from customergraph.importing.reading import DayOrder, Reading

_ALWAYS = "YYYY-MM-DD always works"
# Smaller numbers are days that a spreadsheet counts, or dates written as digits: 45292, 20240201.
_LEAST_SECONDS = 10**8

# What programs write, which is read at once.
_USUAL = re.compile(r"\d{4}-\d{2}-\d{2}[T ]([01]\d|2[0-3]):\d{2}:\d{2}(\.\d{3}|\.\d{6})?Z", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d+(\.0*)?", re.ASCII)
_CLOCK = r"(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?\s*([AaPp][Mm])?\s*(Z|UTC|GMT|[+-]\d{2}:?[0-5]\d)?)?"
_DATE = re.compile(rf"(\d{{1,4}})([/.-])(\d{{1,2}})\2(\d{{1,4}}){_CLOCK}", re.ASCII | re.IGNORECASE)
_MICROSECOND_DIGITS = 6
_YEAR_DIGITS = 4
_NOON = 12


def instant(cell: str, reading: Reading) -> datetime:
    """Read a day, which begins in the file's time zone, a time, or Unix seconds."""
    try:
        if _USUAL.fullmatch(cell):
            return datetime.fromisoformat(cell)
    except ValueError:
        pass  # what follows says what is wrong
    cell = cell.strip()
    if _DAY.fullmatch(cell):
        return _midnight(timestamps.parsed_day(cell), reading.zone)
    if _NUMBER.fullmatch(cell):
        return _seconds(cell)
    match = _DATE.fullmatch(cell)
    if match is None:
        raise _refused(f"{cell[:40]!r} is not a time: write 2026-11-24T09:30:00Z or Unix seconds; {_ALWAYS}")
    first, separator, middle, last, *clock, half, offset = match.groups()
    if len(first) == _YEAR_DIGITS and separator == "-" and len(middle) == len(last) == len("01"):
        order = DayOrder.YMD
    else:
        order = _order(cell, (first, middle, last), reading)
    day = _date(cell, order, (first, middle, last))
    if clock[0] is None:
        return _midnight(day, reading.zone)
    return _moment(cell, datetime.combine(day, _time(cell, clock, half)), offset, reading)


@lru_cache(maxsize=65_536)
def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return timestamps.first_instant(day, zone)


def _seconds(cell: str) -> datetime:
    whole = cell.partition(".")[0]
    if abs(int(whole[:20])) < _LEAST_SECONDS:
        raise _refused(
            f"{cell[:40]!r} is a number too small for Unix seconds: a spreadsheet's day, or a date without hyphens?"
            f" {_ALWAYS}"
        )
    return timestamps.parsed(whole.removeprefix("+"))


def _order(cell: str, parts: tuple[str, str, str], reading: Reading) -> DayOrder:
    """Return the order of the parts of a date; raises ValueRefused where it is not that of the file."""
    possible = [order for order in DayOrder if _fits(order, parts)]
    if reading.days in possible:
        return reading.days
    options = " or ".join(f"--days {order}" for order in possible)
    would = f"{options} would read it, and " if possible else ""
    raise _refused(f"{cell[:40]!r} is not a date in an order that is known: {would}{_ALWAYS}")


def _fits(order: DayOrder, parts: tuple[str, str, str]) -> bool:
    try:
        _date("", order, parts)
    except ValueRefused:
        return False
    return True


def _date(cell: str, order: DayOrder, parts: tuple[str, str, str]) -> date:
    named = dict(zip(order, parts, strict=True))
    try:
        if len(named["y"]) == _YEAR_DIGITS:
            return date(int(named["y"]), int(named["m"]), int(named["d"]))
    except ValueError:
        pass
    raise _refused(f"{cell[:40]!r} is not a date of the calendar: {_ALWAYS}")


def _time(cell: str, clock: list[str | None], half: str | None) -> time:
    hour, minute, second, fraction = (clock[0], clock[1], clock[2] or "0", clock[3] or "0")
    hours = int(hour or 0)
    try:
        if half:
            hours = _hour_of_day(hours, half)
        microseconds = fraction[:_MICROSECOND_DIGITS].ljust(_MICROSECOND_DIGITS, "0")
        return time(hours, int(minute or 0), int(second), int(microseconds))
    except ValueError:
        raise _refused(f"{cell[:40]!r} is not a time of the day: {_ALWAYS}") from None


def _hour_of_day(hour: int, half: str) -> int:
    if not 1 <= hour <= _NOON:
        raise ValueError
    return hour % _NOON + (_NOON if half.lower() == "pm" else 0)


def _moment(cell: str, local: datetime, offset: str | None, reading: Reading) -> datetime:
    try:
        if offset is not None:
            zone = "+00:00" if offset.isalpha() else offset
            return datetime.fromisoformat(f"{local.isoformat()}{zone}").astimezone(UTC)
        if reading.clock is not None:
            return local.replace(tzinfo=reading.clock).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _refused(f"{cell[:40]!r} is not a time of the years 1 to 9999") from None
    raise _refused(f"{cell[:40]!r} says no time zone: --zone, like --zone Europe/Berlin, would read it, and {_ALWAYS}")


def _refused(message: str) -> ValueRefused:
    return ValueRefused(UserErrorCode.INVALID, message)
