"""The six kinds of import (contract, `cli.md`)."""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum

from customergraph.domain import charge, customer, message, review, text
from customergraph.domain.catalog import LOCATION_RULES, TAG_RULES
from customergraph.importing import catalog, customers, history
from customergraph.importing.cells import (
    amount,
    boolean,
    by,
    each_by,
    first_valid,
    one_of,
    opt_out,
    phone,
    slugs,
    time,
    trimmed,
    uuid,
)
from customergraph.importing.kind import ImportKind
from customergraph.saving import kinds as saving


class ImportKindName(StrEnum):
    LOCATIONS = "locations"
    TAGS = "tags"
    CUSTOMERS = "customers"
    MESSAGES = "messages"
    REVIEWS = "reviews"
    CHARGES = "charges"


_CONTACTS = ("email", "phone")
_contact = {"email": first_valid(by(customer.TEXT_RULES["email"])), "phone": first_valid(phone)}
# A customer without an email and a phone is named by its uuid.
_owner = {**_contact, "customer_uuid": uuid}
_location = by(text.slug)

IMPORT_KINDS: Mapping[ImportKindName, ImportKind] = {
    ImportKindName.LOCATIONS: ImportKind(
        saving.LOCATIONS,
        catalog.save,
        each_by(LOCATION_RULES),
        required=frozenset({"slug", "name"}),
    ),
    ImportKindName.TAGS: ImportKind(
        saving.TAGS,
        catalog.save,
        each_by(TAG_RULES),
        required=frozenset({"slug", "name"}),
    ),
    ImportKindName.CUSTOMERS: ImportKind(
        # A file that says nothing of the sign-up leaves it empty.
        replace(
            saving.CUSTOMERS,
            rules=replace(
                customer.RULES, never_null=("first_name", "created_at"), now_when_new=frozenset({"created_at"})
            ),
        ),
        customers.save,
        {
            **each_by(customer.TEXT_RULES),
            **_contact,
            "location": _location,
            "tags": slugs,
            **dict.fromkeys(("signed_up_at", "unsubscribed_at", "archived_at", "created_at"), time),
            "unsubscribed": opt_out,
            "has_subscription": boolean,
            "uuid": uuid,
        },
        required=frozenset({"first_name"}),
        customer_keys=(*_CONTACTS, "uuid"),
    ),
    ImportKindName.MESSAGES: ImportKind(
        saving.MESSAGES,
        history.save,
        {
            **_owner,
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
        customer_keys=tuple(_owner),
    ),
    ImportKindName.REVIEWS: ImportKind(
        replace(saving.REVIEWS, rules=replace(review.RULES, defaults={"source": "import"})),
        history.save,
        {
            **_owner,
            "score": trimmed(review.score),
            **each_by(review.TEXT_RULES),
            "replied_at": time,
            "location": _location,
            "created_at": time,
            "uuid": uuid,
        },
        required=frozenset({"score"}),
        customer_keys=tuple(_owner),
    ),
    ImportKindName.CHARGES: ImportKind(
        saving.CHARGES,
        history.save,
        {
            **_owner,
            "amount": amount,
            "currency": trimmed(charge.currency),
            "charged_at": time,
            "location": _location,
            "uuid": uuid,
        },
        required=frozenset({"amount", "currency"}),
        customer_keys=tuple(_owner),
    ),
}
