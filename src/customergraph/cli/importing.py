"""The command `import`."""

import time
from pathlib import Path
from typing import Annotated

import typer

from customergraph import streams
from customergraph.cli.console import progress_bar, report, report_problem
from customergraph.cli.jobs import on_store
from customergraph.cli.options import DatabaseUrl, ProjectSlug
from customergraph.importing import importer
from customergraph.importing.files import Format, refuse_device
from customergraph.importing.importer import Source, Summary
from customergraph.importing.kinds import IMPORT_KINDS, ImportKindName
from customergraph.importing.rejects import Rejects


def import_file(
    kind: Annotated[ImportKindName, typer.Argument(help="What the rows are.")],
    file: Annotated[str, typer.Argument(help="A .csv or .ndjson file, or - for standard input.")],
    slug: ProjectSlug,
    format_: Annotated[
        Format | None, typer.Option("--format", help="The file's format, where its name does not end in it.")
    ] = None,
    rejects: Annotated[
        Path | None,
        typer.Option(
            help="The file for rejected rows: a new one, or that of an earlier import.", show_default="FILE.rejects.csv"
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Import nothing where a row is rejected.")] = False,  # noqa: FBT002 - as Typer declares flags
    database_url: DatabaseUrl = None,
) -> None:
    """Import rows into a project: new ones are added, stored ones are updated."""
    format_ = format_ or _format_of(file)
    rejects_path = rejects or Path("stdin.rejects.csv" if file == "-" else f"{file}.rejects.csv")
    if rejects_path.exists() and Path(file).exists() and rejects_path.samefile(file):
        report_problem(f"--rejects {rejects_path} would replace FILE")
        raise SystemExit(2)
    started_at = time.monotonic()
    with streams.opened(file) as stream, progress_bar("bytes") as progress:
        refuse_device(stream, "standard input" if file == "-" else file)
        size = None if file == "-" else Path(file).stat().st_size
        task = progress.add_task(f"importing {kind}", total=size)
        source = Source(stream, format_, IMPORT_KINDS[kind], slug)
        summary = on_store(
            database_url,
            lambda database: importer.run(
                database, source, Rejects(rejects_path), lambda count: progress.advance(task, count), strict=strict
            ),
        )
    report(_summary_line(kind, summary, time.monotonic() - started_at))
    if summary.rejected:
        consequence = "Nothing was imported" if strict else "They were not imported"
        report_problem(f"{summary.rejected:,} rows were rejected. {consequence}: {rejects_path} says why.")
        raise SystemExit(1)


def _summary_line(kind: ImportKindName, summary: Summary, seconds: float) -> str:
    rate = summary.rows / max(seconds, 0.001)
    return (
        f"{kind}: {summary.added:,} added, {summary.changed:,} updated, {summary.rejected:,} rejected"
        f" in {seconds:.1f} s ({rate:,.0f} rows a second)"
    )


def _format_of(file: str) -> Format:
    suffix = Path(file).suffix.lower().removeprefix(".")
    if suffix not in set(Format):
        raise typer.BadParameter(
            "the name does not end in .csv or .ndjson: state the format with --format", param_hint="FILE"
        )
    return Format(suffix)
