"""Importing customers."""

from collections.abc import Sequence

from customergraph.domain import timestamps
from customergraph.domain.entry import Entry
from customergraph.domain.mistakes import Mistakes
from customergraph.importing.kind import ImportKind
from customergraph.importing.rows import Saved
from customergraph.saving.customers import Customers
from customergraph.store.transactions import Write


async def save(write: Write, kind: ImportKind, entries: Sequence[Entry]) -> Saved:
    """Add the customers that are new, and change those that are stored: by uuid, else by email, else by phone."""
    mistakes = Mistakes()
    customers = await Customers.read(write, kind.saved, entries)
    of_entries = customers.put_rows(kind.on_known, mistakes)
    changed = await customers.write(write, timestamps.now())
    saved = [customer for customer in of_entries if customer is not None]
    new = {customer.uuid for customer in saved if customer.stored is None}
    return kind.outcome(new, changed, [customer.uuid for customer in saved], mistakes)
