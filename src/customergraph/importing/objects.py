"""Rows of JSON: an object on each line (NDJSON), or an array of objects."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import ijson
import orjson

from customergraph.errors import CommandRefused
from customergraph.importing.decoding import UTF_8
from customergraph.importing.delimited import UNREADABLE, is_readable
from customergraph.importing.layouts import LayoutRefused, Layouts
from customergraph.importing.lines import MAX_LINE_BYTES, LineReader, read_lines
from customergraph.importing.rows import Record, Reject

_NOT_A_CELL = "must be a text, a number, true, false, null or a list of texts"


def objects(lines: Iterator[str | None], layouts: Layouts) -> Iterator[Record | Reject]:
    """Read an object from each line that is not blank."""
    for line, text in enumerate(lines, start=1):
        if text is None:
            yield Reject(line, "", f"is longer than {MAX_LINE_BYTES:,} bytes")
            continue
        if not text.strip():
            continue
        if not is_readable(text):
            yield Reject(line, "", UNREADABLE)
            continue
        try:
            row = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            yield Reject(line, "", f"is not JSON: {error}")
            continue
        yield _record(line, row, layouts)


def array(
    file: LineReader, encoding: str | None, layouts: Layouts, advance: Callable[[int], None]
) -> Iterator[Record | Reject]:
    """Read the objects of an array, each with its place in the array as its line.

    The array is the whole file, or the member of its object that the mapping names.
    """
    lines = read_lines(file, encoding, advance)
    path = f"{layouts.rows_at}.item" if layouts.rows_at else "item"
    place = 0
    try:
        for place, row in enumerate(ijson.items(_Bytes(lines), path), start=1):
            yield _record(place, row, layouts)
    except ijson.JSONError as error:
        raise CommandRefused(f"after row {place:,}: is not JSON: {error}") from None
    if not place:
        where = f"an array {layouts.rows_at!r}" if layouts.rows_at else "an array"
        raise CommandRefused(f"is not {where} of JSON objects, or the array is empty")


class _Bytes:
    """Lines as a file of bytes, for a parser that asks for so many at once."""

    def __init__(self, lines: Iterator[str | None]) -> None:
        self._lines = lines
        self._rest = b""

    def read(self, size: int, /) -> bytes:
        # The parser asks for nothing to learn whether it gets bytes.
        if size and not self._rest:
            line = next(self._lines, "")
            if line is None:
                raise CommandRefused(f"has a line that is longer than {MAX_LINE_BYTES:,} bytes")
            self._rest = line.encode(UTF_8, "surrogateescape")
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece


def _record(line: int, row: object, layouts: Layouts) -> Record | Reject:
    if not isinstance(row, dict):
        return Reject(line, "", "is not a JSON object")
    values = dict(_flat(row)) if any(isinstance(value, dict) for value in row.values()) else row
    names = tuple(values)
    texts = [_text(value) for value in values.values()]
    record = Record(
        line,
        names,
        [text if text is not None else _json(value) for text, value in zip(texts, values.values(), strict=True)],
    )
    try:
        layout = layouts.of(names)
    except LayoutRefused as refused:
        return Reject(line, "", str(refused), record)
    wrong = next((name for name, text in zip(names, texts, strict=True) if text is None and layout.reads(name)), None)
    return record if wrong is None else Reject(line, wrong, _NOT_A_CELL, record)


def _flat(row: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the members of nested objects, with dots in their names."""
    for name, value in row.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _text(value: object) -> str | None:
    """Return a JSON value as the text of a cell; None for a value that no cell can hold."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float | Decimal):
        return str(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return _json(value)
    return None


def _json(value: object) -> str:
    return orjson.dumps(value, default=str).decode()
