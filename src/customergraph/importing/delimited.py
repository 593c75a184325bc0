"""Rows of delimited text: CSV, and its relatives with semicolons, tabs or pipes."""

import csv
import re
from collections.abc import Iterator

from customergraph.errors import CommandRefused
from customergraph.importing.layouts import LayoutRefused, Layouts
from customergraph.importing.lines import MAX_RECORD_CHARACTERS, RecordLines, RecordTooLong
from customergraph.importing.marks import without_formula
from customergraph.importing.rejects import HEADER as OF_REJECTS
from customergraph.importing.rows import Record, Reject

UNREADABLE = "is not UTF-8: name its encoding, like --encoding cp1252, or save the file as CSV UTF-8"
# Room for hundreds of columns with long names; a kind has 25 at most.
MAX_HEADER_CHARACTERS = 100_000
# Exports have a title, a report's name and the like before their header.
_MAX_ROWS_BEFORE_HEADER = 50

_DELIMITERS = ",;\t|"
_SEP = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)

# Messages of the csv module. Its limit of 131,072 characters for a cell suffices: the longest text has 50,000.
_END_OF_FILE = "unexpected end of data"
_FIELD_TOO_LONG = "field larger than field limit"


def delimited(lines: Iterator[str | None], layouts: Layouts) -> Iterator[Record | Reject]:
    """Read the rows after the header; raises CommandRefused where there is no header that fits."""
    source = RecordLines(lines)
    delimiter = _delimiter(source)
    reader = csv.reader(source, strict=True, delimiter=delimiter)
    header = _header(source, reader, layouts)
    # In a file of rejects the row's own columns follow those that say what was wrong.
    skipped = len(OF_REJECTS) if header[: len(OF_REJECTS)] == OF_REJECTS != header else 0
    names = header[skipped:]
    _refuse_unfit(names, source.first, layouts)
    while True:
        source.begin_record()
        try:
            cells = next(reader, None)
        except (csv.Error, RecordTooLong) as error:
            torn = source.record_text.rstrip("\r\n").replace('"', "").split(delimiter)
            reject = Reject(source.first, "", _reason(error, source), Record(source.first, names, torn[skipped:]))
            source.read_again()
            yield reject
            continue
        if cells is None:
            return
        if record := _record(source, cells[skipped:], names):
            yield record


def _delimiter(source: RecordLines) -> str:
    """Return what parts the cells: what a line `sep=` says, else what the header has most of."""
    while (line := source.peek()).isspace():
        source.skip()
    if match := _SEP.fullmatch(line):
        source.skip()
        return match[1]
    unquoted = "".join(line.split('"')[::2])
    return max(_DELIMITERS, key=unquoted.count)


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


def _record(source: RecordLines, cells: list[str], names: tuple[str, ...]) -> Record | Reject | None:
    """Return the record of cells; None for a row without any text."""
    text = "".join(cells)
    if not text or text.isspace():
        return None
    line, lines = source.first, source.last - source.first + 1
    if len(cells) > len(names) and not any(cells[len(names) :]):
        del cells[len(names) :]
    record = Record(line, names, cells, lines)
    if len(cells) != len(names):
        quoted = f", with what its quotes hold up to line {source.last:,}" if lines > 1 else ""
        return Reject(line, "", f"has {len(cells)} cells, and the header {len(names)}{quoted}", record)
    if not is_readable(text):
        return Reject(
            line,
            next(name for name, cell in zip(names, cells, strict=True) if not is_readable(cell)),
            UNREADABLE,
            record,
        )
    if '="' in text:
        cells[:] = map(without_formula, cells)
    return record


def is_readable(text: str) -> bool:
    return text.isascii() or not any("\udc80" <= character <= "\udcff" for character in text)


def _header(source: RecordLines, reader: Iterator[list[str]], layouts: Layouts) -> tuple[str, ...]:
    """Read the header, without the empty names at its end."""
    for _ in range(_MAX_ROWS_BEFORE_HEADER):
        source.begin_record(MAX_HEADER_CHARACTERS)
        names = _names(source, reader)
        if names is None:
            break
        if any(names) and layouts.has_header(names):
            while not names[-1]:
                names.pop()
            return tuple(names)
    raise CommandRefused(f"there is no header row{layouts.header_hint}")


def _names(source: RecordLines, reader: Iterator[list[str]]) -> list[str] | None:
    try:
        names = next(reader, None)
    except csv.Error as error:
        raise CommandRefused(f"line {source.first:,}: is not CSV: {error}") from None
    except RecordTooLong:
        raise CommandRefused(
            f"line {source.first:,}: the header is longer than {MAX_HEADER_CHARACTERS:,} characters"
        ) from None
    return None if names is None else [name.strip() for name in names]


def _refuse_unfit(names: tuple[str, ...], line: int, layouts: Layouts) -> None:
    if not is_readable("".join(names)):
        raise CommandRefused(f"line {line:,}: {UNREADABLE}")
    try:
        layouts.of(names)
    except LayoutRefused as refused:
        raise CommandRefused(f"line {line:,}: {refused}") from None
