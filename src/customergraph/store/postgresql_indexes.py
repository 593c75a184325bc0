"""The indexes of PostgreSQL that are made while others write, which no transaction may do."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Dialect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateIndex

from customergraph.store.problems import IndexInvalid, Problem, SearchIndexMissing
from customergraph.store.tables import NAME_PREFIX_SQL, metadata

SEARCH_INDEX = "ix_customer_search"

_EXTENSIONS = ("pg_trgm", "btree_gin")
# Every search reads the whole list of new rows that are not in the index yet: it is kept short.
_SEARCH = (
    f"{SEARCH_INDEX} ON customer USING gin (project_id, search_key gin_trgm_ops) WITH (gin_pending_list_limit = 1024)"
)
# SQLAlchemy does not read an expression's index back, so that it cannot be compared with the tables.
NAME_PREFIX_INDEX = "ix_customer_name_prefix"
_NAME_PREFIX = f"{NAME_PREFIX_INDEX} ON customer (project_id, is_archived, {NAME_PREFIX_SQL})"
_NO_SEARCH_INDEX = "the search index is missing, so a search may read every customer of its project"


async def add_missing(connection: AsyncConnection) -> bool:
    """Make the indexes that are missing or invalid; returns whether one was made.

    The connection commits each statement by itself.
    """
    made = [
        await _add(connection, SEARCH_INDEX, _SEARCH, _EXTENSIONS),
        await _add(connection, NAME_PREFIX_INDEX, _NAME_PREFIX),
    ]
    for name, definition in _declared(connection.dialect):
        made.append(await _add(connection, name, definition))
    return any(made)


def _declared(dialect: Dialect) -> Iterator[tuple[str, str]]:
    """Yield the name and definition of each index that the tables declare."""
    for table in metadata.sorted_tables:
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            statement = str(CreateIndex(index).compile(dialect=dialect))
            yield str(index.name), statement.removeprefix("CREATE INDEX ")


async def _add(connection: AsyncConnection, name: str, definition: str, extensions: Sequence[str] = ()) -> bool:
    if await _is_valid(connection, name):
        return False
    try:
        for extension in extensions:
            await connection.execute(text(f"CREATE EXTENSION IF NOT EXISTS {extension}"))
    except DBAPIError:
        return False  # `problems` says what is missing
    # An upgrade that was killed leaves an invalid index behind.
    await connection.execute(text(f"DROP INDEX IF EXISTS {name}"))
    await connection.execute(text(f"CREATE INDEX CONCURRENTLY {definition}"))
    return True


async def problems(connection: AsyncConnection) -> list[Problem]:
    """Return each invalid index, and whether the search index is missing."""
    invalid = await connection.execute(text("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"))
    found: list[Problem] = [IndexInvalid(f"the index {name} is invalid") for name in invalid.scalars()]
    if not await _is_valid(connection, SEARCH_INDEX):
        missing = await _missing_extensions(connection)
        need = f"; PostgreSQL's extensions {missing} are needed" if missing else ""
        found.append(SearchIndexMissing(f"{_NO_SEARCH_INDEX}{need}"))
    return found


async def _is_valid(connection: AsyncConnection, name: str) -> bool:
    """Return whether an index of this name exists and is complete."""
    statement = text("SELECT indexrelid FROM pg_index WHERE indexrelid = to_regclass(:name) AND indisvalid")
    return await connection.scalar(statement, {"name": name}) is not None


async def _missing_extensions(connection: AsyncConnection) -> str:
    installed = set((await connection.execute(text("SELECT extname FROM pg_extension"))).scalars())
    return " and ".join(name for name in _EXTENSIONS if name not in installed)
