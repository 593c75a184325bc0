"""The lifecycle of a customer (contract, section 5): for each act its scope, its rule, then the store.

Each act declares the scope that it needs, and nothing else does. The act requires it, and the schema requires the
scopes of all acts of an operation before the first one begins.

Every act except `create` takes a reference to its customer: an id, a uuid, or None for a text that is neither.
It raises InputRefused with NOT_FOUND when the project does not have the customer.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import update_wrapper
from typing import Any, Concatenate, Generic, ParamSpec
from uuid import UUID, uuid4

from customergraph.domain import customer as rules
from customergraph.domain import timestamps
from customergraph.domain.contact import mailbox
from customergraph.domain.customer import NewCustomer
from customergraph.domain.mistakes import Mistakes
from customergraph.domain.principal import Principal, Scope
from customergraph.errors import UserErrorCode
from customergraph.store import catalog, customers, history
from customergraph.store.transactions import Write

CustomerRef = int | UUID | None


@dataclass(frozen=True, slots=True)
class Changed:
    """The customer that an act changed, and how many of its messages the act canceled."""

    customer_id: int
    canceled_messages: int = 0


Arguments = ParamSpec("Arguments")
Work = Callable[Concatenate[Write, Arguments], Awaitable[Changed]]


class Act(Generic[Arguments]):
    """An act with its scope; a call raises Forbidden for a principal without that scope."""

    def __init__(self, scope: Scope, work: Work[Arguments]) -> None:
        self.scope = scope
        self._work = work
        update_wrapper(self, work)

    async def __call__(
        self, write: Write, principal: Principal, *arguments: Arguments.args, **options: Arguments.kwargs
    ) -> Changed:
        principal.require(self.scope)
        return await self._work(write, *arguments, **options)


def _needs(scope: Scope) -> Callable[[Work[Arguments]], Act[Arguments]]:
    """Declare the scope of an act."""
    return lambda work: Act(scope, work)


@_needs(Scope.WRITE)
async def create(write: Write, values: Mapping[str, Any]) -> Changed:
    """Add a customer from the values of createCustomer's input, by their snake_case names."""
    mistakes = Mistakes()
    new = NewCustomer.checked(values, mistakes)
    location_id = await _location_id(write, new.location_slug, mistakes)
    tag_ids = await _tag_ids(write, new.tag_slugs, mistakes)
    await _refuse_taken(write, new, mistakes)
    mistakes.refuse_if_any()
    now = timestamps.now()
    columns = {
        **new.columns,
        **rules.derived(new.columns),
        "uuid": uuid4(),
        "location_id": location_id,
        "signed_up_at": new.columns["signed_up_at"] or now,
        "created_at": now,
        "updated_at": now,
        "has_clicked": False,
        "has_charges": False,
    }
    customer_id = await customers.add(write, columns)
    await customers.replace_tags(write, customer_id, tag_ids)
    return Changed(customer_id)


@_needs(Scope.DELETE)
async def delete(write: Write, ref: CustomerRef) -> Changed:
    """Delete a customer permanently; its reviews stay, without a customer."""
    customer = await _locked(write, ref)
    await customers.remove(write, customer.id)
    return Changed(customer.id)


@_needs(Scope.WRITE)
async def archive(write: Write, ref: CustomerRef) -> Changed:
    """Hide a customer from lists, and cancel its unsent messages.

    A second time keeps the first timestamp, and cancels the messages that were scheduled since.
    """
    return await _stamp_and_cancel(write, ref, "archived_at")


@_needs(Scope.WRITE)
async def unarchive(write: Write, ref: CustomerRef) -> Changed:
    """Bring a customer back; canceled messages stay canceled."""
    return await _set(write, await _locked(write, ref), "archived_at", None)


@_needs(Scope.WRITE)
async def unsubscribe(write: Write, ref: CustomerRef) -> Changed:
    """Stop all outreach to a customer. A second time does the same as with `archive`."""
    return await _stamp_and_cancel(write, ref, "unsubscribed_at")


