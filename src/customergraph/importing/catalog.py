"""Importing locations and tags."""

from collections.abc import Sequence
from typing import Any

from customergraph.domain import timestamps
from customergraph.domain.entry import Entry
from customergraph.domain.mistakes import Mistakes
from customergraph.domain.text import fold
from customergraph.importing.kind import ImportKind
from customergraph.importing.rows import Saved
from customergraph.saving.changes import differences
from customergraph.store import bulk
from customergraph.store.transactions import Write


async def save(write: Write, kind: ImportKind, entries: Sequence[Entry]) -> Saved:
    """Add the rows whose slug is new, and change the stored ones; the later of two with one slug wins."""
    by_slug: dict[str, dict[str, Any]] = {}
    for entry in entries:
        by_slug.setdefault(entry.values["slug"], {}).update(entry.values)
    for columns in by_slug.values():
        columns["name_key"] = fold(columns["name"])
    stored = {row.slug: row for row in await bulk.known(write, kind.saved.table, "slug", by_slug, locked=True)}
    now = timestamps.now()
    new = [kind.saved.new_row(columns, now) for slug, columns in by_slug.items() if slug not in stored]
    await bulk.add(write, kind.saved.table, new)
    changes = [(row, differences(row, by_slug[slug])) for slug, row in stored.items()]
    await bulk.change_rows(write, kind.saved.table, [(row, columns) for row, columns in changes if columns])
    return kind.outcome(len(new), entries, Mistakes())
