"""Customers: what a new one must look like, and the ways a list of them is cut and sorted."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import partial
from typing import Any

from customergraph.domain import text
from customergraph.domain.contact import email, mailbox, phone
from customergraph.domain.paging import KeyType, Ordering, SortDirection
from customergraph.errors import BadUserInput, InputRefused, Mistake, UserErrorCode, ValueRefused

MOST_TAGS = 50
LONGEST_NOTES = 5_000
LONGEST_SEARCH = 100


class CustomerFilter(StrEnum):
    """The contract's `CustomerFilter`."""

    ARCHIVED = "ARCHIVED"
    ASKED = "ASKED"
    NOT_ASKED = "NOT_ASKED"
    NOT_MESSAGED = "NOT_MESSAGED"
    MISSED = "MISSED"
    REVIEWED = "REVIEWED"
    NOT_REVIEWED = "NOT_REVIEWED"
    HAS_NOTES = "HAS_NOTES"
    HAS_CHARGES = "HAS_CHARGES"
    UNSUBSCRIBED = "UNSUBSCRIBED"


class CustomerDateKey(StrEnum):
    """The contract's `CustomerDateKey`; the column is the name in lower case."""

    CREATED_AT = "CREATED_AT"
    SIGNED_UP_AT = "SIGNED_UP_AT"
    ASKED_AT = "ASKED_AT"
    MESSAGED_AT = "MESSAGED_AT"
    REVIEWED_AT = "REVIEWED_AT"


class CustomerSortKey(StrEnum):
    """The contract's `CustomerSortKey`."""

    NAME = "NAME"
    EMAIL = "EMAIL"
    PHONE = "PHONE"
    COMPANY = "COMPANY"
    CREATED_AT = "CREATED_AT"
    SIGNED_UP_AT = "SIGNED_UP_AT"
    ASKED_AT = "ASKED_AT"
    MESSAGED_AT = "MESSAGED_AT"
    REVIEWED_AT = "REVIEWED_AT"


# Text sorts by its folded form; E.164 is its own folded form.
_SORT_COLUMNS = {
    CustomerSortKey.NAME: ("name_key", KeyType.TEXT, False),
    CustomerSortKey.EMAIL: ("email_sort_key", KeyType.TEXT, True),
    CustomerSortKey.PHONE: ("phone", KeyType.TEXT, True),
    CustomerSortKey.COMPANY: ("company_key", KeyType.TEXT, True),
    CustomerSortKey.CREATED_AT: ("created_at", KeyType.TIMESTAMP, False),
    CustomerSortKey.SIGNED_UP_AT: ("signed_up_at", KeyType.TIMESTAMP, True),
    CustomerSortKey.ASKED_AT: ("asked_at", KeyType.TIMESTAMP, True),
    CustomerSortKey.MESSAGED_AT: ("messaged_at", KeyType.TIMESTAMP, True),
    CustomerSortKey.REVIEWED_AT: ("reviewed_at", KeyType.TIMESTAMP, True),
}


def ordering(key: CustomerSortKey, direction: SortDirection) -> Ordering:
    """Give the order of a list of customers."""
    column, type_, nullable = _SORT_COLUMNS[key]
    return Ordering("customers", column, type_, nullable, direction)


@dataclass(frozen=True, slots=True)
class CustomerCriteria:
    """Conditions that must hold together; None where there is none.

    `words` are in the form that searches compare; `email` is a mailbox, `tag_slug` normalised;
    `since` and `until` bound the column of `date_key` as [since, until).
    """

    words: tuple[str, ...] = ()
    email: str | None = None
    tag_slug: str | None = None
    facet: CustomerFilter | None = None
    date_key: CustomerDateKey = CustomerDateKey.CREATED_AT
    since: datetime | None = None
    until: datetime | None = None


def search_argument(value: str | None) -> tuple[str, ...]:
    """Return the words of `q` that have to match; none for a blank text, and for one of marks alone.

    Line ends and tabs are white space. Raises BadUserInput for other controls and for length.
    """
    if value is None:
        return ()
    value = text.normalized(value)
    _refuse_controls("q", value, text.LINES_AND_TABS)
    if len(value) > LONGEST_SEARCH:
        raise BadUserInput(f"`q` must have at most {LONGEST_SEARCH} characters, and has {len(value)}.")
    words = set(text.searchable(value).split())
    # What matches a word matches each part of it.
    return tuple(sorted(word for word in words if not any(word in other for other in words - {word})))


def email_argument(value: str | None) -> str | None:
    """Return the mailbox of the argument `email`; raises BadUserInput for controls."""
    address = slug_argument("email", value)
    return None if address is None else mailbox(address)


