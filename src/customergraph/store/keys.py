"""The keys for search and sort: checking that they follow from the texts, and rewriting them.

One version of the rules makes all keys (`KEYS_VERSION`), and the store records which. An upgrade rewrites
the keys that differ, in transactions of one batch each, while others read and write.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import BigInteger, Select, Table, bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import Executable

from customergraph.domain.customer import derived
from customergraph.domain.text import KEYS_VERSION, fold
from customergraph.store import access, bulk, mailboxes
from customergraph.store.batches import among
from customergraph.store.database import Database
from customergraph.store.problems import MailboxShared, Problem, WrongKeys
from customergraph.store.tables import customer, location, store_fact, tag
from customergraph.store.tenancy import in_project
from customergraph.store.transactions import Transaction, Write

BATCH_SIZE = 1_000
_VERSION = "keys_version"

Row = Any
Changes = dict[int, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class KeyedTable:
    """A table with keys, the texts that the keys follow from, and the rule.

    `keep_apart` changes the keys that would equal another row's.
    """

    table: Table
    texts: tuple[str, ...]
    derive: Callable[[Mapping[str, Any]], dict[str, Any]]
    keys: tuple[str, ...]
    keep_apart: Callable[[Transaction, Sequence[Row], Changes], Awaitable[None]] | None = None

    def _rows(self) -> Select[Any]:
        columns = (self.table.c[name] for name in ("id", *self.texts, *self.keys))
        return select(*columns).where(in_project(self.table)).order_by(self.table.c.id)

    def batch(self) -> Executable:
        """Select the next rows after the parameter `after_id`."""
        return self._rows().where(self.table.c.id > bindparam("after_id", type_=BigInteger)).limit(BATCH_SIZE)

    def locked(self) -> Executable:
        """Select the rows of the parameter `ids`, and keep others from changing them."""
        return self._rows().where(among(self.table.c.id, "ids")).with_for_update()

    async def changes(self, transaction: Transaction, rows: Sequence[Row]) -> Changes:
        """Return the right keys of each row with a wrong one, by the row's id."""
        keys = {row.id: self.derive(_values(row, self.texts)) for row in rows}
        if self.keep_apart:
            await self.keep_apart(transaction, rows, keys)
        return {row.id: keys[row.id] for row in rows if _values(row, self.keys) != keys[row.id]}


def _values(row: Row, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _name_key(columns: Mapping[str, Any]) -> dict[str, Any]:
    return {"name_key": fold(columns["name"])}


_CUSTOMER_TEXTS = ("first_name", "last_name", "email", "company", "phone")
_CUSTOMER_KEYS = ("name_key", "email_key", "email_sort_key", "company_key", "search_key")
KEYED_TABLES = (
    KeyedTable(location, ("name",), _name_key, ("name_key",)),
    KeyedTable(tag, ("name",), _name_key, ("name_key",)),
    KeyedTable(customer, _CUSTOMER_TEXTS, derived, _CUSTOMER_KEYS, mailboxes.keep_apart),
)


async def version_problem(connection: AsyncConnection) -> str | None:
    """Return what is wrong when another version made the store's keys; None when this one did."""
    stored = await connection.scalar(select(store_fact.c.value).where(store_fact.c.name == _VERSION))
    if stored == KEYS_VERSION:
        return None
    return f"the store's search keys are of another version ({stored or 'none'}, needed {KEYS_VERSION})"


async def problems(database: Database, project: Any) -> list[Problem]:
    """Compare all keys of a project with the texts that they follow from."""
    found: list[Problem] = []
    for keyed in KEYED_TABLES:
        wrong = sum([len(changes) async for changes in _wrong(database, project.id, keyed)])
        if wrong:
            subject = f"project {project.slug}: {wrong} rows of {keyed.table.name}"
            found.append(WrongKeys(f"{subject} have keys that do not follow from their texts"))
    async with database.read(project.id) as read:
        shared = await mailboxes.shared(read)
    return found + [MailboxShared(f"project {project.slug}: {line}") for line in shared]


async def rewrite(database: Database) -> bool:
    """Make all keys follow from their texts; returns whether anything changed.

    Reads every row, one batch at a time, and locks only the rows that it changes.
    """
    is_changed = False
    for project in await access.projects(database):
        for keyed in KEYED_TABLES:
            async for changes in _wrong(database, project.id, keyed):
                await database.change(project.id, partial(_mend, keyed=keyed, ids=list(changes)))
                is_changed = True
    return await _write_version(database) or is_changed


async def _wrong(database: Database, project_id: int, keyed: KeyedTable) -> AsyncIterator[Changes]:
    """Read a table in batches; yields the right keys of the rows with wrong ones, for each batch that has any."""
    statement, last = keyed.batch(), 0
    while True:
        async with database.read(project_id) as read:
            rows = await read.rows(statement, {"after_id": last})
            changes = await keyed.changes(read, rows)
        if changes:
            yield changes
        if len(rows) < BATCH_SIZE:
            return
        last = rows[-1].id


async def _mend(write: Write, keyed: KeyedTable, ids: Sequence[int]) -> None:
    # The rows are read again under a lock: an older worker may have changed the texts meanwhile.
    rows = await write.rows(keyed.locked(), {"ids": ids})
    changes = await keyed.changes(write, rows)
    await bulk.set_columns(write, keyed.table.name, changes.items())


async def _write_version(database: Database) -> bool:
    """Write the version of the keys; returns whether the store had another."""
    async with database.unbound(writing=True) as connection:
        if await version_problem(connection) is None:
            return False
        await connection.execute(delete(store_fact).where(store_fact.c.name == _VERSION))
        await connection.execute(insert(store_fact).values(name=_VERSION, value=KEYS_VERSION))
    return True
