"""The rules for the cells of import files: how their text becomes a value of the domain (contract, `cli.md`)."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from customergraph.domain import customer, text, timestamps
from customergraph.errors import UserErrorCode, ValueRefused

# A rule takes the cell, which is not blank, and the project's time zone.
CellRule = Callable[[str, ZoneInfo], Any]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_UUID = re.compile(r"(urn:uuid:)?\{?[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\}?", re.ASCII | re.IGNORECASE)
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def by(rule: Callable[[str], Any]) -> CellRule:
    """Return the rule of a cell that a rule of the domain checks."""
    return lambda cell, _zone: rule(cell)


def each_by(rules: Mapping[str, Callable[[str], Any]]) -> Mapping[str, CellRule]:
    """Return the rules of columns that rules of the domain check."""
    return {name: by(rule) for name, rule in rules.items()}


def trimmed(rule: Callable[[str], Any]) -> CellRule:
    return lambda cell, _zone: rule(cell.strip())


def one_of(names: type[StrEnum]) -> CellRule:
    def check(cell: str, _zone: ZoneInfo) -> StrEnum:
        # Upper case turns some letters outside ASCII into ASCII ones: a long s becomes S.
        name = cell.strip().upper() if cell.isascii() else cell
        try:
            return names(name)
        except ValueError:
            raise ValueRefused(UserErrorCode.INVALID, f"{cell[:40]!r} is none of {', '.join(names)}") from None

    return check


@lru_cache(maxsize=65_536)
def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return timestamps.first_instant(day, zone)


def time(cell: str, zone: ZoneInfo) -> datetime:
    """Read a calendar day, which begins in the project's time zone, or a time stamp."""
    cell = cell.strip()
    if _DAY.fullmatch(cell):
        return _midnight(timestamps.parsed_day(cell), zone)
    return timestamps.parsed(cell)


def uuid(cell: str, _zone: ZoneInfo) -> UUID:
    # UUID() alone accepts the digits of every script, signs and underscores.
    if not _UUID.fullmatch(cell.strip()):
        raise ValueRefused(UserErrorCode.INVALID, f"{cell[:40]!r} is not a uuid")
    return UUID(cell.strip())


def boolean(cell: str, _zone: ZoneInfo) -> bool:
    try:
        return _BOOLEANS[cell.strip().lower()]
    except KeyError:
        raise ValueRefused(UserErrorCode.INVALID, f"{cell[:40]!r} is none of true, false, 1, 0, yes, no") from None


def slugs(cell: str, _zone: ZoneInfo) -> dict[str, str]:
    """Read slugs of tags between commas, each with its place among them."""
    slugs = {text.slug(slug): str(place) for place, slug in enumerate(cell.split(",")) if not text.is_blank(slug)}
    if len(slugs) > customer.MAX_TAGS:
        raise ValueRefused(UserErrorCode.TOO_MANY, f"must name at most {customer.MAX_TAGS} tags")
    return slugs
