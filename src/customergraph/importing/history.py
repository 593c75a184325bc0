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
    of_entries = records.put_all(mistakes, from_file=True)
    await records.write(write, timestamps.now())
    new = {record.uuid for record in of_entries if record is not None and record.stored is None}
    return kind.outcome(len(new), of_entries, mistakes)
