"""What each mutation answers: the customer as it is after the commit, or what was wrong."""

from typing import Any

import strawberry

from customergraph.schema.errors import UserError
from customergraph.schema.types.customer import Customer


def _customer() -> Any:
    return strawberry.field(description="The customer as it is now; null when something was wrong.", default=None)


def _user_errors() -> Any:
    return strawberry.field(
        description="Everything that was wrong with the input; empty when it was done.", default_factory=list
    )


def _canceled_messages_count() -> Any:
    return strawberry.field(description="How many messages this canceled; 0 when something was wrong.", default=0)


@strawberry.type(description="What `createCustomer` answers.")
class CreateCustomerPayload:
    customer: Customer | None = _customer()
    user_errors: list[UserError] = _user_errors()


@strawberry.type(description="What `deleteCustomer` answers.")
class DeleteCustomerPayload:
    deleted_customer_id: strawberry.ID | None = strawberry.field(
        description="The global id of the customer that is gone; null when something was wrong.", default=None
    )
    user_errors: list[UserError] = _user_errors()


@strawberry.type(description="What `archiveCustomer` answers.")
class ArchiveCustomerPayload:
    customer: Customer | None = _customer()
    canceled_messages_count: int = _canceled_messages_count()
    user_errors: list[UserError] = _user_errors()


@strawberry.type(description="What `unarchiveCustomer` answers.")
class UnarchiveCustomerPayload:
    customer: Customer | None = _customer()
    user_errors: list[UserError] = _user_errors()


@strawberry.type(description="What `updateCustomerNotes` answers.")
class UpdateCustomerNotesPayload:
    customer: Customer | None = _customer()
    user_errors: list[UserError] = _user_errors()


@strawberry.type(description="What `unsubscribeCustomer` answers.")
class UnsubscribeCustomerPayload:
    customer: Customer | None = _customer()
    canceled_messages_count: int = _canceled_messages_count()
    user_errors: list[UserError] = _user_errors()


@strawberry.type(description="What `resubscribeCustomer` answers.")
class ResubscribeCustomerPayload:
    customer: Customer | None = _customer()
    user_errors: list[UserError] = _user_errors()


@strawberry.type(description="What `cancelCustomerUnsentMessages` answers.")
class CancelCustomerUnsentMessagesPayload:
    customer: Customer | None = _customer()
    canceled_messages_count: int = _canceled_messages_count()
    user_errors: list[UserError] = _user_errors()


@strawberry.type(description="What `updateCustomerTags` answers.")
class UpdateCustomerTagsPayload:
    customer: Customer | None = _customer()
    user_errors: list[UserError] = _user_errors()
