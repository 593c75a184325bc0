"""What an import tells: its counts, the reasons of rejects, and what a dry run has seen."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from customergraph.cli.console import report, report_problem
from customergraph.domain import timestamps
from customergraph.domain.entry import Entry
from customergraph.importing.importer import Manner
from customergraph.importing.kinds import ImportKindName
from customergraph.importing.summary import Summary

# So many reasons and names are told; the file of rejects has all.
_MAX_TOLD = 20
_LONGEST_VALUE = 60


def summary(kind: ImportKindName, done: Summary, seconds: float, manner: Manner) -> None:
    """Report the counts, and after a dry run what it has seen."""
    would = "would be " if manner.dry else ""
    left_out = f"{done.left_out:,} left out, " if done.left_out else ""
    rate = done.rows / max(seconds, 0.001)
    report(
        f"{kind}: {done.added:,} {would}added, {done.changed:,} updated, {done.unchanged:,} unchanged,"
        f" {left_out}{done.rejected:,} rejected in {seconds:.1f} s ({rate:,.0f} rows a second)"
    )
    for line in (*_notes(done), *(_dry_lines(done) if manner.dry else ())):
        report(line)


def _notes(done: Summary) -> Iterator[str]:
    if done.doubles:
        yield f"{done.doubles:,} rows say the same as an earlier row of the file, or name the same"
    if done.unread:
        yield f"columns that are not read: {_listed(done.unread)}"
    if done.absent:
        yield f"columns that the mapping names and the file lacks: {_listed(done.absent)}"


def _dry_lines(done: Summary) -> Iterator[str]:
    for row in done.first:
        yield f"line {row.field[0]} is understood as {_understood(row)}"
    for (column, reason), count in done.reasons.most_common(_MAX_TOLD):
        yield f"{count:,} rejected: {column + ': ' if column else ''}{reason}"
    yield "nothing was changed: this was a dry run"


def _understood(row: Entry) -> str:
    values = {**row.values, **row.fills}
    return ", ".join(f"{name}: {_shown(value)}" for name, value in values.items() if value is not None)


def _shown(value: Any) -> str:
    if isinstance(value, datetime):
        return timestamps.rfc_3339(value)
    if isinstance(value, dict):
        return " ".join(value)
    text = str(value).replace("\n", " ")
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _listed(names: Any) -> str:
    more = f" and {len(names) - _MAX_TOLD:,} more" if len(names) > _MAX_TOLD else ""
    return ", ".join(repr(name[:_LONGEST_VALUE]) for name in names[:_MAX_TOLD]) + more


def rejected(done: Summary, path: Path, manner: Manner) -> None:
    """Report that rows were rejected, and where the reasons are."""
    if manner.dry:
        report_problem(f"{done.rejected:,} rows would be rejected")
        return
    consequence = "Nothing was imported" if manner.strict else "They were not imported"
    report_problem(
        f"{done.rejected:,} rows were rejected. {consequence}: {path} says why. Mend them there, and import that file."
    )


def interrupted(done: Summary) -> None:
    """Report what an import that was interrupted has done."""
    count = done.rows - done.rejected
    report_problem(
        f"interrupted: {count:,} rows are in. Run the same command again to go on: no row gets in twice"
        if count
        else "interrupted: nothing is in"
    )