def slug_argument(name: str, value: str | None) -> str | None:
    """Normalise a text to compare with; raises BadUserInput for controls."""
    if value is None:
        return None
    value = text.normalized(value)
    _refuse_controls(name, value)
    return value


def _refuse_controls(name: str, value: str, allowed: frozenset[str] = frozenset()) -> None:
    if text.has_controls(value, allowed):
        raise BadUserInput(f"`{name}` must not contain control characters.")


def days(first: date | None, last: date | None) -> tuple[date | None, date | None]:
    """Check the bounds of `dateFrom` and `dateTo`; raises BadUserInput when they are the wrong way round."""
    if first and last and last < first:
        raise BadUserInput(f"`dateTo` ({last}) must not be before `dateFrom` ({first}).")
    return first, last


def notes(value: str | None) -> str | None:
    return text.optional(value, LONGEST_NOTES, multiline=True)


Rule = Callable[[str | None], str | None]

TEXT_RULES: Mapping[str, Rule] = {
    "first_name": lambda value: text.required(value, 255),
    "last_name": partial(text.optional, longest=255),
    "email": email,
    "phone": phone,
    "company": partial(text.optional, longest=255),
    "notes": notes,
    "address1": partial(text.optional, longest=255),
    "address2": partial(text.optional, longest=255),
    "city": partial(text.optional, longest=255),
    "state": partial(text.optional, longest=255),
    "postal_code": partial(text.optional, longest=20),
}


def full_name(first_name: str, last_name: str | None) -> str:
    return f"{first_name} {last_name}" if last_name else first_name


def derived(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Give the columns that searching and sorting need, from the texts of a whole customer."""
    name = full_name(columns["first_name"], columns["last_name"])
    address, company = columns["email"], columns["company"]
    # A newline is in no word of a search, so no match reaches from one text into the next.
    search_key = "\n".join(text.searchable(part) for part in (name, address, company, columns["phone"]) if part)
    return {
        "name_key": text.fold(name),
        "email_key": mailbox(address) if address else None,
        "email_sort_key": text.fold(address) if address else None,
        "company_key": text.fold(company) if company else None,
        "search_key": search_key,
    }


class Mistakes:
    """Collects what is wrong with an input, so that all of it is told at once."""

    def __init__(self) -> None:
        self._found: list[Mistake] = []

    def add(self, field: tuple[str, ...], code: UserErrorCode, message: str) -> None:
        name = f"{field[-2]}[{field[-1]}]" if field[-1].isdecimal() else field[-1]
        self._found.append(Mistake(field, f"{name} {message}", code))

    def check(self, field: tuple[str, ...], rule: Callable[[Any], Any], value: Any) -> Any:
        """Apply the rule; note the mistake and give None when the value breaks it."""
        try:
            return rule(value)
        except ValueRefused as refused:
            self.add(field, refused.code, str(refused))
            return None

    def refuse_if_any(self) -> None:
        if self._found:
            raise InputRefused(self._found)


def tag_slugs(slugs: Iterable[str], field: tuple[str, ...], mistakes: Mistakes) -> dict[str, tuple[str, ...]]:
    """Normalise slugs of tags, each once; gives for each the field that named it first."""
    found: dict[str, tuple[str, ...]] = {}
    for position, given in enumerate(slugs):
        place = (*field, str(position))
        slug = mistakes.check(place, text.slug, given)
        if slug is not None:
            found.setdefault(slug, place)
    if len(found) > MOST_TAGS:
        mistakes.add(field, UserErrorCode.TOO_MANY, f"must name at most {MOST_TAGS} tags, and names {len(found)}")
        return {}
    return found


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """A customer to be added: checked and normalised texts by column, and the slugs it names."""

    columns: Mapping[str, Any]
    location_slug: str | None
    tag_slugs: Mapping[str, tuple[str, ...]]

    @classmethod
    def checked(cls, given: Mapping[str, Any], mistakes: Mistakes) -> "NewCustomer":
        """Check the input of createCustomer by its snake_case names; collects what is wrong with it."""
        columns = {
            name: mistakes.check(("input", _camel(name)), rule, given[name]) for name, rule in TEXT_RULES.items()
        }
        columns["has_subscription"] = bool(given["has_subscription"])
        columns["signed_up_at"] = given["signed_up_at"]
        location = mistakes.check(
            ("input", "locationSlug"), partial(text.optional, longest=100), given["location_slug"]
        )
        slugs = tag_slugs(given["tag_slugs"] or (), ("input", "tagSlugs"), mistakes)
        return cls(columns, location, slugs)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
