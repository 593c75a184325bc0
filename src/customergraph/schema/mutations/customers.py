"""The resolvers of the lifecycle mutations: input, act, commit, and only then the payload."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import strawberry

from customergraph.actions import customers as actions
from customergraph.actions.customers import Changed
from customergraph.domain import identity
from customergraph.domain.identity import GlobalId, Kind
from customergraph.errors import InputRefused
from customergraph.loaders import Row
from customergraph.schema.context import Info
from customergraph.schema.errors import UserError
from customergraph.schema.loaded_fields import unset_to_none
from customergraph.schema.mutations.inputs import CreateCustomerInput, Notes, TagSlugs
from customergraph.schema.mutations.payloads import (
    ArchiveCustomerPayload,
    CancelCustomerUnsentMessagesPayload,
    CreateCustomerPayload,
    DeleteCustomerPayload,
    ResubscribeCustomerPayload,
    UnarchiveCustomerPayload,
    UnsubscribeCustomerPayload,
    UpdateCustomerNotesPayload,
    UpdateCustomerTagsPayload,
)
from customergraph.schema.types.customer import CustomerId

Act = Callable[..., Awaitable[Changed]]


@dataclass(frozen=True, slots=True)
class MutationOutcome:
    """What came of an act: what it changed, or the caller's mistakes."""

    changed: Changed | None
    user_errors: list[UserError]

    @property
    def canceled(self) -> int:
        return self.changed.canceled_messages if self.changed else 0


async def _done(info: Info, act: Act) -> MutationOutcome:
    """Carry out an act in a transaction of its own; what is read from here on sees what it did."""
    context = info.context
    try:
        changed = await context.change(info.path.key, lambda write: act(write, context.principal))
    except InputRefused as refused:
        errors = [UserError(field=list(m.field), message=m.message, code=m.code) for m in refused.mistakes]
        return MutationOutcome(None, errors)
    return MutationOutcome(changed, [])


async def _customer(info: Info, outcome: MutationOutcome) -> Row:
    if outcome.changed is None:
        return None
    return await info.context.loaders.by_id(Kind.CUSTOMER).load(outcome.changed.customer_id)


def _on(id_: str, act: Callable[..., Awaitable[Changed]]) -> Act:
    named = identity.parsed(id_, Kind.CUSTOMER)
    return lambda write, principal: act(write, principal, named)


async def create_customer(
    info: Info,
    input: Annotated[CreateCustomerInput, strawberry.argument(description="The customer to be added.")],
) -> CreateCustomerPayload | None:
    outcome = await _done(info, lambda write, principal: actions.create(write, principal, input.by_name()))
    return CreateCustomerPayload(customer=await _customer(info, outcome), user_errors=outcome.user_errors)


async def delete_customer(info: Info, id: CustomerId) -> DeleteCustomerPayload | None:
    outcome = await _done(info, _on(id, actions.delete))
    changed = outcome.changed
    deleted = strawberry.ID(str(GlobalId(Kind.CUSTOMER, changed.customer_id))) if changed else None
    return DeleteCustomerPayload(deleted_customer_id=deleted, user_errors=outcome.user_errors)


async def archive_customer(info: Info, id: CustomerId) -> ArchiveCustomerPayload | None:
    outcome = await _done(info, _on(id, actions.archive))
    return ArchiveCustomerPayload(
        customer=await _customer(info, outcome),
        canceled_messages_count=outcome.canceled,
        user_errors=outcome.user_errors,
    )


async def unarchive_customer(info: Info, id: CustomerId) -> UnarchiveCustomerPayload | None:
    outcome = await _done(info, _on(id, actions.unarchive))
    return UnarchiveCustomerPayload(customer=await _customer(info, outcome), user_errors=outcome.user_errors)


async def update_customer_notes(
    info: Info, id: CustomerId, notes: Notes = strawberry.UNSET
) -> UpdateCustomerNotesPayload | None:
    outcome = await _done(info, _on(id, partial(actions.update_notes, notes=unset_to_none(notes))))
    return UpdateCustomerNotesPayload(customer=await _customer(info, outcome), user_errors=outcome.user_errors)


async def unsubscribe_customer(info: Info, id: CustomerId) -> UnsubscribeCustomerPayload | None:
    outcome = await _done(info, _on(id, actions.unsubscribe))
    return UnsubscribeCustomerPayload(
        customer=await _customer(info, outcome),
        canceled_messages_count=outcome.canceled,
        user_errors=outcome.user_errors,
    )


async def resubscribe_customer(info: Info, id: CustomerId) -> ResubscribeCustomerPayload | None:
    outcome = await _done(info, _on(id, actions.resubscribe))
    return ResubscribeCustomerPayload(customer=await _customer(info, outcome), user_errors=outcome.user_errors)


async def cancel_customer_unsent_messages(info: Info, id: CustomerId) -> CancelCustomerUnsentMessagesPayload | None:
    outcome = await _done(info, _on(id, actions.cancel_unsent_messages))
    return CancelCustomerUnsentMessagesPayload(
        customer=await _customer(info, outcome),
        canceled_messages_count=outcome.canceled,
        user_errors=outcome.user_errors,
    )


async def update_customer_tags(info: Info, id: CustomerId, tag_slugs: TagSlugs) -> UpdateCustomerTagsPayload | None:
    outcome = await _done(info, _on(id, partial(actions.update_tags, slugs=tag_slugs)))
    return UpdateCustomerTagsPayload(customer=await _customer(info, outcome), user_errors=outcome.user_errors)
