"""The scalars of the contract (section 6): how they are read and written."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NewType
from uuid import UUID

import orjson
import strawberry

from customergraph.domain import identity, timestamps
from customergraph.execution.leaves import Native
from customergraph.execution.strawberry_internals import ScalarDefinition

BigInt = NewType("BigInt", int)


def _big_int(value: Any) -> int:
    if isinstance(value, str) and value.removeprefix("-").isascii() and value.removeprefix("-").isdecimal():
        value = int(value[:21])
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise ValueError("BigInt takes a whole number of 64 bits, as a JSON number or a string of digits")
    return value


def _timestamp(value: Any) -> datetime:
    if type(value) is not int and not isinstance(value, str):
        raise ValueError("DateTime takes RFC 3339 with an offset, or Unix seconds as a whole number")
    return timestamps.parsed(value)


def _day(value: Any) -> date:
    if not isinstance(value, str):
        raise ValueError("Date takes YYYY-MM-DD")  # noqa: TRY004 - graphql-core shows a ValueError's message
    return timestamps.parsed_day(value)


def _uuid(value: Any) -> UUID:
    uuid = identity.parsed_uuid(value) if isinstance(value, str) else None
    if uuid is None:
        raise ValueError("UUID takes 32 hexadecimal digits in five groups")
    return uuid


# With `JSON_OPTIONS`, orjson writes values of these types as the contract requires.
NATIVE: Native = {
    "BigInt": frozenset({int}),
    "DateTime": frozenset({datetime}),
    "UUID": frozenset({UUID}),
}
JSON_OPTIONS = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z

# Section 5.6 defines `date-time` and `full-date`. No document specifies a 64-bit integer: section 6 defines JSON's
# numbers.
_RFC_3339 = "https://www.rfc-editor.org/rfc/rfc3339#section-5.6"
_RFC_8259 = "https://www.rfc-editor.org/rfc/rfc8259#section-6"
_RFC_9562 = "https://www.rfc-editor.org/rfc/rfc9562"

SCALARS: Mapping[object, ScalarDefinition] = {
    BigInt: strawberry.scalar(
        name="BigInt",
        specified_by_url=_RFC_8259,
        description="A signed integer of 64 bits, as a JSON number. An input may also be a string of digits.",
        serialize=int,
        parse_value=_big_int,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        specified_by_url=_RFC_3339,
        description=(
            "A point in time, in RFC 3339 and UTC, like `2026-11-24T09:30:00Z`, with six digits of a fraction"
            " unless the fraction is zero. An input may be RFC 3339 with any offset, or Unix seconds as a whole"
            " number or a string of digits; the years 1 to 9999 are accepted."
        ),
        serialize=timestamps.rfc_3339,
        parse_value=_timestamp,
    ),
    date: strawberry.scalar(
        name="Date",
        specified_by_url=_RFC_3339,
        description="A calendar day: `YYYY-MM-DD`.",
        serialize=date.isoformat,
        parse_value=_day,
    ),
    UUID: strawberry.scalar(
        name="UUID",
        specified_by_url=_RFC_9562,
        description="A universally unique identifier: 32 hexadecimal digits in five groups.",
        serialize=str,
        parse_value=_uuid,
    ),
}
