"""Importing locations and tags."""

from collections.abc import Mapping, Sequence
from typing import Any

from customergraph.domain import timestamps
from customergraph.domain.entry import Entry
from customergraph.domain.mistakes import Mistakes
from customergraph.domain.text import fold
from customergraph.importing.kind import ImportKind
from customergraph.importing.rows import Saved
from customergraph.saving.changes import differences
from customergraph.saving.kinds import OnKnown
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
    changes = [(row, _changed(kind.on_known, row, by_slug[slug])) for slug, row in stored.items()]
    changes = [(row, columns) for row, columns in changes if columns]
    await bulk.change_rows(write, kind.saved.table, changes)
    slugs = [entry.values["slug"] for entry in entries]
    return kind.outcome(by_slug.keys() - stored.keys(), {row.slug for row, _ in changes}, slugs, Mistakes())


def _changed(on_known: OnKnown, row: Any, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a stored row that its entries change."""
    if on_known is OnKnown.SKIP:
        return {}
    if on_known is OnKnown.FILL:
        columns = {name: value for name, value in columns.items() if getattr(row, name) is None}
    return differences(row, columns)
