"""What commands write: reports and progress on standard error, lists on standard output."""

from collections.abc import Sequence
from datetime import datetime

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from customergraph.domain import timestamps

# What a list has in a column; None where there is nothing.
Value = str | int | list[str] | None

_errors = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)


def report(line: str) -> None:
    _errors.print(line, markup=False)


def report_problem(reason: str) -> None:
    """Report what went wrong, in one line."""
    report(f"customergraph: {' '.join(reason.splitlines())}")


def progress_bar(unit: str) -> Progress:
    """Return a progress bar, which is shown on a terminal only."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=_errors, disable=not _errors.is_terminal, transient=True)


def print_list(columns: Sequence[str], rows: Sequence[Sequence[Value]], *, as_json: bool) -> None:
    """Print rows as JSON, or as a table on a terminal and separated by tabs in a pipe."""
    if as_json:
        keys = [column.replace(" ", "_") for column in columns]
        print_json([dict(zip(keys, row, strict=True)) for row in rows])
        return
    cells = [list(map(_cell, row)) for row in rows]
    console = Console(highlight=False, emoji=False)
    if not console.is_terminal:
        # One write: where the encoding lacks a letter, nothing is printed.
        print("\n".join(map("\t".join, (columns, *cells))))  # noqa: T201
        return
    table = Table()
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in cells:
        # As a Text, since names may have square brackets, which are Rich's markup.
        table.add_row(*map(Text, row))
    console.print(table)


def print_json(document: object) -> None:
    """Print a JSON document, in one write."""
    print(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode(), flush=True)  # noqa: T201


def written(timestamp: datetime | None) -> str | None:
    """Return a time as lists have it: to the second, in UTC."""
    return timestamps.rfc_3339(timestamp.replace(microsecond=0)) if timestamp else None


def _cell(value: Value) -> str:
    if value is None:
        return "-"
    return " ".join(value) if isinstance(value, list) else str(value)
