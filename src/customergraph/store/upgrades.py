"""The store's version: bringing it up to date, and telling when it is not."""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from customergraph.errors import CommandRefused
from customergraph.store import access, history
from customergraph.store.database import Database, embedded_path
from customergraph.store.tables import metadata

MENDED_BY = "run `customergraph db upgrade`"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _newest() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def _version(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def upgrade(database: Database) -> bool:
    """Bring the store up to date; tells whether there was anything to do.

    Upgrades of the same store at the same time wait for each other. Raises CommandRefused
    for a store of a newer version.
    """
    async with database.unbound(writing=True) as connection:
        found = await connection.run_sync(_version)
        if found == _newest():
            return False
        if _is_newer(found):
            raise CommandRefused(_problem(found))
        await connection.run_sync(_upgrade)
    return True


async def version_problem(database: Database) -> str | None:
    """Say what is wrong with the store's version; None when it is the newest."""
    async with database.unbound() as connection:
        found = await connection.run_sync(_version)
    return None if found == _newest() else _problem(found)


def _is_newer(version: str | None) -> bool:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    return version is not None and version not in known


def _problem(version: str | None) -> str:
    if _is_newer(version):
        return f"the store was made by a newer customergraph (its version is {version}): upgrade customergraph"
    return f"the store's schema is behind (version {version or 'none'}, needed {_newest()}): {MENDED_BY}"


async def ready(database: Database) -> None:
    """Make an embedded store that is new; raise CommandRefused when the store's schema is behind."""
    if not embedded_path(database.url).exists():
        await upgrade(database)
    problem = await version_problem(database)
    if problem:
        raise CommandRefused(problem)


def _differences(connection: Connection) -> list[str]:
    context = MigrationContext.configure(connection)
    return [f"differs from the schema: {difference!r}" for difference in compare_metadata(context, metadata)]


async def problems(database: Database) -> list[str]:
    """Check the store's version, structure, integrity and remembered history; gives a line for each problem."""
    problem = await version_problem(database)
    if problem:
        return [problem]
    async with database.unbound() as connection:
        found = await connection.run_sync(_differences)
        integrity = (await connection.execute(text("PRAGMA integrity_check"))).scalars().all()
        found += [f"is damaged: {line}" for line in integrity if line != "ok"]
        dangling = (await connection.execute(text("PRAGMA foreign_key_check"))).all()
        found += [f"a row of {row[0]} (rowid {row[1]}) refers to a missing {row[2]}" for row in dangling]
    for project in await access.projects(database):
        async with database.read(project.id) as read:
            untrue = await history.count_untrue(read)
        if untrue:
            found.append(
                f"project {project.slug}: {untrue} customers have an asked, messaged or reviewed time"
                " that their history does not bear out"
            )
    return found
