"""The commands `project create`, `project list`, `project rename` and `project delete`."""

import re
import sys
from functools import partial
from typing import Annotated

import typer

from customergraph.cli.console import print_list, progress_bar, report, written
from customergraph.cli.jobs import on_store
from customergraph.cli.options import AsJson, DatabaseUrl, checked, examples
from customergraph.domain import text, timestamps
from customergraph.errors import CommandRefused
from customergraph.store import access, deletions

commands = typer.Typer(
    no_args_is_help=True,
    help="Projects, whose data is kept apart.",
    epilog=examples("customergraph project create acme --name Acme"),
)

_SLUG = re.compile(r"(?=.{1,100}\Z)[a-z0-9]+(-[a-z0-9]+)*")

Slug = Annotated[str, typer.Argument(help="The project's slug.")]


@commands.command(
    "create",
    epilog=examples(
        "customergraph project create acme --name Acme",
        "customergraph project create acme --name Acme --timezone Europe/Berlin",
    ),
)
def create(
    slug: Annotated[str, typer.Argument(help="Its name in commands and addresses, like `acme`.")],
    name: Annotated[str, typer.Option(help="Its name for people.")],
    timezone: Annotated[str, typer.Option(help="Its IANA time zone, in which its days begin.")] = "UTC",
    database_url: DatabaseUrl = None,
) -> None:
    """Add a project."""
    _refuse_bad_slug(slug, "SLUG")
    name = _name(name)
    zone = checked("--timezone", timestamps.zone_name, timezone)
    on_store(database_url, lambda database: access.create_project(database, slug, name, zone), may_be_made=True)
    report(f"Project {slug} was created.")


def _refuse_bad_slug(slug: str, option: str) -> None:
    if not _SLUG.fullmatch(slug):
        raise typer.BadParameter("use lower-case letters, digits and single hyphens, at most 100", param_hint=option)


def _name(name: str) -> str:
    return checked("--name", partial(text.required, longest=255), name)


@commands.command("list", epilog=examples("customergraph project list", "customergraph project list --json"))
def list_all(
    as_json: AsJson = False,  # noqa: FBT002 - as Typer declares flags
    database_url: DatabaseUrl = None,
) -> None:
    """List all projects."""
    rows = on_store(database_url, access.projects, reads_only=True)
    print_list(
        ("slug", "name", "timezone", "uuid", "deleted_at"),
        [(row.slug, row.name, row.timezone, str(row.uuid), written(row.deleted_at)) for row in rows],
        as_json=as_json,
    )


@commands.command(
    "rename",
    epilog=examples(
        "customergraph project rename acme --name 'Acme Inc.'", "customergraph project rename acme --slug acme-inc"
    ),
)
def rename(
    slug: Slug,
    name: Annotated[str | None, typer.Option(help="Its new name for people.")] = None,
    new_slug: Annotated[str | None, typer.Option("--slug", help="Its new name in commands.")] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Change a project's name or slug. Its tokens, ids and cursors stay valid."""
    if name is None and new_slug is None:
        raise typer.BadParameter("state what changes", param_hint="--name or --slug")
    if new_slug is not None:
        _refuse_bad_slug(new_slug, "--slug")
    name = None if name is None else _name(name)
    on_store(database_url, lambda database: access.rename_project(database, slug, new_slug, name))
    report(f"Project {slug} was renamed.")


@commands.command(
    "delete",
    epilog=examples("customergraph project delete acme", "customergraph project delete acme --confirm acme"),
)
def delete(
    slug: Slug,
    confirm: Annotated[
        str | None, typer.Option(help="The slug once more; without it, the command asks for it.", metavar="SLUG")
    ] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Delete a project with its tokens, its customers and all else. It cannot be brought back.

    Its tokens are revoked first, and imports into it stop. A deletion that was interrupted is completed by the
    same command.
    """
    if confirm is None and (sys.stdin is None or not sys.stdin.isatty()):
        raise typer.BadParameter("repeat the slug, since there is no terminal to ask on", param_hint="--confirm")
    if confirm not in {None, slug}:
        raise typer.BadParameter(f"is not the slug {slug!r}", param_hint="--confirm")
    customers = on_store(database_url, lambda database: deletions.count_customers(database, slug))
    if confirm is None:
        _ask(slug, customers)
    with progress_bar("rows") as progress:
        task = progress.add_task(f"deleting {slug}", total=None)
        rows = on_store(
            database_url,
            lambda database: deletions.delete_project(
                database,
                slug,
                lambda total: progress.update(task, total=total),
                lambda count: progress.advance(task, count),
            ),
        )
    report(f"Project {slug} was deleted ({rows:,} rows).")


def _ask(slug: str, customers: int) -> None:
    report(f"The project {slug} with {customers:,} customers will be deleted, and cannot be brought back.")
    report("Type its slug to delete it:")
    if sys.stdin.readline().strip() != slug:
        raise CommandRefused("nothing was deleted: that is not the slug")
