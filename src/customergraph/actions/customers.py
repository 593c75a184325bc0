"""The lifecycle of a customer (contract, section 5): for each act its scope, its rule, then the store.

Each act declares the scope that it needs, and nothing else does. The act requires it, and the schema requires the
scopes of all acts of an operation before the first one begins.

Every act except `create` takes a reference to its customer: an id, a uuid, or None for a text that is neither.
It raises InputRefused with NOT_FOUND when the project does not have the customer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from customergraph.actions.act import CustomerRef, needs
from customergraph.domain import customer as rules
from customergraph.domain import timestamps
from customergraph.domain.entry import Entry
from customergraph.domain.mistakes import Mistakes
from customergraph.domain.owner import UNKNOWN_CUSTOMER
from customergraph.domain.principal import Scope
from customergraph.errors import UserErrorCode
from customergraph.saving.customers import Customers, SavedCustomer
from customergraph.saving.kinds import CUSTOMERS
from customergraph.saving.references import References
from customergraph.store import customers, history
from customergraph.store.transactions import Write


@dataclass(frozen=True, slots=True)
class Changed:
    """The customer that an act changed, by its id or its uuid, and how many of its messages the act canceled."""

    customer: int | UUID
    canceled_messages: int = 0


@dataclass(frozen=True, slots=True)
class Deleted:
    """The customer that an act deleted."""

    customer_id: int


@needs(Scope.WRITE)
async def create(write: Write, values: Mapping[str, Any]) -> Changed:
    """Add a customer from the values of createCustomer's input, by their snake_case names."""
    mistakes = Mistakes()
    entry = rules.RULES.entry(("input",), values, mistakes)
    batch = await Customers.read(write, CUSTOMERS, [entry])
    customer = batch.put(None, mistakes)
    return Changed(await _written(write, batch, customer, mistakes))


@needs(Scope.WRITE)
async def update(write: Write, ref: CustomerRef, values: Mapping[str, Any]) -> Changed:
    """Change a customer's values, by their snake_case names; None clears one, and an absent one is kept."""
    mistakes = Mistakes()
    entry = rules.RULES.entry(("input",), values, mistakes)
    batch = await Customers.read(write, CUSTOMERS, [entry], ref)
    customer = batch.with_identity(ref)
    if customer is None:
        mistakes.add(("id",), UserErrorCode.NOT_FOUND, UNKNOWN_CUSTOMER)
    # What else is wrong with the input is told beside an unknown customer.
    customer = batch.put(customer or SavedCustomer(uuid4()), mistakes)
    return Changed(await _written(write, batch, customer, mistakes))


@needs(Scope.DELETE)
async def delete(write: Write, ref: CustomerRef) -> Deleted:
    """Delete a customer permanently; its reviews stay, without a customer."""
    customer = await _locked(write, ref)
    await customers.remove(write, customer)
    return Deleted(customer.id)


@needs(Scope.WRITE)
async def archive(write: Write, ref: CustomerRef) -> Changed:
    """Hide a customer from lists, and cancel its unsent messages.

    A second time keeps the first timestamp, and cancels the messages that were scheduled since.
    """
    return await _stamp_and_cancel(write, ref, "archived_at")


@needs(Scope.WRITE)
async def unarchive(write: Write, ref: CustomerRef) -> Changed:
    """Bring a customer back; canceled messages stay canceled."""
    return await _set(write, await _locked(write, ref), "archived_at", None)


@needs(Scope.WRITE)
async def unsubscribe(write: Write, ref: CustomerRef) -> Changed:
    """Stop all outreach to a customer. A second time does the same as with `archive`."""
    return await _stamp_and_cancel(write, ref, "unsubscribed_at")


@needs(Scope.WRITE)
async def resubscribe(write: Write, ref: CustomerRef) -> Changed:
    """Let outreach to a customer resume."""
    return await _set(write, await _locked(write, ref), "unsubscribed_at", None)


@needs(Scope.WRITE)
async def cancel_unsent_messages(write: Write, ref: CustomerRef) -> Changed:
    """Cancel every unsent message of a customer, and touch nothing else."""
    customer = await _locked(write, ref)
    return Changed(customer.id, await history.cancel_unsent(write, customer.id, timestamps.now()))


@needs(Scope.WRITE)
async def update_notes(write: Write, ref: CustomerRef, notes: str | None) -> Changed:
    """Replace a customer's notes; None or a blank text clears them."""
    mistakes = Mistakes()
    new_notes = mistakes.check(("notes",), rules.notes, notes)
    customer = await _customer(write, ref, mistakes)
    mistakes.refuse_if_any()
    return await _set(write, customer, "notes", new_notes)


@needs(Scope.WRITE)
async def update_tags(write: Write, ref: CustomerRef, slugs: Sequence[str]) -> Changed:
    """Replace a customer's tags with those of the slugs."""
    mistakes = Mistakes()
    fields = rules.tag_slugs(slugs, ("tag_slugs",), mistakes)
    tag_ids = await _tag_ids(write, fields, mistakes)
    customer = await _customer(write, ref, mistakes)
    mistakes.refuse_if_any()
    if await customers.replace_tags(write, customer.id, tag_ids):
        await customers.change(write, customer, timestamps.now())
    return Changed(customer.id)


async def _written(write: Write, batch: Customers, customer: SavedCustomer | None, mistakes: Mistakes) -> UUID:
    mistakes.refuse_if_any()
    assert customer is not None, "an entry without mistakes has its customer"  # noqa: S101
    await batch.write(write, timestamps.now())
    return customer.uuid


async def _stamp_and_cancel(write: Write, ref: CustomerRef, column: str) -> Changed:
    # The lock comes first: of two acts on one customer at the same time, the second sees
    # what the first changed.
    customer = await _locked(write, ref)
    now = timestamps.now()
    canceled = await history.cancel_unsent(write, customer.id, now)
    if getattr(customer, column) is None:
        await customers.change(write, customer, now, **{column: now})
    return Changed(customer.id, canceled)


async def _set(write: Write, customer: Any, column: str, value: Any) -> Changed:
    if getattr(customer, column) != value:
        await customers.change(write, customer, timestamps.now(), **{column: value})
    return Changed(customer.id)


async def _locked(write: Write, ref: CustomerRef) -> Any:
    mistakes = Mistakes()
    customer = await _customer(write, ref, mistakes)
    mistakes.refuse_if_any()
    return customer


async def _customer(write: Write, ref: CustomerRef, mistakes: Mistakes) -> Any:
    customer = await customers.locked(write, ref)
    if customer is None:
        mistakes.add(("id",), UserErrorCode.NOT_FOUND, UNKNOWN_CUSTOMER)
    return customer


async def _tag_ids(write: Write, places: Mapping[str, str], mistakes: Mistakes) -> list[int]:
    """Return the ids of the tags with these slugs."""
    entry = Entry((), {"tag_slugs": places})
    references = await References.read(write, [entry])
    references.refuse_unknown(entry, mistakes)
    return [references.tags[slug] for slug in places if slug in references.tags]
