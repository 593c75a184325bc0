"""Import files: CSV and NDJSON as records with their line numbers, whatever their bytes are."""

import csv
import io
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import BinaryIO

import orjson

from customergraph.errors import CommandRefused
from customergraph.importing.kind import ImportKind
from customergraph.importing.lines import (
    MAX_LINE_BYTES,
    MAX_RECORD_CHARACTERS,
    LineReader,
    RecordLines,
    RecordTooLong,
    read_lines,
)
from customergraph.importing.rows import Record, Reject

UNREADABLE = "is not UTF-8"
# Room for hundreds of columns with long names; a kind has 25 at most.
MAX_HEADER_CHARACTERS = 100_000

# Messages of the csv module. Its limit of 131,072 characters for a cell suffices: the longest text has 50,000.
_END_OF_FILE = "unexpected end of data"
_FIELD_TOO_LONG = "field larger than field limit"


class Format(StrEnum):
    CSV = "csv"
    NDJSON = "ndjson"


def records(
    file: LineReader, format_: Format, kind: ImportKind, advance: Callable[[int], None]
) -> Iterator[Record | Reject]:
    """Read a file's rows in bounded memory; `advance` is called with the numbers of bytes that were read.

    Raises CommandRefused, naming the line, where the file as a whole is not of this format or kind.
    """
    lines = read_lines(file, advance)
    return _csv(lines, kind) if format_ is Format.CSV else _ndjson(lines, kind)


def refuse_device(file: BinaryIO, name: str) -> None:
    """Raise CommandRefused for a device, which may have no end; terminals and pipes are allowed."""
    try:
        mode = os.fstat(file.fileno()).st_mode
    except io.UnsupportedOperation:  # a file in memory
        return
    if (stat.S_ISCHR(mode) and not file.isatty()) or stat.S_ISBLK(mode):
        raise CommandRefused(f"{name}: is a device: give a file or a pipe")


def _is_readable(text: str) -> bool:
    return text.isascii() or not any("\udc80" <= character <= "\udcff" for character in text)


def _csv(lines: Iterator[str | None], kind: ImportKind) -> Iterator[Record | Reject]:
    source = RecordLines(lines)
    reader = csv.reader(source, strict=True)
    header = _header(source, reader, kind)
    while True:
        source.begin_record()
        try:
            cells = next(reader, None)
        except (csv.Error, RecordTooLong) as error:
            reject = Reject(source.first, "", _reason(error, source))
            source.read_again()
            yield reject
            continue
        if cells is None:
            return
        if cells:
            yield _record_of_cells(source, cells, header)


def _reason(error: Exception, source: RecordLines) -> str:
    """Return why a record cannot be read; where it has several lines, a quote on the first one is not closed."""
    reason = str(error)
    if isinstance(error, RecordTooLong):
        reason = f"is longer than {MAX_RECORD_CHARACTERS:,} characters"
    elif _FIELD_TOO_LONG in reason:
        reason = f"a cell is longer than {csv.field_size_limit():,} characters"
    if source.last > source.first or reason == _END_OF_FILE:
        return f"is not CSV: a quote that opens on this line is not closed (line {source.last:,}: {reason})"
    return reason if isinstance(error, RecordTooLong) else f"is not CSV: {reason}"


def _record_of_cells(source: RecordLines, cells: list[str], header: list[str]) -> Record | Reject:
    line, lines = source.first, source.last - source.first + 1
    if len(cells) != len(header):
        quoted = f", with what its quotes hold up to line {source.last:,}" if lines > 1 else ""
        return Reject(line, "", f"has {len(cells)} cells, and the header {len(header)}{quoted}")
    row = dict(zip(header, cells, strict=True))
    if _is_readable("".join(cells)):
        return Record(line, row, lines)
    return Reject(line, next(name for name in header if not _is_readable(row[name])), UNREADABLE)


def _header(source: RecordLines, reader: Iterator[list[str]], kind: ImportKind) -> list[str]:
    source.begin_record(MAX_HEADER_CHARACTERS)
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise CommandRefused(f"line 1: is not CSV: {error}") from None
    except RecordTooLong:
        raise CommandRefused(f"line 1: the header is longer than {MAX_HEADER_CHARACTERS:,} characters") from None
    problem = _header_problem(header, kind)
    if problem:
        raise CommandRefused(f"line 1: {problem}")
    return header


def _header_problem(header: list[str], kind: ImportKind) -> str | None:
    if not any(header):
        return "there is no header row"
    if not _is_readable("".join(header)):
        return UNREADABLE
    problem = kind.problem(header)
    if problem:
        return problem
    duplicates = [name for name, times in Counter(header).items() if times > 1]
    return f"the column {duplicates[0]!r} is there twice" if duplicates else None


def _ndjson(lines: Iterator[str | None], kind: ImportKind) -> Iterator[Record | Reject]:
    for line, text in enumerate(lines, start=1):
        if text is None:
            yield Reject(line, "", f"is longer than {MAX_LINE_BYTES:,} bytes")
            continue
        if not text.strip():
            continue
        if not _is_readable(text):
            yield Reject(line, "", UNREADABLE)
            continue
        try:
            row = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            yield Reject(line, "", f"is not JSON: {error}")
            continue
        yield _record_of_object(line, row, kind)


def _record_of_object(line: int, row: object, kind: ImportKind) -> Record | Reject:
    if not isinstance(row, dict):
        return Reject(line, "", "is not a JSON object")
    problem = kind.problem(list(row))
    if problem:
        return Reject(line, "", problem)
    cells: dict[str, str] = {}
    for name, value in row.items():
        cell = _cell(value)
        if cell is None:
            return Reject(line, name, "must be a text, a whole number, true, false, null or a list of texts")
        cells[name] = cell
    return Record(line, cells)


def _cell(value: object) -> str | None:
    """Return a JSON value as the text of a cell; None for a value that no cell can hold."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    return None
