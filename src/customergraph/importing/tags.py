"""Tags that an import makes from the names that rows have."""

from collections.abc import Sequence
from dataclasses import replace

from customergraph.domain import text, timestamps
from customergraph.domain.entry import Entry
from customergraph.saving.kinds import TAGS
from customergraph.store import bulk, catalog
from customergraph.store.transactions import Write


async def with_tags(write: Write, entries: Sequence[Entry]) -> list[Entry]:
    """Add the tags that entries name and the project lacks; returns the entries with the slugs of their tags.

    A name is that of the tag with this slug, else of the tag with the slug that is made of it.
    """
    names = dict.fromkeys(name for entry in entries for name in entry.values.get("tag_slugs") or ())
    known = await catalog.tag_ids(write, {*names, *map(text.slug_of, names)}) if names else {}
    slugs = {name: name if name in known else text.slug_of(name) for name in names}
    new = {slug: name for name, slug in reversed(slugs.items()) if slug not in known}
    now = timestamps.now()
    rows = [TAGS.new_row({"slug": slug, "name": name, "name_key": text.fold(name)}, now) for slug, name in new.items()]
    await bulk.add(write, TAGS.table, rows[::-1])
    return [_with_slugs(entry, slugs) for entry in entries]


def _with_slugs(entry: Entry, slugs: dict[str, str]) -> Entry:
    names = entry.values.get("tag_slugs")
    if not names:
        return entry
    return replace(entry, values={**entry.values, "tag_slugs": {slugs[name]: place for name, place in names.items()}})
