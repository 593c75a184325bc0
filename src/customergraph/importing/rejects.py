"""The file of rejected rows, which can be mended and imported as it is."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import groupby, islice
from operator import attrgetter
from pathlib import Path
from shutil import copyfileobj
from types import TracebackType
from typing import Self, TextIO

from customergraph.importing.rows import Record, Reject
from customergraph.staging import Place

# These columns stand before the row's own, and are skipped when the file is imported.
HEADER = ("line", "column", "reason")
# As much as the csv module can be told.
LARGEST_CELL = 2**31 - 1


class Rejects:
    """The rejected rows of an import, which a file has when the import ends.

    Until then they are in a temporary file in the same folder. Without rejected rows there is no file. `path` is None
    where no file is wanted. A file that other programs may read in another encoding is `marked`: a byte-order mark says
    that it is UTF-8.
    """

    def __init__(self, path: Path | None, *, marked: bool = False) -> None:
        self._place = Place(path, "rejects", _is_ours) if path else None
        self._encoding = "utf-8-sig" if marked else "utf-8"
        self._columns: dict[str, None] = {}
        self._first: tuple[str, ...] = ()
        self._grew = False
        self.rows = 0
        self._cleanup = ExitStack()
        self._temporary: Path | None = None

    def __enter__(self) -> Self:
        """Raise CommandRefused where the file would replace one that is not an earlier file of rejects."""
        if self._place:
            self._place.refuse_others()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._cleanup:
            if kind is not None or self._place is None:
                return
            if self._temporary is None:
                self._place.clear()
                return
            with self._place.temporary() as whole:
                with self._place.refusing():
                    self._complete(self._temporary, whole)
                self._place.put(whole)

    def begin(self) -> None:
        """Discard the rows of an earlier attempt."""
        self._cleanup.close()
        self._temporary = None
        self._columns = {}
        self._first = ()
        self._grew = False
        self.rows = 0

    def write(self, rejects: Iterable[Reject], records: Mapping[int, Record]) -> None:
        """Write rejects in the order of their lines; `records` has the rows of those that have none themselves."""
        rows = [(line, list(group)) for line, group in groupby(rejects, attrgetter("line"))]
        self.rows += len(rows)
        if not rows or self._place is None:
            return
        with self._place.refusing(), self._open() as file:
            csv.writer(file).writerows(self._row(line, group, records.get(line)) for line, group in rows)

    def _row(self, line: int, rejects: list[Reject], record: Record | None) -> list[str]:
        record = rejects[0].record or record
        columns = list(dict.fromkeys(reject.column for reject in rejects))
        if len(columns) > 1:
            reason = "; ".join(f"{reject.column or 'row'}: {reject.reason}" for reject in rejects)
        else:
            reason = "; ".join(reject.reason for reject in rejects)
        return [str(line), ", ".join(filter(None, columns)), reason, *(self._texts(record) if record else ())]

    def _texts(self, record: Record) -> Iterable[str]:
        """Return the row's texts below their columns; new columns, which JSON can have, are added at the end."""
        if not self._first:
            self._first = record.names
            self._columns = dict.fromkeys(record.names)
        if record.names == self._first:
            return record.texts
        self._grew = self._grew or not self._columns.keys() >= set(record.names)
        self._columns |= dict.fromkeys(record.names)
        texts = dict(zip(record.names, record.texts, strict=False))
        return [texts.get(name, "") for name in self._columns]

    def _open(self) -> TextIO:
        if self._temporary is None:
            assert self._place is not None  # noqa: S101 - for the type checker
            self._temporary = self._cleanup.enter_context(self._place.temporary())
        # Bytes that were no text stay what they were.
        return self._temporary.open("a", encoding="utf-8", errors="surrogateescape", newline="")

    def _complete(self, temporary: Path, whole: Path) -> None:
        """Write the header, which is known at the end, and the rows."""
        width = len(HEADER) + len(self._columns)
        with (
            temporary.open(encoding="utf-8", errors="surrogateescape", newline="") as rows,
            whole.open("w", encoding=self._encoding, errors="surrogateescape", newline="") as file,
        ):
            csv.writer(file).writerow((*HEADER, *self._columns))
            if not self._grew:
                copyfileobj(rows, file)
                return
            with _long_cells():
                csv.writer(file).writerows(_padded(csv.reader(rows), width))


@contextmanager
def _long_cells() -> Iterator[None]:
    """Let the csv module read cells of any length: rows are rejected for cells that are too long."""
    usual = csv.field_size_limit(LARGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(usual)


def _padded(rows: Iterator[list[str]], width: int) -> Iterator[list[str]]:
    return (row + [""] * (width - len(row)) for row in rows)


def _is_ours(path: Path) -> bool:
    """Return whether a file has the header of rejects, and the number of a line in its first row."""
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            header, *first = islice(csv.reader(file), 2)
    except (csv.Error, ValueError):
        return False
    return tuple(header[: len(HEADER)]) == HEADER and (
        first[0][0].isdecimal() if first and first[0] else len(header) == len(HEADER)
    )
