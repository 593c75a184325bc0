"""How the cells of a file are read where they do not say it themselves."""

from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Self
from zoneinfo import ZoneInfo

from phonenumbers import SUPPORTED_REGIONS

from customergraph.domain import timestamps
from customergraph.errors import CommandRefused, UserErrorCode, ValueRefused
from customergraph.importing.mapping import NamedMapping


class DayOrder(StrEnum):
    """The order of day, month and year in a date."""

    DMY = "dmy"
    MDY = "mdy"
    YMD = "ymd"


class Unit(StrEnum):
    """The unit of amounts: the currency's smallest one, or its main one."""

    MINOR = "minor"
    MAJOR = "major"


def country(code: str) -> str:
    """Check the code of a country that has phone numbers; raises ValueRefused for another one."""
    if code.upper() not in SUPPORTED_REGIONS:
        raise ValueRefused(UserErrorCode.INVALID, f"{code[:20]!r} is not a country: give two letters, like NL")
    return code.upper()


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the user, or a mapping, says of a file; None where nobody says it."""

    country: str | None = None
    days: DayOrder | None = None
    zone: str | None = None
    amounts: Unit | None = None
    tag_separator: str | None = None

    def over(self, named: NamedMapping | None) -> Self:
        """Return these words where they are said, and else those of the mapping; raises CommandRefused for bad ones."""
        if named is None:
            return self
        values = named.mapping.values
        try:
            mapped = type(self)(
                values.country and country(values.country),
                values.days and DayOrder(values.days),
                values.zone and timestamps.zone_name(values.zone),
                values.amounts and Unit(values.amounts),
                values.tag_separator,
            )
        except ValueRefused as refused:
            raise CommandRefused(f"the mapping {named.name}: {refused}") from None
        said = {field.name: value for field in fields(self) if (value := getattr(self, field.name)) is not None}
        return replace(mapped, **said)


@dataclass(frozen=True, slots=True)
class Reading:
    """How cells are read: `zone` is that of days, and `clock` that of times without an offset, if somebody says it."""

    zone: ZoneInfo
    clock: ZoneInfo | None = None
    country: str | None = None
    days: DayOrder | None = None
    amounts: Unit = Unit.MINOR
    tag_separator: str = ","
    blank_clears: bool = False

    @classmethod
    def of(cls, meaning: Meaning, project_zone: str, *, blank_clears: bool) -> Self:
        clock = ZoneInfo(meaning.zone) if meaning.zone else None
        return cls(
            clock or ZoneInfo(project_zone),
            clock,
            meaning.country,
            meaning.days,
            meaning.amounts or Unit.MINOR,
            meaning.tag_separator or ",",
            blank_clears=blank_clears,
        )
