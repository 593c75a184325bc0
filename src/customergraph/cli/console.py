"""What commands write: reports and progress on standard error, tables on standard output."""

from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

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


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows as a table on a terminal, and separated by tabs in a pipe."""
    console = Console(highlight=False, emoji=False)
    if not console.is_terminal:
        # One write: where the encoding lacks a letter, nothing is printed.
        print("\n".join(map("\t".join, (columns, *rows))))  # noqa: T201
        return
    table = Table(*columns)
    for row in rows:
        table.add_row(*row)
    console.print(table)
