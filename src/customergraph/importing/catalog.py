"""Importing locations and tags."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from customergraph.domain.text import fold
from customergraph.importing.batch import Saved
from customergraph.importing.kinds import COLUMNS, Kind
from customergraph.importing.rows import Row
from customergraph.store import bulk
from customergraph.store.transactions import Write

_TABLES = {Kind.LOCATIONS: "location", Kind.TAGS: "tag"}


async def save(write: Write, rows: Sequence[Row], kind: Kind) -> Saved:
    """Add the rows whose slug is new, and change those whose slug is known."""
    table = _TABLES[kind]
    stored = {row.slug: row for row in await bulk.known(write, table, "slug", {r.values["slug"] for r in rows})}
    merged: dict[str, dict[str, Any]] = {}
    for row in rows:
        merged.setdefault(row.values["slug"], {}).update(row.values)
    for columns in merged.values():
        columns["name_key"] = fold(columns["name"])
    new = [
        {**dict.fromkeys(COLUMNS[kind].rules), **columns, "uuid": uuid4()}
        for slug, columns in merged.items()
        if slug not in stored
    ]
    await bulk.add(write, table, new)
    await bulk.change(write, table, [(row.id, merged[slug]) for slug, row in stored.items()])
    return Saved(added=len(new), changed=len(rows) - len(new))
