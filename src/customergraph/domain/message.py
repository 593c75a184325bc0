"""Messages: their channels, templates and rules, and the status that follows from their times (contract, section 2)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from customergraph.domain import text
from customergraph.domain.entry import Entry, EntryRules, by_rules
from customergraph.domain.mistakes import Mistakes
from customergraph.domain.owner import OWNER_CHECKS
from customergraph.domain.paging import KeyType, Ordering
from customergraph.domain.text import whole_number
from customergraph.errors import UserErrorCode, ValueRefused


class MessageChannel(StrEnum):
    EMAIL = "EMAIL"
    SMS = "SMS"


class MessageTemplate(StrEnum):
    REQUEST = "REQUEST"
    REMINDER = "REMINDER"
    THANKS_POSITIVE = "THANKS_POSITIVE"
    THANKS_NEGATIVE = "THANKS_NEGATIVE"


class MessageStatus(StrEnum):
    SCHEDULED = "SCHEDULED"
    SENT = "SENT"
    OPENED = "OPENED"
    CLICKED = "CLICKED"
    FAILED = "FAILED"
    COMPLAINED = "COMPLAINED"
    CANCELED = "CANCELED"


# The first of these times that a message has decides its status; without any it is SCHEDULED.
STATUS_BY_TIME = (
    ("canceled_at", MessageStatus.CANCELED),
    ("complained_at", MessageStatus.COMPLAINED),
    ("failed_at", MessageStatus.FAILED),
    ("clicked_at", MessageStatus.CLICKED),
    ("opened_at", MessageStatus.OPENED),
    ("sent_at", MessageStatus.SENT),
)

# A message is unsent while it has none of these.
UNSENT_WITHOUT = ("processed_at", "sent_at", "failed_at", "canceled_at")

failed_reason = text.up_to(5_000, multiline=True)

MESSAGES_NEWEST_FIRST = Ordering("messages", "scheduled_at", KeyType.TIMESTAMP)
MESSAGES_BY_ID = Ordering.by_id("messages")


@dataclass(frozen=True, slots=True)
class MessageCriteria:
    """The conditions that the messages of a list meet; None is no condition."""

    statuses: frozenset[MessageStatus] | None = None
    channel: MessageChannel | None = None


def ask_id(text: str | int) -> int:
    """Read the id that the messages of one review request share: a whole number of 64 bits."""
    value = whole_number(text)
    if value is None:
        raise ValueRefused(UserErrorCode.INVALID, f"{str(text)[:40]!r} is not an id: give a whole number of 64 bits")
    return value


RULES = EntryRules(
    never_null=("channel", "template", "scheduled_at"),
    checks={**OWNER_CHECKS, **by_rules({"ask_id": ask_id, "failed_reason": failed_reason})},
)

_CANCELED = "is refused for a message that is canceled"
_CLAIMED = "was set before, and takes no other value: the message has been claimed"


def refuse_claims(entry: Entry, stored: Any, mistakes: Mistakes) -> None:
    """Add what is wrong with the times of a message, as it is stored or None for a new one (contract, section 9).

    A canceled message is never sent, and `processed_at` is set once: who sets it has claimed the message.
    """
    values = entry.values
    is_canceled = values.get("canceled_at") is not None or (stored is not None and stored.canceled_at is not None)
    for name in ("processed_at", "sent_at"):
        if is_canceled and values.get(name) is not None:
            mistakes.add((*entry.field, name), UserErrorCode.INVALID, _CANCELED)
    claimed_at = None if stored is None else stored.processed_at
    if claimed_at is not None and values.get("processed_at", claimed_at) != claimed_at:
        mistakes.add((*entry.field, "processed_at"), UserErrorCode.TAKEN, _CLAIMED)
