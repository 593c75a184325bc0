"""The commands `db upgrade`, `db backup` and `db check`."""

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from customergraph.cli.console import report, report_problem
from customergraph.cli.jobs import on_any_store
from customergraph.cli.options import DatabaseUrl, examples
from customergraph.cli.remedies import with_remedy
from customergraph.errors import CommandRefused, StoreOnServer
from customergraph.store import backups, upgrades
from customergraph.store.database import Database

commands = typer.Typer(
    no_args_is_help=True, help="The store: upgrade it, check it, back it up.", epilog=examples("customergraph db check")
)


@commands.command(
    "upgrade",
    epilog=examples(
        "customergraph db upgrade",
        "customergraph db upgrade --database-url postgresql+asyncpg://user:password@host/database",
    ),
)
def upgrade(database_url: DatabaseUrl = None) -> None:
    """Bring the store up to date."""

    async def upgrade_store(database: Database) -> bool:
        has_changed = await upgrades.upgrade(database)
        await backups.take_into_use(database)
        return has_changed

    has_changed = on_any_store(database_url, upgrade_store, may_be_made=True)
    report("The store was upgraded." if has_changed else "The store is up to date.")


@commands.command("backup", epilog=examples("customergraph db backup backup.db"))
def back_up(
    file: Annotated[Path, typer.Argument(help="A new file, or an earlier backup, which is replaced.")],
    database_url: DatabaseUrl = None,
) -> None:
    """Copy the embedded store to a file while it serves, and check the copy."""

    async def back_up_store(database: Database) -> int:
        try:
            return await backups.back_up(database, file)
        except StoreOnServer as error:
            raise CommandRefused(f"{error}: {_pg_dump(error.address, file)}") from None

    size = on_any_store(database_url, back_up_store)
    report(f"The store was backed up to {file} ({size:,} bytes).")


def _pg_dump(address: str, file: Path) -> str:
    # pg_dump asks for the password, or reads it from .pgpass.
    return f"pg_dump --format=custom --file={quote(str(file))} {quote(address)}"


@commands.command("check", epilog=examples("customergraph db check"))
def check(database_url: DatabaseUrl = None) -> None:
    """Check whether the store is up to date and consistent."""
    problems = on_any_store(database_url, upgrades.problems)
    for problem in problems:
        report_problem(with_remedy(problem))
    if problems:
        raise SystemExit(1)
    report("The store is up to date and consistent.")
