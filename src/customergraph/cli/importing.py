"""The commands `import KIND` and `import map`."""

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from customergraph import streams
from customergraph.cli import import_reports
from customergraph.cli.console import progress_bar, report_problem
from customergraph.cli.jobs import INTERRUPTED, TERMINATED, Reported, on_store
from customergraph.cli.options import DatabaseUrl, ProjectSlug, checked, examples
from customergraph.domain import timestamps
from customergraph.errors import CommandRefused
from customergraph.exporting import ExportFormat
from customergraph.importing import decoding, importer, mapping, reading, suggesting
from customergraph.importing.files import SUFFIXES, Format, format_of, refuse_device
from customergraph.importing.importer import Manner, Progress, Source
from customergraph.importing.kinds import IMPORT_KINDS, ImportKindName
from customergraph.importing.reading import DayOrder, Meaning, Unit
from customergraph.importing.rejects import Rejects
from customergraph.importing.summary import Summary
from customergraph.saving.kinds import OnKnown

_SUFFIXES = f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"

File = Annotated[str, typer.Argument(help=f"A file ({_SUFFIXES}), or - for standard input.")]
FormatOption = Annotated[
    Format | None, typer.Option("--format", help="The file's format, where its name does not end in it.")
]
Encoding = Annotated[str | None, typer.Option(help="The file's encoding, where it is not UTF-8: like cp1252.")]


class Blank(StrEnum):
    """What a blank cell does to a stored value."""

    KEEP = "keep"
    CLEAR = "clear"


commands = typer.Typer(
    no_args_is_help=True,
    help="Import rows into a project: new ones are added, stored ones are updated.",
    epilog=examples(
        "customergraph import customers customers.csv --project acme",
        "customergraph import customers shopify.csv --project acme --map shopify --dry-run",
        "customergraph import reviews - --format ndjson --project acme --strict",
    ),
)


