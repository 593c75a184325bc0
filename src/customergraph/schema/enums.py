"""The domain's enumerations under their names in the schema, with what each value means.

Types take them from here, because Strawberry names an enumeration when it first meets it.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

import strawberry

from customergraph.domain.customer import CustomerDateKey, CustomerFilter, CustomerSortKey
from customergraph.domain.message import MessageChannel, MessageStatus, MessageTemplate
from customergraph.domain.paging import SortDirection
from customergraph.errors import UserErrorCode

__all__ = [
    "CustomerDateKey",
    "CustomerFilter",
    "CustomerSortKey",
    "MessageChannel",
    "MessageStatus",
    "MessageTemplate",
    "SortDirection",
    "UserErrorCode",
]

Enumeration = TypeVar("Enumeration", bound=type[StrEnum])


def _describe(enumeration: Enumeration, name: str, description: str, values: Mapping[str, str]) -> None:
    described: Any = strawberry.enum(enumeration, name=name, description=description)
    for value in described.__strawberry_definition__.values:
        value.description = values[value.name]


_describe(
    SortDirection,
    "SortDirection",
    "The direction of a sort. Rows without a value come last in both.",
    {"ASC": "From the smallest, earliest or first of the alphabet.", "DESC": "The other way round."},
)
_describe(
    CustomerFilter,
    "CustomerFilter",
    "One facet of the customers. Archived customers are left out unless the facet is ARCHIVED.",
    {
        "ARCHIVED": "Archived customers, and no others.",
        "ASKED": "Customers that a review request was scheduled for.",
        "NOT_ASKED": "Customers that were never asked for a review, and are not unsubscribed.",
        "NOT_MESSAGED": "Customers that no message was sent to.",
        "MISSED": "Customers that clicked in a message and left no review.",
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
}
_describe(CustomerDateKey, "CustomerDateKey", "The time that `dateFrom` and `dateTo` bound.", _TIMES)
_describe(
    CustomerSortKey,
    "CustomerSortKey",
    "What customers are sorted by. Text is compared by its case-folded code points; ties break by id.",
    {
        "NAME": "First and last name.",
        "EMAIL": "Email address.",
        "PHONE": "Phone number.",
        "COMPANY": "Company.",
        **_TIMES,
    },
)
_describe(
    MessageChannel,
    "MessageChannel",
    "How a message travels.",
    {"EMAIL": "By email.", "SMS": "By text message."},
)
_describe(
    MessageTemplate,
    "MessageTemplate",
    "What a message is for.",
    {
        "REQUEST": "Asks for a review.",
        "REMINDER": "Reminds of a request that was not answered.",
        "THANKS_POSITIVE": "Thanks for a good review.",
        "THANKS_NEGATIVE": "Thanks for a bad review.",
    },
)
_describe(
    MessageStatus,
    "MessageStatus",
    "What has become of a message. Of several that are true, the first in the order CANCELED, COMPLAINED,"
    " FAILED, CLICKED, OPENED, SENT, SCHEDULED.",
    {
        "SCHEDULED": "Waits to be sent.",
        "SENT": "Was sent.",
        "OPENED": "Was opened.",
        "CLICKED": "A link in it was clicked.",
        "FAILED": "Could not be sent or delivered.",
        "COMPLAINED": "Was marked as unwanted.",
        "CANCELED": "Was canceled, and is never sent.",
    },
)
_describe(
    UserErrorCode,
    "UserErrorCode",
    "What kind of mistake it is.",
    {
        "BLANK": "Nothing was given where something is needed.",
        "INVALID": "It is not of the form that is needed.",
        "TOO_LONG": "It has too many characters.",
        "TOO_MANY": "There are too many of them.",
        "TAKEN": "It belongs to another customer already.",
        "NOT_FOUND": "It names nothing of this project.",
    },
)
