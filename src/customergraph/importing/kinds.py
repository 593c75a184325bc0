"""The six kinds of import (contract, `cli.md`)."""

from collections.abc import Mapping
from enum import StrEnum

from customergraph.domain import charge, customer, message, review, text
from customergraph.domain.catalog import LOCATION_RULES, TAG_RULES
from customergraph.importing import catalog, customers, history
from customergraph.importing.cells import boolean, by, each_by, one_of, slugs, time, trimmed, uuid
from customergraph.importing.kind import ImportKind
from customergraph.store import entities


class ImportKindName(StrEnum):
    LOCATIONS = "locations"
    TAGS = "tags"
    CUSTOMERS = "customers"
    MESSAGES = "messages"
    REVIEWS = "reviews"
    CHARGES = "charges"


_CONTACTS = ("email", "phone")
_contact = each_by({name: customer.TEXT_RULES[name] for name in _CONTACTS})
_location = by(text.slug)

IMPORT_KINDS: Mapping[ImportKindName, ImportKind] = {
    ImportKindName.LOCATIONS: ImportKind(
        entities.LOCATION,
        catalog.save,
        each_by(LOCATION_RULES),
        required=frozenset({"slug", "name"}),
    ),
    ImportKindName.TAGS: ImportKind(
        entities.TAG,
        catalog.save,
        each_by(TAG_RULES),
        required=frozenset({"slug", "name"}),
    ),
    ImportKindName.CUSTOMERS: ImportKind(
        entities.CUSTOMER,
        customers.save,
        {
            **each_by(customer.TEXT_RULES),
            "location": _location,
            "tags": slugs,
            **dict.fromkeys(("signed_up_at", "unsubscribed_at", "archived_at", "created_at"), time),
            "has_subscription": boolean,
            "uuid": uuid,
        },
        required=frozenset({"first_name"}),
        customer_keys=(*_CONTACTS, "uuid"),
        lookups=frozenset({"location", "tags", "uuid"}),
        defaults={"has_subscription": False, "has_clicked": False, "has_charges": False},
        now_when_added=frozenset({"created_at", "updated_at"}),
        now_when_changed=frozenset({"updated_at"}),
    ),
    ImportKindName.MESSAGES: ImportKind(
        entities.MESSAGE,
        history.save,
        {
            **_contact,
            "channel": one_of(message.MessageChannel),
            "template": one_of(message.MessageTemplate),
            "scheduled_at": time,
            "ask_id": trimmed(message.ask_id),
            "processed_at": time,
            "sent_at": time,
            "delivered_at": time,
            "opened_at": time,
            "clicked_at": time,
            "failed_at": time,
            "complained_at": time,
            "canceled_at": time,
            "failed_reason": by(message.failed_reason),
            "uuid": uuid,
        },
        required=frozenset({"channel", "template", "scheduled_at"}),
        customer_keys=_CONTACTS,
        lookups=frozenset({*_CONTACTS, "uuid"}),
        now_when_added=frozenset({"created_at"}),
    ),
    ImportKindName.REVIEWS: ImportKind(
        entities.REVIEW,
        history.save,
        {
            **_contact,
            "score": trimmed(review.score),
            **each_by(review.TEXT_RULES),
            "replied_at": time,
            "location": _location,
            "created_at": time,
            "uuid": uuid,
        },
        required=frozenset({"score"}),
        customer_keys=_CONTACTS,
        lookups=frozenset({*_CONTACTS, "location", "uuid"}),
        defaults={"source": "import"},
        now_when_added=frozenset({"created_at", "updated_at"}),
        now_when_changed=frozenset({"updated_at"}),
    ),
    ImportKindName.CHARGES: ImportKind(
        entities.CHARGE,
        history.save,
        {
            **_contact,
            "amount": trimmed(charge.amount),
            "currency": trimmed(charge.currency),
            "charged_at": time,
            "location": _location,
            "uuid": uuid,
        },
        required=frozenset({"amount", "currency"}),
        customer_keys=_CONTACTS,
        lookups=frozenset({*_CONTACTS, "location", "uuid"}),
        now_when_added=frozenset({"charged_at", "created_at"}),
    ),
}
