"""The store's version: bringing it up to date, and telling when it is not."""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from customergraph.errors import CommandRefused
from customergraph.store import access, embedded, history, keys
from customergraph.store.database import Database
from customergraph.store.postgresql import SEARCH_INDEX
from customergraph.store.tables import metadata

REPLACED_INDEX = "ix_customer_project_id_is_archived_email_key_id"
MENDED_BY = "run `customergraph db upgrade`"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def newest() -> str | None:
    """Give the version that this package needs."""
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
    for a store of a newer version, and behind PgBouncer, where locks do not hold.
    """
    if database.backend.connecting.pgbouncer:
        raise CommandRefused(
            "an upgrade cannot go through PgBouncer: run it with the URL of PostgreSQL itself,"
            " and CUSTOMERGRAPH_PGBOUNCER=false"
        )
    async with database.upgrading():
        migrated = await _migrate(database)
        indexed = await database.backend.index_search()
        sort_indexed = await database.backend.index_email_sort()
        rewritten = await keys.rewrite(database)
        await _drop_replaced_index(database)
    return migrated or indexed or sort_indexed or rewritten


async def _migrate(database: Database) -> bool:
    async with database.unbound(writing=True) as connection:
        found = await connection.run_sync(_version)
        if found == newest():
            return False
        if _is_newer(found):
            raise CommandRefused(_problem(found))
        await connection.run_sync(_upgrade)
    return True


async def _drop_replaced_index(database: Database) -> None:
    # Last of all: an older worker, which still serves, sorts by it.
    async with database.unbound(writing=True) as connection:
        await connection.exec_driver_sql(f"DROP INDEX IF EXISTS {REPLACED_INDEX}")


async def version_problem(database: Database) -> str | None:
    """Say what is wrong with the store's version and that of its keys; None when both are the newest."""
    async with database.unbound() as connection:
        found = await connection.run_sync(_version)
        if found != newest():
            return _problem(found)
        problem = await keys.version_problem(connection)
    return problem and f"{problem}: {MENDED_BY}"


def _is_newer(version: str | None) -> bool:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    return version is not None and version not in known


def _problem(version: str | None) -> str:
    if _is_newer(version):
        return f"the store was made by a newer customergraph (its version is {version}): upgrade customergraph"
    return f"the store's schema is behind (version {version or 'none'}, needed {newest()}): {MENDED_BY}"


async def ready(database: Database) -> None:
    """Make an embedded store that is new; raise CommandRefused when the store's schema is behind."""
    path = database.backend.path
    if path is not None and embedded.is_new(path):
        await upgrade(database)
    problem = await version_problem(database)
    if problem:
        raise CommandRefused(problem)


def _is_compared(name: str | None, _kind: str, _parents: object) -> bool:
    # It is there where its extensions may be.
    return name != SEARCH_INDEX


def _differences(connection: Connection) -> list[str]:
    context = MigrationContext.configure(connection, opts={"include_name": _is_compared})
    return [f"differs from the schema: {difference!r}" for difference in compare_metadata(context, metadata)]


async def problems(database: Database) -> list[str]:
    """Check the store's version, structure, integrity, keys and remembered history; gives a line for each problem."""
    problem = await version_problem(database)
    if problem:
        return [problem]
    async with database.unbound() as connection:
        found = await connection.run_sync(_differences)
        found += await database.backend.integrity_problems(connection)
    for project in await access.projects(database):
        found += await keys.problems(database, project)
        async with database.read(project.id) as read:
            untrue = await history.count_stale_summaries(read)
        if untrue:
            found.append(
                f"project {project.slug}: {untrue} customers have an asked, messaged or reviewed time"
                " that their history does not bear out"
            )
    return found
