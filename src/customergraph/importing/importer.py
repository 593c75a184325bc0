"""The import of one file: read, check, and write in batches, each whole or not at all."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import BinaryIO
from zoneinfo import ZoneInfo

from customergraph.importing import catalog as import_catalog
from customergraph.importing import customers as import_customers
from customergraph.importing import history as import_history
from customergraph.importing.batch import Batch, Saved
from customergraph.importing.files import Format, Record, Reject, records
from customergraph.importing.kinds import COLUMNS, Kind
from customergraph.importing.rejects import Rejects
from customergraph.importing.rows import Row, checked
from customergraph.store import access, catalog
from customergraph.store.database import Database, Write

ROWS_OF_A_BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Source:
    """What is imported: an open file, what its rows are, and into which project."""

    file: BinaryIO
    format: Format
    kind: Kind
    project_slug: str


@dataclass(slots=True)
class Summary:
    """What an import did."""

    added: int = 0
    changed: int = 0
    rejected: int = 0

    @property
    def rows(self) -> int:
        return self.added + self.changed + self.rejected


class _NotStrict(Exception):
    """Rolls a strict import back."""


async def run(
    database: Database, source: Source, rejects: Rejects, read: Callable[[int], None], *, strict: bool
) -> Summary:
    """Import a file; `read` is told of each piece of it how many bytes it has.

    A bad row goes to the rejects, and the rest goes on; when `strict`, a file with one
    changes nothing at all. Raises CommandRefused for a file that is not what it is said to be,
    and before a row is read where the rejects would replace another file.
    """
    with rejects:
        return await _imported(database, source, rejects, read, strict=strict)


async def _imported(
    database: Database, source: Source, rejects: Rejects, read: Callable[[int], None], *, strict: bool
) -> Summary:
    project = await access.project_of_slug(database, source.project_slug)
    rejects.begin()
    zone = ZoneInfo(project.timezone)
    batches = _batches(records(source.file, source.format, COLUMNS[source.kind], read), source.kind, zone)
    summary = Summary()
    if strict:
        try:
            async with database.write(project.id) as write:
                await _all(write, source.kind, batches, rejects, summary)
        except _NotStrict:
            summary = Summary()
    else:
        for batch in batches:
            saved = await database.change(project.id, partial(_save, kind=source.kind, rows=batch.good))
            _note(saved, batch, rejects, summary)
    summary.rejected = rejects.rows
    return summary


@dataclass(frozen=True, slots=True)
class _Checked:
    """The next rows of a file: those that can be imported, and why others cannot."""

    good: list[Row]
    bad: list[Reject]


def _batches(rows: Iterator[Record | Reject], kind: Kind, zone: ZoneInfo) -> Iterator[_Checked]:
    while taken := list(islice(rows, ROWS_OF_A_BATCH)):
        good: list[Row] = []
        bad: list[Reject] = []
        for record in taken:
            outcome = [record] if isinstance(record, Reject) else checked(record, COLUMNS[kind], zone)
            if isinstance(outcome, Row):
                good.append(outcome)
            else:
                bad.extend(outcome)
        yield _Checked(good, bad)


async def _all(write: Write, kind: Kind, batches: Iterator[_Checked], rejects: Rejects, summary: Summary) -> None:
    for batch in batches:
        _note(await _save(write, kind, batch.good), batch, rejects, summary)
    if rejects.rows:
        raise _NotStrict


def _note(saved: Saved, batch: _Checked, rejects: Rejects, summary: Summary) -> None:
    summary.added += saved.added
    summary.changed += saved.changed
    rejects.write(sorted([*batch.bad, *saved.rejects], key=lambda reject: reject.line))


async def _save(write: Write, kind: Kind, rows: list[Row]) -> Saved:
    if not rows:
        return Saved()
    if kind in {Kind.LOCATIONS, Kind.TAGS}:
        return await import_catalog.save(write, rows, kind)
    batch = Batch(
        {row.slug: row.id for row in await catalog.locations(write)},
        {row.slug: row.id for row in await catalog.tags(write)},
    )
    if kind is Kind.CUSTOMERS:
        return await import_customers.save(write, batch, rows)
    return await import_history.save(write, batch, rows, kind)
