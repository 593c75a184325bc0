"""The type of fields that lead back to a customer, whose own type is declared later."""

from typing import TYPE_CHECKING, Annotated

import strawberry

if TYPE_CHECKING:
    from customergraph.schema.types.customer import Customer

CustomerLink = Annotated["Customer", strawberry.lazy("customergraph.schema.types.customer")]
