"""The command `export`."""

from pathlib import Path
from typing import Annotated

import typer

from customergraph.cli.console import progress_bar, report
from customergraph.cli.jobs import on_store
from customergraph.cli.options import DatabaseUrl, ProjectSlug
from customergraph.exporting import ExportFormat, export


def export_project(
    folder: Annotated[Path, typer.Argument(help="A folder that is new or empty.")],
    slug: ProjectSlug,
    format_: Annotated[ExportFormat, typer.Option("--format", help="The format of the files.")] = ExportFormat.NDJSON,
    database_url: DatabaseUrl = None,
) -> None:
    """Write a project to files that can be imported, from one snapshot, with the feed's cursor."""
    with progress_bar("rows") as progress:
        task = progress.add_task(f"exporting {slug}", total=None)
        counts = on_store(
            database_url,
            lambda database: export(database, slug, folder, format_, lambda rows: progress.advance(task, rows)),
        )
    report(f"{folder}: " + ", ".join(f"{count:,} {name}" for name, count in counts.items()))
