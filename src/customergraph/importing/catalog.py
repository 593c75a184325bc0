"""Importing locations and tags."""

from collections.abc import Sequence

from customergraph.domain.text import fold
from customergraph.importing.kind import ImportKind
from customergraph.importing.rows import CheckedRow, Saved
from customergraph.importing.upsert import Upsert
from customergraph.store import bulk
from customergraph.store.transactions import Write


async def save(write: Write, kind: ImportKind, rows: Sequence[CheckedRow]) -> Saved:
    """Add the rows whose slug is new, and change the stored ones."""
    slugs = {row.values["slug"] for row in rows}
    upsert = Upsert(kind, "slug", await bulk.known(write, kind.table, "slug", slugs))
    for row in rows:
        values = kind.values_to_store(row)
        upsert.put(values["slug"], {**values, "name_key": fold(values["name"])})
    await upsert.write(write)
    return upsert.saved
