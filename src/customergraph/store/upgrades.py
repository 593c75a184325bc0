"""The version of the store: upgrading it, and checking whether it is the newest."""

import warnings
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import SAWarning

from customergraph.errors import BehindPgbouncer, CommandRefused, StoreNewer, StoreOutdated
from customergraph.store import access, embedded, feed, history, keys
from customergraph.store.database import Database
from customergraph.store.postgresql_indexes import NAME_PREFIX_INDEX, SEARCH_INDEX
from customergraph.store.problems import DeletionUnfinished, Problem
from customergraph.store.tables import metadata

REPLACED_INDEX = "ix_customer_project_id_is_archived_email_key_id"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def newest() -> str | None:
    """Return the version that this package needs."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _version(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def upgrade(database: Database) -> bool:
    """Bring the store up to date; returns whether there was anything to do.

    Upgrades of the same store at the same time wait for each other. Raises StoreNewer and BehindPgbouncer.
    """
    if database.backend.options.pgbouncer:
        raise BehindPgbouncer
    async with database.upgrading():
        is_migrated = await _migrate(database)
        is_index_made = await database.backend.add_missing_indexes()
        is_rewritten = await keys.rewrite(database)
        await _drop_replaced_index(database)
    return is_migrated or is_index_made or is_rewritten


async def _migrate(database: Database) -> bool:
    async with database.unbound(writing=True) as connection:
        version = await connection.run_sync(_version)
        if version == newest():
            return False
        if _is_newer(version):
            raise _refusal(version)
        await connection.run_sync(_upgrade)
    return True


async def _drop_replaced_index(database: Database) -> None:
    # Last of all: older workers that still serve sort by it.
    async with database.unbound(writing=True) as connection:
        await connection.exec_driver_sql(f"DROP INDEX IF EXISTS {REPLACED_INDEX}")


async def _refuse_other_version(database: Database) -> None:
    """Raise StoreOutdated for a store, or keys, of an older version, and StoreNewer."""
    async with database.unbound() as connection:
        version = await connection.run_sync(_version)
        if version != newest():
            raise _refusal(version)
        problem = await keys.version_problem(connection)
    if problem:
        raise StoreOutdated(problem)


def _is_newer(version: str | None) -> bool:
    versions = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    return version is not None and version not in versions


def _refusal(version: str | None) -> CommandRefused:
    if _is_newer(version):
        return StoreNewer(version)
    return StoreOutdated(f"the store's schema is behind (version {version or 'none'}, needed {newest()})")


async def ready(database: Database) -> None:
    """Make an embedded store that is new; raise CommandRefused for a store of another version."""
    path = database.backend.path
    if path is not None and embedded.is_new(path):
        await upgrade(database)
    await _refuse_other_version(database)


def _is_compared(name: str | None, _kind: str, _parents: object) -> bool:
    # The one exists only where PostgreSQL has its extensions, the other is of an expression.
    return name not in {SEARCH_INDEX, NAME_PREFIX_INDEX}


def _differences(connection: Connection) -> list[Problem]:
    context = MigrationContext.configure(connection, opts={"include_name": _is_compared})
    with warnings.catch_warnings():
        # SQLAlchemy does not read an index of an expression back from SQLite, and warns of it.
        warnings.filterwarnings("ignore", f"Skipped unsupported reflection .* {NAME_PREFIX_INDEX}", SAWarning)
        differences = compare_metadata(context, metadata)
    return [Problem(f"differs from the schema: {difference!r}") for difference in differences]


async def problems(database: Database) -> list[Problem]:
    """Check the store's schema, integrity, keys and customers' summaries.

    Raises CommandRefused for a store of another version, which is not checked further.
    """
    await _refuse_other_version(database)
    async with database.unbound() as connection:
        found = await connection.run_sync(_differences)
        found += await database.backend.integrity_problems(connection)
    for project in await access.projects(database):
        if project.deleted_at:
            found.append(DeletionUnfinished(f"project {project.slug}: its deletion is not complete"))
        found += await keys.problems(database, project)
        async with database.read(project.id) as read:
            stale = await history.count_stale_summaries(read)
            feed_problem = None if project.deleted_at else await feed.problem(read)
        if feed_problem:
            found.append(Problem(f"project {project.slug}: {feed_problem}"))
        if stale:
            found.append(
                Problem(
                    f"project {project.slug}: {stale} customers have an asked, messaged or reviewed time"
                    " that does not follow from their history"
                )
            )
    return found
