"""Rows of a spreadsheet (XLSX), with typed cells."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import Any

from customergraph.errors import CommandRefused
from customergraph.importing.layouts import LayoutRefused, Layouts
from customergraph.importing.lines import MAX_LINE_BYTES, LineReader
from customergraph.importing.rows import Record, Reject

try:
    from python_calamine import CalamineError, CalamineWorkbook
except ImportError:  # the extra `xlsx` is not installed
    CalamineWorkbook = None  # type: ignore[assignment,misc]

# XLSX cannot be read piece by piece: its parts are compressed, and its texts stand apart from its rows.
MAX_BYTES = 256 * 1024 * 1024


def sheet(file: LineReader, layouts: Layouts, advance: Callable[[int], None]) -> Iterator[Record | Reject]:
    """Read the rows below the header of the sheet that has rows; raises CommandRefused where several have."""
    if CalamineWorkbook is None:
        raise CommandRefused(
            "XLSX needs the extra `xlsx`: pip install 'customergraph[xlsx]', or save the sheet as CSV UTF-8"
        )
    rows = enumerate(_rows(_content(file, advance)), start=1)
    names, line = _header(rows, layouts)
    try:
        layouts.of(names)
    except LayoutRefused as refused:
        raise CommandRefused(f"row {line:,}: {refused}") from None
    for line, texts in rows:
        record = Record(line, names, texts[: len(names)])
        if any(texts[len(names) :]):
            yield Reject(line, "", f"has a cell beyond the {len(names)} columns of the header", record)
        elif any(texts):
            yield record


def _content(file: LineReader, advance: Callable[[int], None]) -> bytes:
    content = bytearray()
    while piece := file.readline(MAX_LINE_BYTES):
        content += piece
        advance(len(piece))
        if len(content) > MAX_BYTES:
            raise CommandRefused(f"is larger than {MAX_BYTES // 1024**2} MiB: save the sheet as CSV UTF-8")
    return bytes(content)


def _rows(content: bytes) -> Iterator[list[str]]:
    try:
        with CalamineWorkbook.from_filelike(BytesIO(content)) as workbook:
            sheets = [workbook.get_sheet_by_name(name) for name in workbook.sheet_names]
            filled = [sheet for sheet in sheets if sheet.height]
            if len(filled) > 1:
                names = ", ".join(repr(sheet.name) for sheet in filled)
                raise CommandRefused(f"has several sheets with rows ({names}): save the one to import as CSV UTF-8")
            for sheet in filled:
                yield from ([_text(value).strip() for value in row] for row in sheet.iter_rows())
    except CalamineError as error:
        raise CommandRefused(f"is not XLSX: {error}") from None


def _header(rows: Iterator[tuple[int, list[str]]], layouts: Layouts) -> tuple[tuple[str, ...], int]:
    for line, texts in rows:
        if any(texts) and layouts.has_header(texts):
            while not texts[-1]:
                texts.pop()
            return tuple(texts), line
    raise CommandRefused(f"there is no header row{layouts.header_hint}")


def _text(value: Any) -> str:
    """Return a typed cell as a cell of CSV would have it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value) if isinstance(value, int | float | str | timedelta) else ""
