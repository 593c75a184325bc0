"""Import files: CSV, NDJSON, JSON and XLSX as records with their line numbers, whatever their bytes are."""

import io
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

from customergraph.errors import CommandRefused
from customergraph.importing.delimited import delimited
from customergraph.importing.layouts import Layouts
from customergraph.importing.lines import LineReader, read_lines
from customergraph.importing.objects import array, objects
from customergraph.importing.rows import Record, Reject
from customergraph.importing.sheets import sheet


class Format(StrEnum):
    CSV = "csv"
    NDJSON = "ndjson"
    JSON = "json"
    XLSX = "xlsx"


_BY_SUFFIX = {
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".txt": Format.CSV,
    ".ndjson": Format.NDJSON,
    ".jsonl": Format.NDJSON,
    ".json": Format.JSON,
    ".xlsx": Format.XLSX,
}
SUFFIXES = tuple(_BY_SUFFIX)


def format_of(suffix: str) -> Format | None:
    """Return the format of files whose names end so; None for another suffix."""
    return _BY_SUFFIX.get(suffix.lower())


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a file, its format, and its encoding, where the user says it."""

    file: LineReader
    format: Format
    encoding: str | None = None

    def records(self, layouts: Layouts, advance: Callable[[int], None]) -> Iterator[Record | Reject]:
        """Read the rows in bounded memory (XLSX: all of them); `advance` is called with the numbers of bytes read.

        Raises CommandRefused, naming the line, where the file is not of this format or its columns do not fit.
        """
        if self.format is Format.XLSX:
            return sheet(self.file, layouts, advance)
        if self.format is Format.JSON:
            return array(self.file, self.encoding, layouts, advance)
        lines = read_lines(self.file, self.encoding, advance)
        return delimited(lines, layouts) if self.format is Format.CSV else objects(lines, layouts)


def refuse_device(file: BinaryIO, name: str) -> None:
    """Raise CommandRefused for a device, which may have no end; terminals and pipes are allowed."""
    try:
        mode = os.fstat(file.fileno()).st_mode
    except io.UnsupportedOperation:  # a file in memory
        return
    if (stat.S_ISCHR(mode) and not file.isatty()) or stat.S_ISBLK(mode):
        raise CommandRefused(f"{name}: is a device: give a file or a pipe")
