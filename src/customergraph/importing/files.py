"""Import files: CSV and NDJSON as records with their line numbers, whatever their bytes are."""

import codecs
import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

import orjson

from customergraph.errors import CommandRefused
from customergraph.importing.kinds import Columns

UNREADABLE = "is not UTF-8"
_BYTES_TOLD_AT_ONCE = 65_536


class Format(StrEnum):
    CSV = "csv"
    NDJSON = "ndjson"


@dataclass(frozen=True, slots=True)
class Record:
    """The cells of one row by column, and the line of the file on which it begins."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Reject:
    """Something of a row that keeps it from being imported."""

    line: int
    column: str
    reason: str


def records(
    file: BinaryIO, format_: Format, columns: Columns, read: Callable[[int], None]
) -> Iterator[Record | Reject]:
    """Read a file's rows; `read` is told how many bytes were read.

    Raises CommandRefused, naming the line, when the file as a whole cannot be what it is said to be.
    """
    lines = _lines(file, read)
    return _csv(lines, columns) if format_ is Format.CSV else _ndjson(lines, columns)


def _lines(file: BinaryIO, read: Callable[[int], None]) -> Iterator[str]:
    untold = 0
    for number, line in enumerate(file):
        untold += len(line)
        if untold >= _BYTES_TOLD_AT_ONCE:
            read(untold)
            untold = 0
        content = line.removeprefix(codecs.BOM_UTF8) if number == 0 else line
        # What is not UTF-8 becomes half surrogate pairs, by which its row is told and rejected.
        yield content.decode("utf-8", "surrogateescape")
    read(untold)


def _is_readable(text: str) -> bool:
    return text.isascii() or not any("\udc80" <= character <= "\udcff" for character in text)


def _csv(lines: Iterator[str], columns: Columns) -> Iterator[Record | Reject]:
    reader = csv.reader(lines, strict=True)
    header = _header(reader, columns)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield Reject(line, "", f"is not CSV: {error}")
            continue
        if cells is None:
            return
        if not cells:
            continue
        if len(cells) != len(header):
            yield Reject(line, "", f"has {len(cells)} cells, and the header {len(header)}")
            continue
        row = dict(zip(header, cells, strict=True))
        if _is_readable("".join(cells)):
            yield Record(line, row)
        else:
            yield Reject(line, next(name for name in header if not _is_readable(row[name])), UNREADABLE)


def _header(reader: Iterator[list[str]], columns: Columns) -> list[str]:
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise CommandRefused(f"line 1: is not CSV: {error}") from None
    if not any(header):
        raise CommandRefused("line 1: there is no header row")
    for name in header:
        if not _is_readable(name):
            raise CommandRefused(f"line 1: {UNREADABLE}")
        if header.count(name) > 1:
            raise CommandRefused(f"line 1: the column {name!r} stands there twice")
    problem = columns.problem(header)
    if problem:
        raise CommandRefused(f"line 1: {problem}")
    return header


def _ndjson(lines: Iterator[str], columns: Columns) -> Iterator[Record | Reject]:
    for line, text in enumerate(lines, start=1):
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
        yield _of_object(line, row, columns)


def _of_object(line: int, row: object, columns: Columns) -> Record | Reject:
    if not isinstance(row, dict):
        return Reject(line, "", "is not a JSON object")
    problem = columns.problem(list(row))
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
    """Write a JSON value as the cell of a CSV file would have it; None for what has no such form."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    return None
