"""The commands `project create` and `project list`."""

import re
from functools import partial
from typing import Annotated

import typer

from customergraph.cli.console import print_table, report
from customergraph.cli.jobs import on_store
from customergraph.cli.options import DatabaseUrl, checked
from customergraph.domain import text, timestamps
from customergraph.store import access

commands = typer.Typer(no_args_is_help=True, help="Projects, whose data is kept apart.")

_SLUG = re.compile(r"(?=.{1,100}\Z)[a-z0-9]+(-[a-z0-9]+)*")


@commands.command("create")
def create(
    slug: Annotated[str, typer.Argument(help="Its name in commands and addresses, like `acme`.")],
    name: Annotated[str, typer.Option(help="Its name for people.")],
    timezone: Annotated[str, typer.Option(help="Its IANA time zone, in which its days begin.")] = "UTC",
    database_url: DatabaseUrl = None,
) -> None:
    """Add a project."""
    if not _SLUG.fullmatch(slug):
        raise typer.BadParameter("use lower-case letters, digits and single hyphens, at most 100", param_hint="SLUG")
    name = checked("--name", partial(text.required, longest=255), name)
    zone = checked("--timezone", timestamps.zone_name, timezone)
    on_store(database_url, lambda database: access.create_project(database, slug, name, zone), may_be_made=True)
    report(f"Project {slug} was created.")


@commands.command("list")
def list_all(database_url: DatabaseUrl = None) -> None:
    """List all projects."""
    rows = on_store(database_url, access.projects, reads_only=True)
    print_table(
        ("slug", "name", "timezone", "uuid"), [(row.slug, row.name, row.timezone, str(row.uuid)) for row in rows]
    )
