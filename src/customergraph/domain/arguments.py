"""The rules for arguments of lists (contract, section 3)."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from customergraph.domain import text, timestamps
from customergraph.errors import BadUserInput


def text_argument(name: str, value: str | None) -> str | None:
    """Return the normalised text of an argument; raises BadUserInput for control characters."""
    if value is None:
        return None
    value = text.normalized(value)
    refuse_controls(name, value)
    return value


def refuse_controls(name: str, value: str, allowed: frozenset[str] = frozenset()) -> None:
    """Raise BadUserInput for a text with control characters other than those allowed."""
    if text.has_controls(value, allowed):
        raise BadUserInput(f"`{name}` must not contain control characters.")


def days(first: date | None, last: date | None, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """Return the times [from, until) of the days from `dateFrom` to `dateTo` in a time zone.

    Raises BadUserInput where `dateTo` is before `dateFrom`.
    """
    if first and last and last < first:
        raise BadUserInput(f"`dateTo` ({last}) must not be before `dateFrom` ({first}).")
    return timestamps.bounds(first, last, zone)
