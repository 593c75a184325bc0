"""The import of one file: rows are read, checked, and written in batches, each whole or not at all."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, BinaryIO

from customergraph.errors import CommandRefused
from customergraph.importing.checking import Batch, Checking
from customergraph.importing.files import Content, Format
from customergraph.importing.kind import ImportKind
from customergraph.importing.mapping import NamedMapping
from customergraph.importing.reading import Meaning, Reading
from customergraph.importing.rejects import Rejects
from customergraph.importing.replay import Replay
from customergraph.importing.rows import Reject, Saved
from customergraph.importing.summary import Summary
from customergraph.importing.tags import with_tags
from customergraph.importing.unknown import named, unknown
from customergraph.store import access
from customergraph.store.database import ATTEMPTS, Database
from customergraph.store.failures import LostRace
from customergraph.store.transactions import Write


@dataclass(frozen=True, slots=True)
class Source:
    """An open file to import, what is known of it, the kind of its rows, and the project that gets them."""

    file: BinaryIO
    format: Format
    kind: ImportKind
    project_slug: str
    encoding: str | None = None
    mapping: NamedMapping | None = None
    meaning: Meaning = Meaning()  # noqa: RUF009 - frozen


@dataclass(frozen=True, slots=True)
class Manner:
    """How rows are imported.

    `strict`: nothing where a row is bad. `dry`: nothing, and all is checked. `blank_clears`: a blank cell clears the
    stored value. `create_tags`: tags that are not known are made from their names.
    """

    strict: bool = False
    dry: bool = False
    blank_clears: bool = False
    create_tags: bool = False


@dataclass(slots=True)
class Progress:
    """An import that goes on: whom it tells of bytes that it has read and of what to know, and what is in the store."""

    advance: Callable[[int], None]
    warn: Callable[[str], None]
    summary: Summary = field(default_factory=Summary)


class _RolledBack(Exception):
    """Rolls back a dry import, and a strict one with rejects."""

    def __init__(self, summary: Summary) -> None:
        super().__init__()
        self.summary = summary


async def run(
    database: Database,
    source: Source,
    rejects: Rejects,
    progress: Progress,
    manner: Manner = Manner(),
) -> Summary:
    """Import a file.

    A bad row goes to the rejects, and the import continues; a strict import changes nothing where a row is bad.
    Raises CommandRefused before a row is read where the rejects would replace another file, for a file that is
    not of its format or kind, and where other writers changed the same rows at each attempt.
    """
    with rejects, Replay(source.file) as file:
        project = await access.project_of_slug(database, source.project_slug)
        import_ = _Import(database, project, source, file, rejects, progress, manner)
        await import_.tell_unknown()
        at_once = manner.strict or manner.dry
        try:
            return await (import_.at_once() if at_once else import_.in_batches())
        except LostRace:
            state = "nothing was imported" if at_once else "what was imported before stays"
            raise CommandRefused(
                f"others changed the same rows at each of {ATTEMPTS} attempts: {state}; import the file again"
            ) from None


@dataclass(frozen=True, slots=True)
class _Import:
    database: Database
    project: Any
    source: Source
    file: Replay
    rejects: Rejects
    progress: Progress
    manner: Manner

    async def tell_unknown(self) -> None:
        """Tell the tags and locations that the project lacks."""
        names = named(self._checking(), self._content(), self.source.kind, self._reading())
        self.file.rewind()
        if self.manner.create_tags:
            names = {column: found for column, found in names.items() if column != "tags"}
        async with self.database.read(self.project.id) as read:
            if line := await unknown(read, names):
                self.progress.warn(line)

    async def in_batches(self) -> Summary:
        """Import each batch in a transaction of its own."""
        self.file.keep_no_more()
        summary, checking = self.progress.summary, self._checking()
        for batch in checking.batches(self._content(), self.progress.advance):
            saved = await self.database.change(self.project.id, partial(self._save, batch))
            self._count(saved, batch, checking, summary)
        return summary

    async def at_once(self) -> Summary:
        """Import the whole file in one transaction, which begins again at the file's start when it loses a race."""

        async def attempt(write: Write) -> Summary:
            self.file.rewind()
            self.rejects.begin()
            summary, checking = Summary(), self._checking()
            for batch in checking.batches(self._content(), self.progress.advance):
                self._count(await self._save(batch, write), batch, checking, summary)
            if self.manner.dry or summary.rejected:
                raise _RolledBack(summary)
            return summary

        try:
            return await self.database.change(self.project.id, attempt)
        except _RolledBack as rolled_back:
            summary = rolled_back.summary
            return summary if self.manner.dry else replace(summary, added=0, changed=0, unchanged=0)

    def _checking(self) -> Checking:
        return Checking(self.source.kind, self._reading(), self.source.mapping)

    def _reading(self) -> Reading:
        return Reading.of(self.source.meaning, self.project.timezone, blank_clears=self.manner.blank_clears)

    def _content(self) -> Content:
        return Content(self.file, self.source.format, self.source.encoding)

    async def _save(self, batch: Batch, write: Write) -> Saved:
        await access.refuse_deleted(write, self.source.project_slug)
        kind, rows = self.source.kind, batch.rows
        if self.manner.create_tags:
            rows = await with_tags(write, rows)
        return await kind.save(write, kind, rows) if rows else Saved()

    def _count(self, saved: Saved, batch: Batch, checking: Checking, summary: Summary) -> None:
        rejects = sorted(
            [*batch.rejects, *(self._in_own_name(reject, batch, checking) for reject in saved.rejects)],
            key=lambda reject: reject.line,
        )
        summary.add(saved, rejects)
        summary.left_out += batch.left_out
        summary.doubles += batch.doubles
        for row in batch.rows[:3]:
            summary.show(row)
        if layout := checking.layouts.last:
            summary.unread, summary.absent = layout.unread, layout.absent
        self.rejects.write(rejects, batch.records)

    @staticmethod
    def _in_own_name(reject: Reject, batch: Batch, checking: Checking) -> Reject:
        layout = checking.layouts.of(batch.records[reject.line].names)
        return replace(reject, column=layout.own_name(reject.column))
