"""The import of one file: rows are read, checked, and written in batches, each whole or not at all."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from customergraph.domain.entry import Entry
from customergraph.errors import CommandRefused
from customergraph.importing.files import Format, records
from customergraph.importing.kind import ImportKind
from customergraph.importing.lines import LineReader
from customergraph.importing.rejects import Rejects
from customergraph.importing.replay import Replay
from customergraph.importing.rows import Record, Reject, Saved
from customergraph.store import access
from customergraph.store.database import ATTEMPTS, Database
from customergraph.store.failures import LostRace
from customergraph.store.transactions import Write

BATCH_ROWS = 5_000
# Reviews can be long: this bounds the memory that the rows of a batch take.
BATCH_CHARACTERS = 8_000_000
# A rejected row of more lines may be many rows between two stray quotes.
USUAL_LINES = 100


@dataclass(frozen=True, slots=True)
class Source:
    """An open file to import, its format, the kind of its rows, and the project that gets them."""

    file: BinaryIO
    format: Format
    kind: ImportKind
    project_slug: str


@dataclass(slots=True)
class Summary:
    """How many rows an import added, changed and rejected."""

    added: int = 0
    changed: int = 0
    rejected: int = 0

    @property
    def rows(self) -> int:
        return self.added + self.changed + self.rejected


class _HasRejects(Exception):
    """Rolls back a strict import."""


async def run(
    database: Database, source: Source, rejects: Rejects, advance: Callable[[int], None], *, strict: bool
) -> Summary:
    """Import a file; `advance` is called with the number of bytes of each piece of it that was read.

    A bad row goes to the rejects, and the import continues; a strict import changes nothing where a row is bad.
    Raises CommandRefused before a row is read where the rejects would replace another file, for a file that is
    not of its format or kind, and where other writers changed the same rows at each attempt.
    """
    with rejects:
        project = await access.project_of_slug(database, source.project_slug)
        import_ = _Import(database, project, source, rejects, advance)
        try:
            summary = await (import_.strictly() if strict else import_.in_batches())
        except LostRace:
            state = "nothing was imported" if strict else "what was imported before stays"
            raise CommandRefused(
                f"others changed the same rows at each of {ATTEMPTS} attempts: {state}; import the file again"
            ) from None
        summary.rejected = rejects.rows
        return summary


@dataclass(frozen=True, slots=True)
class _Batch:
    """The next rows of a file that can be imported, and the rejects among them."""

    rows: list[Entry] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Import:
    database: Database
    project: Any
    source: Source
    rejects: Rejects
    advance: Callable[[int], None]

    async def in_batches(self) -> Summary:
        """Import each batch in a transaction of its own."""
        summary = Summary()
        for batch in self._batches(self.source.file):
            saved = await self.database.change(self.project.id, partial(self._save, batch))
            self._count(saved, batch, summary)
        return summary

    async def strictly(self) -> Summary:
        """Import the whole file in one transaction, which begins again at the file's start when it loses a race."""
        with Replay(self.source.file) as file:

            async def attempt(write: Write) -> Summary:
                file.rewind()
                self.rejects.begin()
                summary = Summary()
                for batch in self._batches(file):
                    self._count(await self._save(batch, write), batch, summary)
                if self.rejects.rows:
                    raise _HasRejects
                return summary

            try:
                return await self.database.change(self.project.id, attempt)
            except _HasRejects:
                return Summary()

    def _batches(self, file: LineReader) -> Iterator[_Batch]:
        zone = ZoneInfo(self.project.timezone)
        batch = _Batch()
        count = characters = 0
        for record in records(file, self.source.format, self.source.kind, self.advance):
            result = [record] if isinstance(record, Reject) else _check(record, self.source.kind, zone)
            if isinstance(result, Entry):
                batch.rows.append(result)
            else:
                batch.rejects.extend(result)
            count += 1
            characters += 0 if isinstance(record, Reject) else sum(map(len, record.cells.values()))
            if count == BATCH_ROWS or characters >= BATCH_CHARACTERS:
                yield batch
                batch, count, characters = _Batch(), 0, 0
        if count:
            yield batch

    async def _save(self, batch: _Batch, write: Write) -> Saved:
        await access.refuse_deleted(write, self.source.project_slug)
        kind = self.source.kind
        return await kind.save(write, kind, batch.rows) if batch.rows else Saved()

    def _count(self, saved: Saved, batch: _Batch, summary: Summary) -> None:
        summary.added += saved.added
        summary.changed += saved.changed
        self.rejects.write(sorted([*batch.rejects, *saved.rejects], key=lambda reject: reject.line))


def _check(record: Record, kind: ImportKind, zone: ZoneInfo) -> Entry | list[Reject]:
    result = kind.check(record, zone)
    if isinstance(result, Entry) or record.lines <= USUAL_LINES:
        return result
    last = record.line + record.lines - 1
    hint = f"; the row goes on to line {last:,}: a quote may be missing"
    return [replace(reject, reason=reject.reason + hint) for reject in result]
