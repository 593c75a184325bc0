"""The tags and locations that a file names and the project lacks, told before the import begins."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from customergraph.errors import ValueRefused
from customergraph.importing.checking import Checking
from customergraph.importing.files import Content, Format
from customergraph.importing.kind import ImportKind
from customergraph.importing.reading import Reading
from customergraph.importing.rows import Reject
from customergraph.store import catalog
from customergraph.store.transactions import Transaction

# So many names are looked up at most, and so many told.
_MAX_NAMES = 10_000
_MAX_TOLD = 50

Names = Mapping[str, dict[str, None]]


def named(checking: Checking, content: Content, kind: ImportKind, reading: Reading) -> Names:
    """Return the tags and the locations that the rows of a file name; reads on only where it has such columns."""
    names: Names = {column: {} for column in ("location", "tags") if column in kind.rules}
    for cells in _cells(checking, content) if names else ():
        for column, found in names.items():
            if (cell := cells.get(column)) and len(found) < _MAX_NAMES:
                found.update(dict.fromkeys(_names(kind, column, cell, reading)))
    return names


def _cells(checking: Checking, content: Content) -> Iterator[Mapping[str, str]]:
    layouts = checking.layouts
    has_header = content.format in {Format.CSV, Format.XLSX}
    for record in content.records(layouts, lambda _count: None):
        if isinstance(record, Reject):
            continue
        if has_header and not layouts.of(record.names).columns & {"location", "tags"}:
            return
        yield from layouts.of(record.names).rows(record)


def _names(kind: ImportKind, column: str, cell: str, reading: Reading) -> Iterable[str]:
    try:
        value = kind.rules[column](cell, reading)
    except ValueRefused:
        return ()
    return (value,) if isinstance(value, str) else value


async def unknown(transaction: Transaction, names: Names) -> str | None:
    """Return a line that names those that the project lacks; None where it has all."""
    known = {"location": catalog.location_ids, "tags": catalog.tag_ids}
    parts = []
    for column, found in names.items():
        slugs = await known[column](transaction, found) if found else {}
        if lacking := [name for name in found if name not in slugs]:
            parts.append(f"{'locations' if column == 'location' else column} {_listed(lacking)}")
    return f"the project has no {', and no '.join(parts)}: rows that name them are rejected" if parts else None


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MAX_TOLD:,} more" if len(names) > _MAX_TOLD else ""
    return ", ".join(map(repr, islice(names, _MAX_TOLD))) + more
