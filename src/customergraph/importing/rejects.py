"""The file of rejected rows."""

import csv
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from customergraph.importing.rows import Reject
from customergraph.staging import Place

HEADER = ("line", "column", "reason")


class Rejects:
    """The rejected rows of an import, which a file has when the import ends.

    Until then they are in a temporary file in the same folder. Without rejected rows there is no file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._place = Place(path, "rejects", _has_header)
        self._lines: set[int] = set()
        self._cleanup = ExitStack()
        self._temporary: Path | None = None

    def __enter__(self) -> Self:
        """Raise CommandRefused where the file would replace one that is not an earlier file of rejects."""
        self._place.refuse_others()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._cleanup:
            if kind is not None:
                return
            if self._temporary is None:
                self._place.clear()
            else:
                self._place.put(self._temporary)

    def begin(self) -> None:
        """Discard the rows of an earlier attempt."""
        self._cleanup.close()
        self._temporary = None
        self._lines.clear()

    @property
    def rows(self) -> int:
        return len(self._lines)

    def write(self, rejects: list[Reject]) -> None:
        if not rejects:
            return
        with self._place.refusing(), self._open() as file:
            writer = csv.writer(file)
            if not self._lines:
                writer.writerow(HEADER)
            writer.writerows((reject.line, reject.column, reject.reason) for reject in rejects)
        self._lines.update(reject.line for reject in rejects)

    def _open(self) -> TextIO:
        if self._temporary is None:
            self._temporary = self._cleanup.enter_context(self._place.temporary())
        return self._temporary.open("a", encoding="utf-8", newline="")


def _has_header(path: Path) -> bool:
    with path.open("rb") as file:
        return file.readline(64).rstrip(b"\r\n") == ",".join(HEADER).encode()
