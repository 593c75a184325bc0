"""The inputs of mutations that add and change customers."""

from datetime import datetime
from uuid import UUID

import strawberry

from customergraph.schema.mutations.input_values import optional


@strawberry.input(description="The customer to add. Text is trimmed, and blank text means the same as no text.")
class CreateCustomerInput:
    first_name: str = strawberry.field(description="First name; up to 255 characters.")
    last_name: str | None = optional("Last name; up to 255 characters.")
    email: str | None = optional(
        "Email address; unique in the project. Case, and whether the domain is written in Unicode or ASCII, make no"
        " difference."
    )
    phone: str | None = optional("Phone number with its country code, like `+14155550123`; unique in the project.")
    company: str | None = optional("Company or organization; up to 255 characters.")
    has_subscription: bool | None = optional("Whether the customer pays for a subscription; false by default.")
    location_slug: str | None = optional("The slug of the location that the customer belongs to.")
    signed_up_at: datetime | None = optional("When the customer signed up; the current time by default.")
    notes: str | None = optional("Internal notes; up to 5,000 characters.")
    address1: str | None = optional("First line of the street address; up to 255 characters.")
    address2: str | None = optional("Second line of the street address; up to 255 characters.")
    city: str | None = optional("City; up to 255 characters.")
    state: str | None = optional("State, province or region; up to 255 characters.")
    postal_code: str | None = optional("Postal or ZIP code; up to 20 characters.")
    tag_slugs: list[str] | None = optional("The slugs of the customer's tags; up to 50.")
    uuid: UUID | None = optional("The caller's own uuid, which makes a repeated call harmless: a known one is TAKEN.")


@strawberry.input(description="What to change of a customer: an absent field keeps its value, null clears it.")
class UpdateCustomerInput:
    first_name: str | None = optional("First name; up to 255 characters; cannot be cleared.")
    last_name: str | None = optional("Last name; up to 255 characters.")
    email: str | None = optional("Email address; unique in the project without regard to case.")
    phone: str | None = optional("Phone number with its country code, like `+14155550123`; unique in the project.")
    company: str | None = optional("Company or organization; up to 255 characters.")
    has_subscription: bool | None = optional("Whether the customer pays for a subscription; null is false.")
    location_slug: str | None = optional("The slug of the location that the customer belongs to.")
    signed_up_at: datetime | None = optional("When the customer signed up.")
    notes: str | None = optional("Internal notes; up to 5,000 characters.")
    address1: str | None = optional("First line of the street address; up to 255 characters.")
    address2: str | None = optional("Second line of the street address; up to 255 characters.")
    city: str | None = optional("City; up to 255 characters.")
    state: str | None = optional("State, province or region; up to 255 characters.")
    postal_code: str | None = optional("Postal or ZIP code; up to 20 characters.")
    tag_slugs: list[str] | None = optional("The slugs of all the customer's tags; up to 50.")


@strawberry.input
class _WithUuid:
    uuid: UUID | None = optional("The caller's own uuid, like a UUID v5 of its own id.")


@strawberry.input(
    description="A customer to be added, or changed where it is known: then an absent field keeps its value, and null"
    " clears it."
)
class UpsertCustomerInput(_WithUuid, UpdateCustomerInput):
    first_name: str | None = optional(
        "First name; up to 255 characters; needed for a new customer, and cannot be cleared."
    )
    signed_up_at: datetime | None = optional("When the customer signed up; now by default for a new customer.")
