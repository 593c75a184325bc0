"""The six kinds of import, and what each column of each may hold (contract, `cli.md`)."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache, partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from customergraph.domain import charge, customer, review, text, timestamps
from customergraph.domain.message import MessageChannel, MessageTemplate
from customergraph.errors import UserErrorCode, ValueRefused

Rule = Callable[[str, ZoneInfo], Any]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
# What of the unknown columns of a file is told.
MAX_NAMES = 100
MAX_NAME_LENGTH = 40
_UUID = re.compile(r"(urn:uuid:)?\{?[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\}?", re.ASCII | re.IGNORECASE)
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class Kind(StrEnum):
    LOCATIONS = "locations"
    TAGS = "tags"
    CUSTOMERS = "customers"
    MESSAGES = "messages"
    REVIEWS = "reviews"
    CHARGES = "charges"


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a kind: which there are, which must be there and filled, and their rules.

    A cell that is blank after trimming gives None, without asking its rule. Of the columns
    in `customer_keys`, which name a customer, one at least must be there and filled.
    """

    rules: Mapping[str, Rule]
    required: frozenset[str]
    customer_keys: tuple[str, ...] = ()

    def problem(self, names: Sequence[str]) -> str | None:
        """Say what is wrong with the columns of a file; None when nothing is."""
        unknown = [name for name in names if name not in self.rules]
        if unknown:
            return f"unknown {_listed(unknown)}: the columns are {', '.join(self.rules)}"
        missing = sorted(self.required.difference(names))
        if missing:
            return f"the column {missing[0]!r} is missing"
        if self.customer_keys and not set(self.customer_keys).intersection(names):
            return f"the column {' or '.join(map(repr, self.customer_keys))} is missing"
        return None


def _listed(names: Sequence[str]) -> str:
    """Name columns, in a line of bounded length."""
    named = ", ".join(repr(name[:MAX_NAME_LENGTH]) for name in names[:MAX_NAMES])
    more = f" and {len(names) - MAX_NAMES:,} more" if len(names) > MAX_NAMES else ""
    return f"{'columns' if len(names) > 1 else 'column'} {named}{more}"


def _text(rule: Callable[[str | None], Any]) -> Rule:
    return lambda cell, _zone: rule(cell)


def _up_to(longest: int, *, multiline: bool = False) -> Rule:
    return _text(partial(text.optional, longest=longest, multiline=multiline))


@lru_cache(maxsize=65_536)
def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return timestamps.first_instant(day, zone)


def _time(cell: str, zone: ZoneInfo) -> datetime:
    cell = cell.strip()
    if _DAY.fullmatch(cell):
        return _midnight(timestamps.parsed_day(cell), zone)
    return timestamps.parsed(cell)


def _uuid(cell: str, _zone: ZoneInfo) -> UUID:
    # UUID() alone would take the digits of every script, and signs and underscores among them.
    if not _UUID.fullmatch(cell.strip()):
        raise ValueRefused(UserErrorCode.INVALID, f"{cell[:40]!r} is not a uuid")
    return UUID(cell.strip())


def _boolean(cell: str, _zone: ZoneInfo) -> bool:
    try:
        return _BOOLEANS[cell.strip().lower()]
    except KeyError:
        raise ValueRefused(UserErrorCode.INVALID, f"{cell[:40]!r} is none of true, false, 1, 0, yes, no") from None


def _one_of(names: type[StrEnum]) -> Rule:
    def check(cell: str, _zone: ZoneInfo) -> StrEnum:
        # Upper case makes ASCII letters of others: a long s becomes S.
        name = cell.strip().upper() if cell.isascii() else cell
        try:
            return names(name)
        except ValueError:
            known = ", ".join(names)
            raise ValueRefused(UserErrorCode.INVALID, f"{cell[:40]!r} is none of {known}") from None

    return check


def _color(cell: str, _zone: ZoneInfo) -> str:
    color = cell.strip()
    if not _COLOR.fullmatch(color):
        raise ValueRefused(UserErrorCode.INVALID, f"{cell[:40]!r} is not a color like #ff8800")
    return color.lower()


def _whole_number(cell: str, _zone: ZoneInfo) -> int:
    return charge.amount(cell.strip())


def _slugs(cell: str, _zone: ZoneInfo) -> tuple[str, ...]:
    slugs = tuple(dict.fromkeys(text.slug(slug) for slug in cell.split(",") if not text.is_blank(slug)))
    if len(slugs) > customer.MOST_TAGS:
        raise ValueRefused(UserErrorCode.TOO_MANY, f"must name at most {customer.MOST_TAGS} tags")
    return slugs


_slug = _text(lambda cell: text.slug(cell or ""))
_name = _up_to(255)
_address: Mapping[str, Rule] = {
    name: _text(customer.TEXT_RULES[name]) for name in ("address1", "address2", "city", "state", "postal_code")
}
_contact: Mapping[str, Rule] = {name: _text(customer.TEXT_RULES[name]) for name in ("email", "phone")}
_sent_times: Mapping[str, Rule] = dict.fromkeys(
    (
        "processed_at",
        "sent_at",
        "delivered_at",
        "opened_at",
        "clicked_at",
        "failed_at",
        "complained_at",
        "canceled_at",
    ),
    _time,
)

COLUMNS: Mapping[Kind, Columns] = {
    Kind.LOCATIONS: Columns(
        {"slug": _slug, "name": _name, "display_name": _name, "code": _name, **_address},
        frozenset({"slug", "name"}),
    ),
    Kind.TAGS: Columns({"slug": _slug, "name": _name, "color": _color, "icon": _name}, frozenset({"slug", "name"})),
    Kind.CUSTOMERS: Columns(
        {
            **{name: _text(rule) for name, rule in customer.TEXT_RULES.items()},
            "location": _slug,
            "tags": _slugs,
            **dict.fromkeys(("signed_up_at", "unsubscribed_at", "archived_at", "created_at"), _time),
            "has_subscription": _boolean,
            "uuid": _uuid,
        },
        frozenset({"first_name"}),
        customer_keys=(*_contact, "uuid"),
    ),
    Kind.MESSAGES: Columns(
        {
            **_contact,
            "channel": _one_of(MessageChannel),
            "template": _one_of(MessageTemplate),
            "scheduled_at": _time,
            "ask_id": _whole_number,
            **_sent_times,
            "failed_reason": _up_to(5_000, multiline=True),
            "uuid": _uuid,
        },
        frozenset({"channel", "template", "scheduled_at"}),
        customer_keys=tuple(_contact),
    ),
    Kind.REVIEWS: Columns(
        {
            **_contact,
            "score": _text(lambda cell: review.score((cell or "").strip())),
            "body": _up_to(50_000, multiline=True),
            "source": _name,
            "url": _up_to(2_000),
            "reply": _up_to(50_000, multiline=True),
            "replied_at": _time,
            "location": _slug,
            "created_at": _time,
            "uuid": _uuid,
        },
        frozenset({"score"}),
        customer_keys=tuple(_contact),
    ),
    Kind.CHARGES: Columns(
        {
            **_contact,
            "amount": _whole_number,
            "currency": _text(lambda cell: charge.currency((cell or "").strip())),
            "charged_at": _time,
            "location": _slug,
            "uuid": _uuid,
        },
        frozenset({"amount", "currency"}),
        customer_keys=tuple(_contact),
    ),
}
