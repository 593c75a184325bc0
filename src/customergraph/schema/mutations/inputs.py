"""The arguments of mutations."""

from functools import partial
from typing import Annotated, Any

import strawberry

from customergraph.domain import identity
from customergraph.domain.identity import Kind
from customergraph.schema.enums import CustomerKey
from customergraph.schema.mutations.customer_inputs import CreateCustomerInput, UpdateCustomerInput, UpsertCustomerInput
from customergraph.schema.mutations.history_inputs import RecordChargeInput, RecordMessageInput, RecordReviewInput
from customergraph.schema.mutations.input_values import said, said_of_new
from customergraph.schema.mutations.mutation import Argument
from customergraph.schema.types.customer import CustomerId


def _items(type_: Any, plural: str) -> Argument:
    described = strawberry.argument(description=f"The {plural}; up to 100.")
    return Argument("input", Annotated[list[type_], described], lambda items: list(map(said, items)))


CREATE_INPUT = Argument(
    "input",
    Annotated[CreateCustomerInput, strawberry.argument(description="The customer to add.")],
    said_of_new,
)
UPDATE_INPUT = Argument(
    "input", Annotated[UpdateCustomerInput, strawberry.argument(description="What to change.")], said
)
CUSTOMERS = _items(UpsertCustomerInput, "customers")
BY = Argument(
    "by",
    Annotated[
        CustomerKey | None,
        strawberry.argument(description="The key that tells whether a customer is known; each must have it."),
    ],
    lambda key: key or CustomerKey.UUID,
    default=CustomerKey.UUID,
)
MESSAGES = _items(RecordMessageInput, "messages")
REVIEWS = _items(RecordReviewInput, "reviews")
CHARGES = _items(RecordChargeInput, "charges")
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
