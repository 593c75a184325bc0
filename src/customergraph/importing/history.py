"""Importing messages, reviews and charges."""

from collections.abc import Sequence

from customergraph.domain import timestamps
from customergraph.domain.entry import Entry
from customergraph.domain.mistakes import Mistakes
from customergraph.importing.kind import ImportKind
from customergraph.importing.rows import Saved
from customergraph.saving.history import Records
from customergraph.store.transactions import Write


async def save(write: Write, kind: ImportKind, entries: Sequence[Entry]) -> Saved:
    """Add the rows that are new, and change those whose uuid is stored."""
    mistakes = Mistakes()
    records = await Records.read(write, kind.saved, entries)
    of_entries = records.put_rows(kind.on_known, mistakes, without_customer=kind.without_customer)
    changed = await records.write(write, timestamps.now())
    saved = [record for record in of_entries if record is not None]
    new = {record.uuid for record in saved if record.stored is None}
    return kind.outcome(new, changed, [record.uuid for record in saved], mistakes)
