"""The export of a project: a file for each kind of import, in its columns (contract, `sync.md`, section 10)."""

import csv
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO
from uuid import UUID

import orjson

from customergraph.domain import timestamps
from customergraph.domain.charge import CHARGES_BY_ID
from customergraph.domain.identity import Kind
from customergraph.domain.message import MESSAGES_BY_ID, MessageCriteria
from customergraph.domain.paging import Cursor, Ordering, Page
from customergraph.domain.review import REVIEWS_BY_ID, ReviewCriteria
from customergraph.importing import marks
from customergraph.importing.kinds import IMPORT_KINDS, ImportKindName
from customergraph.staging import Place
from customergraph.store import access, catalog, feed, reads
from customergraph.store.database import Database
from customergraph.store.entities import CUSTOMER, ENTITIES
from customergraph.store.snapshots import Read


class ExportFormat(StrEnum):
    """The format of the files."""

    NDJSON = "ndjson"
    CSV = "csv"


CURSOR_FILE = "cursor"
BATCH_ROWS = 5_000

# The lists that are read in batches, with their order and the criteria that all of their rows meet.
_LISTS: Mapping[ImportKindName, tuple[Kind, Ordering, Any]] = {
    ImportKindName.CUSTOMERS: (Kind.CUSTOMER, Ordering.by_id("customers"), None),
    ImportKindName.MESSAGES: (Kind.MESSAGE, MESSAGES_BY_ID, MessageCriteria()),
    ImportKindName.REVIEWS: (Kind.REVIEW, REVIEWS_BY_ID, ReviewCriteria()),
    ImportKindName.CHARGES: (Kind.CHARGE, CHARGES_BY_ID, None),
}
_OWNER_COLUMNS = frozenset({"email", "phone", "uuid"})
# A yes or no that `unsubscribed_at` says better.
_NOT_WRITTEN = "unsubscribed"


async def export(
    database: Database, slug: str, folder: Path, format_: ExportFormat, advance: Callable[[int], None]
) -> dict[str, int]:
    """Write a project into a folder; returns the number of rows of each file.

    All is read from one snapshot, and so is the feed's cursor, in a file of its own: the place from which a copy made
    of the files goes on. `advance` is called with the number of rows of each batch. The files get their names when all
    are complete. Raises UnknownProject, and CommandRefused for a folder that is not new or empty.
    """
    project = await access.project_of_slug(database, slug)
    with _Folder(folder) as files:
        async with database.read(project.id) as read:
            cursor = await feed.head(read)
            counts = await _Export(read, files, format_, advance).write_all()
        files.new(CURSOR_FILE).write(cursor.encoded())
        files.complete()
    return counts


