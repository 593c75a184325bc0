"""The domain's enumerations in the schema, with the description of each value.

Import them from here: Strawberry must see their descriptions before it builds a type that uses them.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

import strawberry

from customergraph.domain.customer import CustomerDateKey, CustomerFilter, CustomerKey, CustomerSortKey
from customergraph.domain.feed import ChangeAction, ChangeKind
from customergraph.domain.message import MessageChannel, MessageStatus, MessageTemplate
from customergraph.domain.paging import SortDirection
from customergraph.domain.stats import StatsInterval
from customergraph.errors import UserErrorCode
from customergraph.execution.strawberry_internals import enum_values

__all__ = [
    "ChangeAction",
    "ChangeKind",
    "CustomerDateKey",
    "CustomerFilter",
    "CustomerKey",
    "CustomerSortKey",
    "MessageChannel",
    "MessageStatus",
    "MessageTemplate",
    "SortDirection",
    "StatsInterval",
    "UserErrorCode",
]

Enumeration = TypeVar("Enumeration", bound=type[StrEnum])


def _describe(enumeration: Enumeration, name: str, description: str, values: Mapping[str, str]) -> None:
    described: Any = strawberry.enum(enumeration, name=name, description=description)
    for value in enum_values(described):
        value.description = values[value.name]


_describe(
    SortDirection,
    "SortDirection",
    "The direction of a sort. Entries without a value come last in both directions.",
    {"ASC": "From the smallest, the earliest or the first in the alphabet.", "DESC": "The reverse order."},
)
_describe(
    CustomerFilter,
    "CustomerFilter",
    "A group of customers. Only ARCHIVED includes archived customers.",
    {
        "ARCHIVED": "Archived customers, and no others.",
        "ASKED": "Customers for whom a review request was scheduled.",
        "NOT_ASKED": "Customers that were never asked for a review, and are not unsubscribed.",
        "NOT_MESSAGED": "Customers to whom no message was sent.",
        "MISSED": "Customers that clicked a link in a message and left no review.",
        "REVIEWED": "Customers with a review.",
        "NOT_REVIEWED": "Customers without a review.",
        "HAS_NOTES": "Customers with notes.",
        "HAS_CHARGES": "Customers with at least one charge.",
        "UNSUBSCRIBED": "Customers that are unsubscribed from outreach.",
    },
)
_TIMES = {
    "CREATED_AT": "When the customer was added.",
    "SIGNED_UP_AT": "When the customer signed up.",
    "ASKED_AT": "The latest time for which a review request was scheduled.",
    "MESSAGED_AT": "When a message was last sent to the customer.",
    "REVIEWED_AT": "When the customer last left a review.",
    "UPDATED_AT": "When the customer's own fields or tags last changed. No cursor for sync: it has ties, and knows"
    " no deletions.",
}
_describe(CustomerDateKey, "CustomerDateKey", "The time that `dateFrom` and `dateTo` apply to.", _TIMES)
_describe(
    CustomerSortKey,
    "CustomerSortKey",
    "What customers are sorted by. Text is case-folded and compared by code points; ties are broken by id.",
    {
        "NAME": "First and last name.",
        "EMAIL": "Email address.",
        "PHONE": "Phone number.",
        "COMPANY": "Company.",
        **_TIMES,
        "RELEVANCE": "Those first whose name begins with the words of `q`, then the others, each by name. Only with"
        " `q`; `sortDir` makes no difference.",
    },
)
_describe(
    CustomerKey,
    "CustomerKey",
    "The key that tells which customer is meant.",
    {
        "UUID": "The uuid, which the caller may choose.",
        "EMAIL": "The email address, without regard to case.",
        "PHONE": "The phone number.",
    },
)
_describe(
    MessageChannel,
    "MessageChannel",
    "How a message is sent.",
    {"EMAIL": "By email.", "SMS": "By text message."},
)
_describe(
    MessageTemplate,
    "MessageTemplate",
    "What a message is for.",
    {
        "REQUEST": "Asks for a review.",
        "REMINDER": "Reminds the customer of an unanswered request.",
        "THANKS_POSITIVE": "Thanks for a good review.",
        "THANKS_NEGATIVE": "Thanks for a bad review.",
    },
)
_describe(
    MessageStatus,
    "MessageStatus",
    "The state of a message. When several states apply, it is the first of CANCELED, COMPLAINED, FAILED, CLICKED,"
    " OPENED, SENT, SCHEDULED.",
    {
        "SCHEDULED": "Is waiting to be sent.",
        "SENT": "Was sent.",
        "OPENED": "Was opened.",
        "CLICKED": "A link in it was clicked.",
        "FAILED": "Could not be sent or delivered.",
        "COMPLAINED": "Was marked as unwanted.",
        "CANCELED": "Was canceled, and is never sent.",
    },
)
_describe(
    ChangeKind,
    "ChangeKind",
    "The kind of an object that a change tells of.",
    {
        "CUSTOMER": "A customer: its own fields, its tags and its location.",
        "MESSAGE": "A message.",
        "REVIEW": "A review.",
        "CHARGE": "A charge.",
        "LOCATION": "A location.",
        "TAG": "A tag.",
    },
)
_describe(
    ChangeAction,
    "ChangeAction",
    "What happened to an object.",
    {"CREATED": "It was added.", "UPDATED": "Some of its fields changed.", "DELETED": "It was removed permanently."},
)
_describe(
    StatsInterval,
    "StatsInterval",
    "How long a period is.",
    {
        "DAY": "A day of the project's time zone.",
        "WEEK": "A week from Monday.",
        "MONTH": "A month of the calendar.",
    },
)
_describe(
    UserErrorCode,
    "UserErrorCode",
    "The kind of a mistake.",
    {
        "BLANK": "A value is required, and is missing or blank.",
        "INVALID": "The value does not have the required form.",
        "TOO_LONG": "The value has too many characters.",
        "TOO_MANY": "The list has too many entries.",
        "TAKEN": "The value belongs to another customer already.",
        "NOT_FOUND": "The id or slug names nothing in this project.",
    },
)
