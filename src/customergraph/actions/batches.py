"""Acts on many entities, all or none: those that are unknown are added, and the others changed (contract, section 9).

The same call again changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from customergraph.actions.act import needs
from customergraph.domain import timestamps
from customergraph.domain.contact import mailbox
from customergraph.domain.customer import CustomerKey
from customergraph.domain.entry import Entry, EntryRules, refuse_repeated
from customergraph.domain.message import refuse_claims
from customergraph.domain.mistakes import Mistakes
from customergraph.domain.principal import Scope
from customergraph.errors import UserErrorCode
from customergraph.saving.customers import Customers
from customergraph.saving.history import Judge, Records
from customergraph.saving.kinds import CHARGES, CUSTOMERS, MESSAGES, REVIEWS, SavedKind
from customergraph.store.transactions import Write

MAX_ITEMS = 100

# The values of an item of the input, by their snake_case names.
Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Saved:
    """What an act added or changed, in the order of its input."""

    uuids: Sequence[UUID]


class _Batch(Protocol):
    async def write(self, write: Write, now: Any) -> set[UUID]: ...


class _Row(Protocol):
    uuid: UUID


@needs(Scope.WRITE)
async def upsert_customers(write: Write, items: Sequence[Item], by: CustomerKey) -> Saved:
    """Add the customers whose key is unknown, and change the others."""
    mistakes = Mistakes()
    entries = _entries(CUSTOMERS.rules, items, mistakes)
    key = by.lower()
    refuse_repeated(entries, key, mailbox if by is CustomerKey.EMAIL else lambda value: value, mistakes)
    batch = await Customers.read(write, CUSTOMERS, entries)
    return await _written(write, batch, batch.put_all((key,), mistakes), mistakes)


@needs(Scope.WRITE)
async def record_messages(write: Write, items: Sequence[Item]) -> Saved:
    """Add the messages whose uuid is unknown, and change the others; nothing is canceled or scheduled."""
    return await _recorded(write, MESSAGES, items, refuse_claims)


@needs(Scope.WRITE)
async def record_reviews(write: Write, items: Sequence[Item]) -> Saved:
    """Add the reviews whose uuid is unknown, and change the others."""
    return await _recorded(write, REVIEWS, items)


@needs(Scope.WRITE)
async def record_charges(write: Write, items: Sequence[Item]) -> Saved:
    """Add the charges whose uuid is unknown, and change the others."""
    return await _recorded(write, CHARGES, items)


async def _recorded(write: Write, kind: SavedKind, items: Sequence[Item], judge: Judge | None = None) -> Saved:
    mistakes = Mistakes()
    entries = _entries(kind.rules, items, mistakes)
    refuse_repeated(entries, "uuid", lambda value: value, mistakes)
    batch = await Records.read(write, kind, entries)
    return await _written(write, batch, batch.put_all(mistakes, judge=judge), mistakes)


def _entries(rules: EntryRules, items: Sequence[Item], mistakes: Mistakes) -> list[Entry]:
    """Check items; raises InputRefused at once for too many."""
    if len(items) > MAX_ITEMS:
        reason = f"must have at most {MAX_ITEMS} items, and has {len(items)}"
        mistakes.add(("input",), UserErrorCode.TOO_MANY, reason)
        mistakes.refuse_if_any()
    return [rules.entry(("input", str(place)), item, mistakes) for place, item in enumerate(items)]


async def _written(write: Write, batch: _Batch, rows: Sequence[_Row | None], mistakes: Mistakes) -> Saved:
    mistakes.refuse_if_any()
    await batch.write(write, timestamps.now())
    return Saved([row.uuid for row in rows if row is not None])