@dataclass(slots=True)
class _Export:
    read: Read
    files: "_Folder"
    format: ExportFormat
    advance: Callable[[int], None]
    location_slugs: dict[int, str] = field(default_factory=dict)
    # Whether customers are without an email and a phone: then files name them by their uuid.
    has_uncontactable: bool = False

    async def write_all(self) -> dict[str, int]:
        """Write the files in the order in which they can be imported."""
        locations, tags = await catalog.locations(self.read), await catalog.tags(self.read)
        self.location_slugs = {row.id: row.slug for row in locations}
        counts: dict[str, int] = {
            ImportKindName.LOCATIONS: await self._write(ImportKindName.LOCATIONS, _once(locations)),
            ImportKindName.TAGS: await self._write(ImportKindName.TAGS, _once(tags)),
        }
        for name in _LISTS:
            counts[name] = await self._write(name, self._batches(name))
        return counts

    async def _write(self, name: ImportKindName, batches: AsyncIterator[Sequence[Mapping[str, Any]]]) -> int:
        file = self.files.new(f"{name}.{self.format}")
        columns = self._columns(name)
        write = _csv_writer(file, columns) if self.format is ExportFormat.CSV else partial(_write_ndjson, file)
        count = 0
        async for rows in batches:
            write([{column: _marked(column, row.get(column)) for column in columns} for row in rows])
            count += len(rows)
            self.advance(len(rows))
        return count

    def _columns(self, name: ImportKindName) -> list[str]:
        columns = [column for column in IMPORT_KINDS[name].rules if column != _NOT_WRITTEN]
        return columns if self.has_uncontactable else [column for column in columns if column != "customer_uuid"]

    async def _batches(self, name: ImportKindName) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
        kind, ordering, criteria = _LISTS[name]
        after: Cursor | None = None
        while True:
            page = Page(ordering, BATCH_ROWS, after=after)
            batch = reads.page_of_project([None], ENTITIES[kind], page, criteria, (), columns=None)
            (slice_,) = await self.read.values(batch, [None])
            if slice_.rows:
                yield await (self._customers if kind is Kind.CUSTOMER else self._history)(slice_.rows)
                after = Cursor(slice_.rows[-1].id, slice_.rows[-1].id)
            if not slice_.has_next_page:
                return

    async def _customers(self, rows: Sequence[Any]) -> list[dict[str, Any]]:
        ids = [row.id for row in rows]
        tags = await self.read.values(catalog.tags_of(ids), ids)
        self.has_uncontactable |= any(row.email is None and row.phone is None for row in rows)
        return [
            {**row._asdict(), **self._location(row), "tags": ",".join(tag.slug for tag in of_row) or None}
            for row, of_row in zip(rows, tags, strict=True)
        ]

    async def _history(self, rows: Sequence[Any]) -> list[dict[str, Any]]:
        ids = list({row.customer_id for row in rows} - {None})
        owners = await self.read.values(reads.by_ids(ids, CUSTOMER, columns=_OWNER_COLUMNS), ids)
        by_id = dict(zip(ids, owners, strict=True))
        return [{**row._asdict(), **self._location(row), **_owner(by_id.get(row.customer_id))} for row in rows]

    def _location(self, row: Any) -> dict[str, str | None]:
        id_ = getattr(row, "location_id", None)
        return {"location": None if id_ is None else self.location_slugs[id_]}


def _owner(customer: Any) -> dict[str, Any]:
    if customer is None:
        return {}
    names = {"email": customer.email, "phone": customer.phone}
    return names if any(names.values()) else {"customer_uuid": customer.uuid}


async def _once(rows: Sequence[Any]) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
    yield [row._asdict() for row in rows]


def _marked(column: str, value: Any) -> Any:
    return marks.with_apostrophe(column, value) if isinstance(value, str) and "'" in value else value


def _csv_writer(file: TextIO, columns: Sequence[str]) -> Callable[[Iterable[Mapping[str, Any]]], None]:
    writer = csv.DictWriter(file, columns, lineterminator="\n")
    writer.writeheader()
    return lambda rows: writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return marks.with_formula(value)
    return timestamps.rfc_3339(value) if isinstance(value, datetime) else value


def _write_ndjson(file: TextIO, rows: Iterable[Mapping[str, Any]]) -> None:
    lines = (orjson.dumps(row, default=_text, option=orjson.OPT_PASSTHROUGH_DATETIME) for row in rows)
    file.writelines(f"{line.decode()}\n" for line in lines)


def _text(value: datetime | UUID) -> str:
    return timestamps.rfc_3339(value) if isinstance(value, datetime) else str(value)


class _Folder:
    """A folder whose files get their names when all of them are complete."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._place = Place(path, "export", is_ours=lambda _path: False)
        self._is_new = not path.exists()
        self._files: list[tuple[Place, Path, TextIO]] = []
        self._cleanup = ExitStack()

    def __enter__(self) -> Self:
        """Make the folder; raises CommandRefused for one that is not new or empty."""
        with self._place.refusing():
            self._path.mkdir(exist_ok=True)
            if any(self._path.iterdir()):
                raise self._place.refusal("the folder is not empty: choose a new one")
        return self

    def new(self, name: str) -> TextIO:
        """Open a new file under a temporary name."""
        place = Place(self._path / name, "export", is_ours=lambda _path: False)
        temporary = self._cleanup.enter_context(place.temporary())
        file = self._cleanup.enter_context(temporary.open("x", encoding="utf-8", newline=""))
        self._files.append((place, temporary, file))
        return file

    def complete(self) -> None:
        """Give all files their names."""
        for place, temporary, file in self._files:
            file.close()
            place.put(temporary)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cleanup.close()
        if self._is_new and not any(self._path.iterdir()):
            self._path.rmdir()
        if isinstance(error, OSError):
            with self._place.refusing():
                raise error
