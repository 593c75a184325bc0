"""The arguments of mutations, and their input types."""

from datetime import datetime
from functools import partial
from typing import Annotated, Any

import strawberry

from customergraph.domain import identity
from customergraph.domain.identity import Kind
from customergraph.schema.loaded_fields import unset_to_none
from customergraph.schema.mutations.mutation import Argument
from customergraph.schema.types.customer import CustomerId


def _optional(description: str) -> Any:
    return strawberry.field(description=description, default=strawberry.UNSET)


@strawberry.input(description="The customer to add. Text is trimmed, and blank text means the same as no text.")
class CreateCustomerInput:
    first_name: str = strawberry.field(description="First name; up to 255 characters.")
    last_name: str | None = _optional("Last name; up to 255 characters.")
    email: str | None = _optional(
        "Email address; unique in the project. Case, and whether the domain is written in Unicode or ASCII, make no"
        " difference."
    )
    phone: str | None = _optional("Phone number with its country code, like `+14155550123`; unique in the project.")
    company: str | None = _optional("Company or organization; up to 255 characters.")
    has_subscription: bool | None = _optional("Whether the customer pays for a subscription; false by default.")
    location_slug: str | None = _optional("The slug of the location that the customer belongs to.")
    signed_up_at: datetime | None = _optional("When the customer signed up; the current time by default.")
    notes: str | None = _optional("Internal notes; up to 5,000 characters.")
    address1: str | None = _optional("First line of the street address; up to 255 characters.")
    address2: str | None = _optional("Second line of the street address; up to 255 characters.")
    city: str | None = _optional("City; up to 255 characters.")
    state: str | None = _optional("State, province or region; up to 255 characters.")
    postal_code: str | None = _optional("Postal or ZIP code; up to 20 characters.")
    tag_slugs: list[str] | None = _optional("The slugs of the customer's tags; up to 50.")

    def by_name(self) -> dict[str, Any]:
        """Return the values by their snake_case names, without those that are absent or null."""
        return {name: value for name, value in vars(self).items() if unset_to_none(value) is not None}


CREATE_INPUT = Argument(
    "input",
    Annotated[CreateCustomerInput, strawberry.argument(description="The customer to add.")],
    CreateCustomerInput.by_name,
)
CUSTOMER_ID = Argument("id", CustomerId, partial(identity.parsed, kind=Kind.CUSTOMER))
NOTES = Argument(
    "notes",
    Annotated[
        str | None,
        strawberry.argument(description="The new notes, up to 5,000 characters; null or blank clears them."),
    ],
    default=strawberry.UNSET,
)
TAG_SLUGS = Argument(
    "tag_slugs",
    Annotated[
        list[str],
        strawberry.argument(
            description="The slugs of all tags that the customer will have, up to 50; an empty list removes all tags."
        ),
    ],
)