@_needs(Scope.WRITE)
async def resubscribe(write: Write, ref: CustomerRef) -> Changed:
    """Let outreach to a customer resume."""
    return await _set(write, await _locked(write, ref), "unsubscribed_at", None)


@_needs(Scope.WRITE)
async def cancel_unsent_messages(write: Write, ref: CustomerRef) -> Changed:
    """Cancel every unsent message of a customer, and touch nothing else."""
    customer = await _locked(write, ref)
    return Changed(customer.id, await history.cancel_unsent(write, customer.id, timestamps.now()))


@_needs(Scope.WRITE)
async def update_notes(write: Write, ref: CustomerRef, notes: str | None) -> Changed:
    """Replace a customer's notes; None or a blank text clears them."""
    mistakes = Mistakes()
    new_notes = mistakes.check(("notes",), rules.notes, notes)
    customer = await _customer(write, ref, mistakes)
    mistakes.refuse_if_any()
    return await _set(write, customer, "notes", new_notes)


@_needs(Scope.WRITE)
async def update_tags(write: Write, ref: CustomerRef, slugs: Sequence[str]) -> Changed:
    """Replace a customer's tags with those of the slugs."""
    mistakes = Mistakes()
    fields = rules.tag_slugs(slugs, ("tagSlugs",), mistakes)
    tag_ids = await _tag_ids(write, fields, mistakes)
    customer = await _customer(write, ref, mistakes)
    mistakes.refuse_if_any()
    if await customers.replace_tags(write, customer.id, tag_ids):
        await customers.change(write, customer.id, timestamps.now())
    return Changed(customer.id)


async def _stamp_and_cancel(write: Write, ref: CustomerRef, column: str) -> Changed:
    # The lock comes first: of two acts on one customer at the same time, the second sees
    # what the first changed.
    customer = await _locked(write, ref)
    now = timestamps.now()
    canceled = await history.cancel_unsent(write, customer.id, now)
    if getattr(customer, column) is None:
        await customers.change(write, customer.id, now, **{column: now})
    return Changed(customer.id, canceled)


async def _set(write: Write, customer: Any, column: str, value: Any) -> Changed:
    if getattr(customer, column) != value:
        await customers.change(write, customer.id, timestamps.now(), **{column: value})
    return Changed(customer.id)


async def _locked(write: Write, ref: CustomerRef) -> Any:
    mistakes = Mistakes()
    customer = await _customer(write, ref, mistakes)
    mistakes.refuse_if_any()
    return customer


async def _customer(write: Write, ref: CustomerRef, mistakes: Mistakes) -> Any:
    customer = await customers.locked(write, ref)
    if customer is None:
        mistakes.add(("id",), UserErrorCode.NOT_FOUND, "names no customer of this project")
    return customer


async def _location_id(write: Write, slug: str | None, mistakes: Mistakes) -> int | None:
    if slug is None:
        return None
    ids = await catalog.location_ids(write, [slug])
    if slug not in ids:
        mistakes.add(("input", "locationSlug"), UserErrorCode.NOT_FOUND, "names no location of this project")
    return ids.get(slug)


async def _tag_ids(write: Write, fields: Mapping[str, tuple[str, ...]], mistakes: Mistakes) -> list[int]:
    """Return the ids of the tags with these slugs; a mistake names the slug's field in the input."""
    if not fields:
        return []
    ids = await catalog.tag_ids(write, fields)
    for slug, field in fields.items():
        if slug not in ids:
            mistakes.add(field, UserErrorCode.NOT_FOUND, "names no tag of this project")
    return list(ids.values())


async def _refuse_taken(write: Write, new: NewCustomer, mistakes: Mistakes) -> None:
    email = new.columns["email"]
    for contact, key in (("email", email and mailbox(email)), ("phone", new.columns["phone"])):
        if key is not None and await customers.is_taken(write, contact, key):
            mistakes.add(("input", contact), UserErrorCode.TAKEN, "belongs to another customer already")
