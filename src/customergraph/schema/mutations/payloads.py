"""The payloads of mutations. Mutations that change the same things share one class of payload."""

import asyncio
from typing import Any, Protocol, Self
from uuid import UUID

import strawberry

from customergraph.actions.batches import Saved
from customergraph.actions.customers import Changed, Deleted
from customergraph.domain.identity import GlobalId, Kind
from customergraph.loaders import Loaders, Row
from customergraph.schema.errors import UserError
from customergraph.schema.types.charge import Charge
from customergraph.schema.types.customer import Customer
from customergraph.schema.types.message import Message
from customergraph.schema.types.review import Review


class Payload(Protocol):
    """A payload: of an act that was done, or with nothing but user errors."""

    def __init__(self, *, user_errors: list[UserError] = ...) -> None: ...

    @classmethod
    async def of(cls, result: Any, loaders: Loaders) -> Self:
        """Return the payload of an act; the loaders read what is stored after its commit."""
        ...


def _customer() -> Any:
    return strawberry.field(description="The customer as it is now; null when something was wrong.", default=None)


def _user_errors() -> Any:
    return strawberry.field(
        description="Everything that was wrong with the input; empty when it was done.", default_factory=list
    )


async def _load_customer(changed: Changed, loaders: Loaders) -> Row:
    loader = loaders.by_uuid if isinstance(changed.customer, UUID) else loaders.by_id
    return await loader(Kind.CUSTOMER).load(changed.customer)


@strawberry.type
class CustomerPayload:
    customer: Customer | None = _customer()
    user_errors: list[UserError] = _user_errors()

    @classmethod
    async def of(cls, changed: Changed, loaders: Loaders) -> Self:
        return cls(customer=await _load_customer(changed, loaders))


@strawberry.type
class CanceledMessagesPayload:
    customer: Customer | None = _customer()
    canceled_messages_count: int = strawberry.field(
        description="How many messages were canceled; 0 when `userErrors` has entries.", default=0
    )
    user_errors: list[UserError] = _user_errors()

    @classmethod
    async def of(cls, changed: Changed, loaders: Loaders) -> Self:
        customer = await _load_customer(changed, loaders)
        return cls(customer=customer, canceled_messages_count=changed.canceled_messages)


@strawberry.type
class DeletedCustomerPayload:
    deleted_customer_id: strawberry.ID | None = strawberry.field(
        description="The global id of the deleted customer; null when `userErrors` has entries.", default=None
    )
    user_errors: list[UserError] = _user_errors()

    @classmethod
    async def of(cls, deleted: Deleted, _loaders: Loaders) -> Self:
        return cls(deleted_customer_id=strawberry.ID(str(GlobalId(Kind.CUSTOMER, deleted.customer_id))))


def _items(name: str) -> Any:
    return strawberry.field(
        description=f"The {name} as they are now, in the order of the input; null when something was wrong.",
        default=None,
    )


def _items_errors() -> Any:
    return strawberry.field(
        description="Everything that was wrong with the input, each item at its index; empty when it was done.",
        default_factory=list,
    )


async def _load_saved(saved: Saved, kind: Kind, loaders: Loaders) -> list[Row] | None:
    """Load what an act saved; None where some of it has been deleted since."""
    loader = loaders.by_uuid(kind)
    rows = await asyncio.gather(*map(loader.load, saved.uuids))
    return None if None in rows else rows


@strawberry.type
class CustomersPayload:
    customers: list[Customer] | None = _items("customers")
    user_errors: list[UserError] = _items_errors()

    @classmethod
    async def of(cls, saved: Saved, loaders: Loaders) -> Self:
        return cls(customers=await _load_saved(saved, Kind.CUSTOMER, loaders))


@strawberry.type
class MessagesPayload:
    messages: list[Message] | None = _items("messages")
    user_errors: list[UserError] = _items_errors()

    @classmethod
    async def of(cls, saved: Saved, loaders: Loaders) -> Self:
        return cls(messages=await _load_saved(saved, Kind.MESSAGE, loaders))


@strawberry.type
class ReviewsPayload:
    reviews: list[Review] | None = _items("reviews")
    user_errors: list[UserError] = _items_errors()

    @classmethod
    async def of(cls, saved: Saved, loaders: Loaders) -> Self:
        return cls(reviews=await _load_saved(saved, Kind.REVIEW, loaders))


@strawberry.type
class ChargesPayload:
    charges: list[Charge] | None = _items("charges")
    user_errors: list[UserError] = _items_errors()

    @classmethod
    async def of(cls, saved: Saved, loaders: Loaders) -> Self:
        return cls(charges=await _load_saved(saved, Kind.CHARGE, loaders))