def import_file(
    context: typer.Context,
    file: File,
    slug: ProjectSlug,
    format_: FormatOption = None,
    map_: Annotated[
        str | None,
        typer.Option(
            "--map",
            metavar="PRESET|FILE.toml",
            help=f"What the columns are: {', '.join(mapping.presets())}, or a file.",
        ),
    ] = None,
    encoding: Encoding = None,
    country: Annotated[str | None, typer.Option(help="The country of phones without a country code, like NL.")] = None,
    days: Annotated[DayOrder | None, typer.Option(help="The order in dates like 01/02/2024.")] = None,
    zone: Annotated[
        str | None, typer.Option(help="The time zone of days, and of times that say none, like Europe/Berlin.")
    ] = None,
    amounts: Annotated[Unit | None, typer.Option(help="The unit of amounts: cents, or 1,234.50.")] = None,
    blank: Annotated[
        Blank, typer.Option(help="Whether a blank cell keeps the stored value, or clears it.")
    ] = Blank.KEEP,
    on_known: Annotated[
        OnKnown, typer.Option(help="What a row does to a stored one; fill: only what is empty in it.")
    ] = OnKnown.UPDATE,
    without_customer: Annotated[bool, typer.Option("--without-customer", help="Keep reviews of nobody.")] = False,  # noqa: FBT002 - as Typer declares flags
    create_tags: Annotated[bool, typer.Option("--create-tags", help="Make unknown tags from their names.")] = False,  # noqa: FBT002
    dry: Annotated[bool, typer.Option("--dry-run", help="Check all rows, and change nothing.")] = False,  # noqa: FBT002
    rejects: Annotated[
        Path | None,
        typer.Option(
            help="The file for rejected rows: a new one, or that of an earlier import.", show_default="FILE.rejects.csv"
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Import nothing where a row is rejected.")] = False,  # noqa: FBT002 - as Typer declares flags
    database_url: DatabaseUrl = None,
) -> None:
    kind = ImportKindName(context.info_name or "")
    format_ = format_ or _format_of(file)
    encoding = encoding and checked("--encoding", decoding.encoding, encoding)
    meaning = Meaning(
        country and checked("--country", reading.country, country),
        days,
        zone and checked("--zone", timestamps.zone_name, zone),
        amounts,
    )
    named = mapping.mapping(map_) if map_ else None
    columns = replace(IMPORT_KINDS[kind], on_known=on_known)
    if without_customer:
        if kind is not ImportKindName.REVIEWS:
            raise typer.BadParameter("only reviews can be without a customer", param_hint="--without-customer")
        columns = replace(columns, without_customer=True, customer_keys=())
    rejects_path = rejects or Path("stdin.rejects.csv" if file == "-" else f"{file}.rejects.csv")
    if rejects_path.exists() and Path(file).exists() and rejects_path.samefile(file):
        report_problem(f"--rejects {rejects_path} would replace FILE")
        raise SystemExit(2)
    # A dry run leaves no file that nobody asked for: it could replace one that is being mended.
    rejected = Rejects(None if dry and rejects is None else rejects_path, marked=encoding is not None)
    manner = Manner(strict=strict, dry=dry, blank_clears=blank is Blank.CLEAR, create_tags=create_tags)
    source = partial(
        Source,
        format=format_,
        kind=columns,
        project_slug=slug,
        encoding=encoding,
        mapping=named,
        meaning=meaning.over(named),
    )
    summary = _imported(database_url, kind, file, source, rejected, manner)
    if summary.rejected:
        import_reports.rejected(summary, rejects_path, manner)
        raise SystemExit(1)


def _imported(
    database_url: str | None,
    kind: ImportKindName,
    file: str,
    source: Callable[[BinaryIO], Source],
    rejects: Rejects,
    manner: Manner,
) -> Summary:
    """Import a file, and report what came of it."""
    started_at = time.monotonic()
    with streams.opened(file) as stream, progress_bar("bytes") as bar:
        refuse_device(stream, "standard input" if file == "-" else file)
        size = None if file == "-" else Path(file).stat().st_size
        task = bar.add_task(f"importing {kind}", total=size)
        progress = Progress(lambda count: bar.advance(task, count), report_problem)
        try:
            summary = on_store(
                database_url, lambda database: importer.run(database, source(stream), rejects, progress, manner)
            )
        except (KeyboardInterrupt, SystemExit) as ended:
            import_reports.interrupted(progress.summary)
            raise Reported(INTERRUPTED if isinstance(ended, KeyboardInterrupt) else TERMINATED) from None
    import_reports.summary(kind, summary, time.monotonic() - started_at, manner)
    return summary


for _kind in ImportKindName:
    commands.command(
        _kind,
        help=f"Import {_kind}. Columns: {', '.join(IMPORT_KINDS[_kind].rules)}.",
        epilog=examples(f"customergraph import {_kind} {_kind}.csv --project acme"),
    )(import_file)


@commands.command("all", epilog=examples("customergraph import all exported --project acme"))
def import_folder(
    folder: Annotated[Path, typer.Argument(help="A folder that `export` wrote.")],
    slug: ProjectSlug,
    database_url: DatabaseUrl = None,
) -> None:
    """Import what `export` wrote, in its order. Reviews of deleted customers are kept without one."""
    rejected = 0
    for kind, path in _exported(folder).items():
        columns = IMPORT_KINDS[kind]
        if kind is ImportKindName.REVIEWS:
            columns = replace(columns, without_customer=True, customer_keys=())
        format_, rejects_path = Format(path.suffix.removeprefix(".")), Path(f"{path}.rejects.csv")
        source = partial(Source, format=format_, kind=columns, project_slug=slug)
        summary = _imported(database_url, kind, str(path), source, Rejects(rejects_path), Manner())
        if summary.rejected:
            import_reports.rejected(summary, rejects_path, Manner())
        rejected += summary.rejected
    if rejected:
        raise SystemExit(1)


def _exported(folder: Path) -> dict[ImportKindName, Path]:
    """Return the file of each kind, in the order in which they refer to each other."""
    files = {kind: [folder / f"{kind}.{format_}" for format_ in ExportFormat] for kind in ImportKindName}
    found = {kind: path for kind, paths in files.items() for path in paths if path.is_file()}
    missing = [kind for kind in ImportKindName if kind not in found]
    if missing:
        raise CommandRefused(f"{folder} has no file of {', '.join(missing)}: it is not one that was exported")
    return found


@commands.command("map", epilog=examples("customergraph import map --suggest export.csv --kind customers"))
def suggest(
    file: Annotated[str, typer.Option("--suggest", help=f"A file to begin a mapping for ({_SUFFIXES}).")],
    kind: Annotated[ImportKindName, typer.Option(help="What the rows are.")] = ImportKindName.CUSTOMERS,
    format_: FormatOption = None,
    encoding: Encoding = None,
) -> None:
    """Print a mapping to begin with, from the names of a file's columns that are known."""
    format_ = format_ or _format_of(file)
    encoding = encoding and checked("--encoding", decoding.encoding, encoding)
    with streams.opened(file) as stream:
        refuse_device(stream, file)
        sys.stdout.write(suggesting.suggestion(stream, format_, encoding, IMPORT_KINDS[kind]))


def _format_of(file: str) -> Format:
    format_ = format_of(Path(file).suffix)
    if format_ is None:
        raise typer.BadParameter(
            f"the name does not end in {_SUFFIXES}: state the format with --format", param_hint="FILE"
        )
    return format_
