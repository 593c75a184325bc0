"""Customers: the rules for their values, and the filters and sort keys of their lists."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any

from customergraph.domain import text
from customergraph.domain.arguments import refuse_controls, text_argument
from customergraph.domain.contact import ADDRESS_RULES, email, mailbox, phone
from customergraph.domain.entry import EntryRules, by_rule, by_rules
from customergraph.domain.mistakes import Mistakes
from customergraph.domain.paging import KeyType, Ordering, SortDirection
from customergraph.errors import BadUserInput, Field, UserErrorCode

MAX_TAGS = 50
MAX_NOTES_LENGTH = 5_000
MAX_SEARCH_LENGTH = 100
MAX_TAGS_OF_A_FILTER = 10

notes = text.up_to(MAX_NOTES_LENGTH, multiline=True)


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
    UPDATED_AT = "UPDATED_AT"


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
    UPDATED_AT = "UPDATED_AT"
    RELEVANCE = "RELEVANCE"


class CustomerKey(StrEnum):
    """The contract's `CustomerKey`; the value of an entry is the name in lower case."""

    UUID = "UUID"
    EMAIL = "EMAIL"
    PHONE = "PHONE"


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
    CustomerSortKey.UPDATED_AT: ("updated_at", KeyType.TIMESTAMP, False),
}


def ordering(key: CustomerSortKey, direction: SortDirection) -> Ordering:
    """Return the order of a list of customers; RELEVANCE has one direction."""
    if key is CustomerSortKey.RELEVANCE:
        return Ordering("customers", "name_key", KeyType.TEXT, direction=SortDirection.ASC, is_ranked=True)
    column, type_, nullable = _SORT_COLUMNS[key]
    return Ordering("customers", column, type_, nullable, direction)


@dataclass(frozen=True, slots=True)
class CustomerCriteria:
    """The conditions that the customers of a list meet, all of them; None is no condition.

    `words` are in the form that searches compare, and `phrase` has all of them in their order; `email` is a
    mailbox, the slugs are normalised; customers have all of the tags; `since` and `until` bound the column of
    `date_key` as [since, until).
    """

    words: tuple[str, ...] = ()
    phrase: str = ""
    email: str | None = None
    tag_slugs: frozenset[str] = frozenset()
    location_slug: str | None = None
    facet: CustomerFilter | None = None
    includes_archived: bool = False
    date_key: CustomerDateKey = CustomerDateKey.CREATED_AT
    since: datetime | None = None
    until: datetime | None = None


def search_argument(value: str | None) -> str:
    """Return the words of `q` in the form that searches compare, joined by one space.

    It is empty for a blank text, and for one of marks alone. Line ends and tabs are white space. Raises
    BadUserInput for other control characters, and for a text too long.
    """
    if value is None:
        return ""
    value = text.normalized(value)
    refuse_controls("q", value, text.LINES_AND_TABS)
    if len(value) > MAX_SEARCH_LENGTH:
        raise BadUserInput(f"`q` must have at most {MAX_SEARCH_LENGTH} characters, and has {len(value)}.")
    return " ".join(text.searchable(value).split())


def words_of(phrase: str) -> tuple[str, ...]:
    """Return the words of a phrase that must match."""
    words = set(phrase.split())
    # What matches a word matches each part of it.
    return tuple(sorted(word for word in words if not any(word in other for other in words - {word})))


def email_argument(value: str | None) -> str | None:
    """Return the mailbox of the argument `email`; raises BadUserInput for control characters."""
    address = text_argument("email", value)
    return None if address is None else mailbox(address)


def tags_argument(slug: str | None, slugs: Sequence[str] | None) -> frozenset[str]:
    """Return the slugs that the arguments `tagSlug` and `tagSlugs` name together.

    Raises BadUserInput for control characters, and for more than ten in `tagSlugs`.
    """
    names = [text_argument("tagSlugs", one) for one in slugs or ()]
    if len(names) > MAX_TAGS_OF_A_FILTER:
        raise BadUserInput(f"`tagSlugs` must have at most {MAX_TAGS_OF_A_FILTER} entries, and has {len(names)}.")
    return frozenset(one for one in (text_argument("tagSlug", slug), *names) if one is not None)


TEXT_RULES: Mapping[str, Callable[[str | None], str | None]] = {
    "first_name": partial(text.required, longest=255),
    "last_name": text.up_to(255),
    "email": email,
    "phone": phone,
    "company": text.up_to(255),
    "notes": notes,
    **ADDRESS_RULES,
}


def full_name(first_name: str, last_name: str | None) -> str:
    return f"{first_name} {last_name}" if last_name else first_name


def derived(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that searches and sorts compare, from all texts of a customer."""
    name = full_name(columns["first_name"], columns["last_name"])
    address, company = columns["email"], columns["company"]
    # No word of a search contains a newline, so no match reaches from one text into the next.
    search_key = "\n".join(text.searchable(part) for part in (name, address, company, columns["phone"]) if part)
    return {
        "name_key": text.fold(name),
        "email_key": mailbox(address) if address else None,
        "email_sort_key": text.fold(address) if address else None,
        "company_key": text.fold(company) if company else None,
        "search_key": search_key,
    }


def tag_slugs(slugs: Sequence[str], field: Field, mistakes: Mistakes) -> dict[str, str]:
    """Return the normalised slugs of tags, each with its place among the slugs, where it stands first."""
    places: dict[str, str] = {}
    for place, value in enumerate(slugs):
        slug = mistakes.check((*field, str(place)), text.slug, value)
        if slug is not None:
            places.setdefault(slug, str(place))
    if len(places) > MAX_TAGS:
        mistakes.add(field, UserErrorCode.TOO_MANY, f"must name at most {MAX_TAGS} tags, and names {len(places)}")
        return {}
    return places


RULES = EntryRules(
    never_null=("first_name",),
    checks={
        **by_rules(TEXT_RULES),
        "location_slug": by_rule(text.up_to(text.MAX_SLUG_LENGTH)),
        "tag_slugs": tag_slugs,
    },
    defaults={"has_subscription": False},
    now_when_new=frozenset({"signed_up_at"}),
)
