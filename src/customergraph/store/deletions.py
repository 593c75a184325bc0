"""The deletion of a project with all that belongs to it, in batches, while other projects are served.

It can be begun again after it was interrupted.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Table, bindparam, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql import Executable

from customergraph.domain import timestamps
from customergraph.errors import UnknownProject
from customergraph.store.change_log import recorded
from customergraph.store.database import Database
from customergraph.store.statements import cached
from customergraph.store.tables import customer, is_tenants, metadata, project, token
from customergraph.store.tenancy import in_project
from customergraph.store.transactions import Write

BATCH_ROWS = 1_000
# A revoked token is served for less than this (contract, section 1).
REVOKED_WITHIN = timedelta(seconds=5)

# Rows that refer to others come before those.
_TABLES = [table for table in reversed(metadata.sorted_tables) if is_tenants(table)]


@dataclass(frozen=True, slots=True)
class Batch:
    """The keys of a table from which a batch begins and with which it ends, and how many rows it had."""

    first: Any
    last: Any
    rows: int


async def count_customers(database: Database, slug: str) -> int:
    """Count the customers of a project, whose deletion may have begun; raises UnknownProject."""
    return await _count(database, (await _project(database, slug)).id, customer)


async def delete_project(
    database: Database, slug: str, counted: Callable[[int], None], advance: Callable[[int], None]
) -> int:
    """Delete a project with all its rows; returns how many there were.

    Its tokens are revoked first, and imports into it stop. `counted` is called with the number of its rows, and
    `advance` with that of each batch. Raises UnknownProject.
    """
    row = await _project(database, slug)
    await asyncio.sleep(await _close(database, row.id))
    counted(sum([await _count(database, row.id, table) for table in _TABLES]))
    deleted = 0
    while True:
        for table in _TABLES:
            async for batch in _batches(database, row.id, table):
                deleted += batch.rows
                advance(batch.rows)
        if await _remove(database, row.id):
            return deleted


async def _project(database: Database, slug: str) -> Any:
    async with database.unbound() as connection:
        row = (await connection.execute(select(project.c.id).where(project.c.slug == slug))).first()
    if row is None:
        raise UnknownProject(slug)
    return row


async def _count(database: Database, project_id: int, table: Table) -> int:
    statement = select(func.count()).select_from(table).where(in_project(table))
    async with database.read(project_id) as read:
        return int(await read.value(statement))


async def _close(database: Database, project_id: int) -> float:
    """Revoke a project's tokens and refuse imports; returns the seconds for which its tokens may still be served."""
    now = timestamps.now()
    of_project = token.c.project_id == project_id
    async with database.unbound(writing=True) as connection:
        begins = update(project).where(project.c.id == project_id, project.c.deleted_at.is_(None))
        await connection.execute(begins.values(deleted_at=now))
        # Commands that make tokens have waited for the lock of the project, or this has waited for them.
        await connection.execute(update(token).where(of_project, token.c.revoked_at.is_(None)).values(revoked_at=now))
        revoked_at = await connection.scalar(select(func.max(token.c.revoked_at)).where(of_project))
    if revoked_at is None:
        return 0
    left: timedelta = revoked_at + REVOKED_WITHIN - now
    return min(max(left, timedelta()), REVOKED_WITHIN).total_seconds()


def _key(table: Table) -> Column[Any]:
    """Return the column by whose index the rows of a project are walked through."""
    return table.c.uuid if "uuid" in table.c else [*table.primary_key][:2][-1]


@cached
def _keys(table: Table) -> Executable:
    # Rows before `first` are deleted, but PostgreSQL would still read them.
    from_first = _key(table) >= bindparam("first", type_=_key(table).type)
    return select(_key(table)).where(in_project(table), from_first).order_by(_key(table)).limit(BATCH_ROWS)


@cached
def _deletion(table: Table) -> Executable:
    first, last = (bindparam(name, type_=_key(table).type) for name in ("first", "last"))
    # The feed, which would tell of it, is deleted too, and nobody can read it any more.
    return recorded(delete(table).where(in_project(table), _key(table) >= first, _key(table) <= last))


async def _batches(database: Database, project_id: int, table: Table) -> AsyncIterator[Batch]:
    """Delete the rows of a table, each batch in a transaction of its own."""
    first: Any = UUID(int=0) if "uuid" in table.c else 0
    while True:
        began = time.monotonic()
        batch = await database.change(project_id, partial(_delete_batch, table=table, first=first))
        if not batch.rows:
            return
        yield batch
        first = batch.last
        # Writers of other projects get at least half of the time.
        await asyncio.sleep(time.monotonic() - began)


async def _delete_batch(write: Write, table: Table, first: Any) -> Batch:
    keys = await write.rows(_keys(table), {"first": first})
    if not keys:
        return Batch(first, first, 0)
    last = keys[-1][0]
    return Batch(first, last, await write.change(_deletion(table), {"first": first, "last": last}))


async def _remove(database: Database, project_id: int) -> bool:
    """Delete the project itself, with its tokens; returns False where rows were added meanwhile."""
    try:
        async with database.unbound(writing=True) as connection:
            await connection.execute(delete(token).where(token.c.project_id == project_id))
            await connection.execute(delete(project).where(project.c.id == project_id))
    except IntegrityError:
        return False
    return True
