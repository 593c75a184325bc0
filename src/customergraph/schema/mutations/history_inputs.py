"""The inputs of mutations that record messages, reviews and charges."""

from datetime import datetime
from uuid import UUID

import strawberry

from customergraph.schema.enums import MessageChannel, MessageTemplate
from customergraph.schema.mutations.input_values import optional
from customergraph.schema.scalars import BigInt


@strawberry.input(
    description="A message to be added, or changed where its uuid is known: then an absent field keeps its"
    " value, and null clears it."
)
class RecordMessageInput:
    uuid: UUID = strawberry.field(description="The caller's own uuid, which makes a repeated call harmless.")
    customer_id: strawberry.ID | None = optional(
        "The customer: a global id, a plain integer or a uuid. A new message needs this, an email or a phone."
    )
    email: str | None = optional("The customer's email address.")
    phone: str | None = optional("The customer's phone number.")
    ask_id: BigInt | None = optional("What groups the messages of one review request.")
    channel: MessageChannel | None = optional("How it is sent; needed for a new message.")
    template: MessageTemplate | None = optional("What it says; needed for a new message.")
    scheduled_at: datetime | None = optional("When it is to be sent; needed for a new message.")
    processed_at: datetime | None = optional(
        "When it was handed to the provider. Refused for a canceled message, and for one that has"
        " another: so it claims the message."
    )
    sent_at: datetime | None = optional("When it was sent; refused for a canceled message.")
    delivered_at: datetime | None = optional("When it was delivered.")
    opened_at: datetime | None = optional("When it was first opened.")
    clicked_at: datetime | None = optional("When its link was first clicked.")
    failed_at: datetime | None = optional("When sending it failed.")
    failed_reason: str | None = optional("Why sending it failed.")
    complained_at: datetime | None = optional("When the customer complained of it.")
    canceled_at: datetime | None = optional("When it was canceled.")


@strawberry.input(
    description="A review to be added, or changed where its uuid is known: then an absent field keeps its value,"
    " and null clears it."
)
class RecordReviewInput:
    uuid: UUID = strawberry.field(description="The caller's own uuid, which makes a repeated call harmless.")
    customer_id: strawberry.ID | None = optional(
        "The customer: a global id, a plain integer or a uuid. A new review needs this, an email or a phone."
    )
    email: str | None = optional("The customer's email address.")
    phone: str | None = optional("The customer's phone number.")
    score: int | None = optional("1 to 5; needed for a new review.")
    body: str | None = optional("What the customer wrote.")
    source: str | None = optional("Where it was left, like `google`; needed for a new review.")
    url: str | None = optional("Where it can be read.")
    reply: str | None = optional("What the business answered.")
    replied_at: datetime | None = optional("When the business answered.")
    location_slug: str | None = optional("The slug of the location that it is about.")
    created_at: datetime | None = optional("When it was left; now by default for a new review, and cannot be cleared.")


@strawberry.input(
    description="A charge to be added, or changed where its uuid is known: then an absent field keeps its value,"
    " and null clears it."
)
class RecordChargeInput:
    uuid: UUID = strawberry.field(
        description="The caller's own uuid, like a UUID v5 of the billing system's id; it makes a repeated call"
        " harmless."
    )
    customer_id: strawberry.ID | None = optional(
        "The customer: a global id, a plain integer or a uuid. A new charge needs this, an email or a phone."
    )
    email: str | None = optional("The customer's email address.")
    phone: str | None = optional("The customer's phone number.")
    amount: BigInt | None = optional(
        "In the smallest unit of the currency, negative for a refund; needed for a new charge."
    )
    currency: str | None = optional("The ISO 4217 code, in either case; needed for a new charge.")
    charged_at: datetime | None = optional(
        "When it was charged; now by default for a new charge, and cannot be cleared."
    )
    location_slug: str | None = optional("The slug of the location it was paid at.")
