"""The import of one file: read, check, and write in batches, each whole or not at all."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from customergraph.errors import CommandRefused
from customergraph.importing import catalog as import_catalog
from customergraph.importing import customers as import_customers
from customergraph.importing import history as import_history
from customergraph.importing.batch import Batch, Saved
from customergraph.importing.files import Format, Record, Reject, records
from customergraph.importing.kinds import COLUMNS, Kind
from customergraph.importing.lines import LineReader
from customergraph.importing.rejects import Rejects
from customergraph.importing.replay import Replay
from customergraph.importing.rows import Row, checked
from customergraph.store import access, catalog
from customergraph.store.database import ATTEMPTS, Database
from customergraph.store.failures import LostRace
from customergraph.store.transactions import Write

ROWS_OF_A_BATCH = 5_000
# What the batch's rows may take in memory, roughly: reviews can be long.
CHARACTERS_OF_A_BATCH = 8_000_000
# A rejected row of more lines may be many rows, between two quotes that nobody meant.
USUAL_LINES = 100


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
    before a row is read where the rejects would replace another file, and when other writers came
    between time and again.
    """
    with rejects:
        return await _imported(database, source, rejects, read, strict=strict)


async def _imported(
    database: Database, source: Source, rejects: Rejects, read: Callable[[int], None], *, strict: bool
) -> Summary:
    project = await access.project_of_slug(database, source.project_slug)
    rejects.begin()
    write_all = _strictly if strict else _in_batches
    try:
        summary = await write_all(database, project, source, rejects, read)
    except LostRace:
        kept = "nothing was imported" if strict else "what was imported before stays"
        raise CommandRefused(
            f"others changed the same rows at each of {ATTEMPTS} attempts: {kept}; import the file again"
        ) from None
    summary.rejected = rejects.rows
    return summary


async def _in_batches(
    database: Database, project: Any, source: Source, rejects: Rejects, read: Callable[[int], None]
) -> Summary:
    summary = Summary()
    for batch in _batches(source, source.file, project, read):
        saved = await database.change(project.id, partial(_save, kind=source.kind, rows=batch.good))
        _note(saved, batch, rejects, summary)
    return summary


async def _strictly(
    database: Database, project: Any, source: Source, rejects: Rejects, read: Callable[[int], None]
) -> Summary:
    """Import the whole file in one transaction, which begins again at the file's start when it loses a race."""
    with Replay(source.file) as file:

        async def attempt(write: Write) -> Summary:
            file.rewind()
            rejects.begin()
            return await _all(write, source.kind, _batches(source, file, project, read), rejects)

        try:
            return await database.change(project.id, attempt)
        except _NotStrict:
            return Summary()


@dataclass(frozen=True, slots=True)
class _Checked:
    """The next rows of a file: those that can be imported, and why others cannot."""

    good: list[Row]
    bad: list[Reject]


def _batches(source: Source, file: LineReader, project: Any, read: Callable[[int], None]) -> Iterator[_Checked]:
    zone = ZoneInfo(project.timezone)
    batch = _Checked([], [])
    count = characters = 0
    for record in records(file, source.format, COLUMNS[source.kind], read):
        outcome = [record] if isinstance(record, Reject) else _check(record, source.kind, zone)
        if isinstance(outcome, Row):
            batch.good.append(outcome)
        else:
            batch.bad.extend(outcome)
        count += 1
        characters += 0 if isinstance(record, Reject) else sum(map(len, record.cells.values()))
        if count == ROWS_OF_A_BATCH or characters >= CHARACTERS_OF_A_BATCH:
            yield batch
            batch, count, characters = _Checked([], []), 0, 0
    if count:
        yield batch


def _check(record: Record, kind: Kind, zone: ZoneInfo) -> Row | list[Reject]:
    outcome = checked(record, COLUMNS[kind], zone)
    if isinstance(outcome, Row) or record.lines <= USUAL_LINES:
        return outcome
    last = record.line + record.lines - 1
    hint = f"; the row goes on to line {last:,}: a quote may be missing"
    return [replace(reject, reason=reject.reason + hint) for reject in outcome]


async def _all(write: Write, kind: Kind, batches: Iterator[_Checked], rejects: Rejects) -> Summary:
    summary = Summary()
    for batch in batches:
        _note(await _save(write, kind, batch.good), batch, rejects, summary)
    if rejects.rows:
        raise _NotStrict
    return summary


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
