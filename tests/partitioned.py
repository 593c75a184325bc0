"""Tests on tables that are partitioned by project, and the plans of their statements.

What touches one partition of a table there goes to one server where Citus has spread the projects.
"""

import asyncio
import json
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import make_url

from customergraph.store.tables import is_tenants, metadata
from stores import PostgreSQLServer, contrib_programs

# Names the folder for the servers' logs; then the tests' PostgreSQL has partitions.
FOLDER = "CUSTOMERGRAPH_TESTS_PARTITIONED"
PARTITIONS = 2

_SETTINGS = {
    "session_preload_libraries": "auto_explain",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_format": "json",
    # The gateway and its commands give their name; the tests' own statements have none.
    "log_line_prefix": "%a ",
    # Each table has some hundred indexes with its partitions.
    "max_locks_per_transaction": "1024",
}
_PLAN = re.compile(r"^customergraph LOG: [^\n]* plan:\n(\t\{\n.*?\n\t\})$", re.DOTALL | re.MULTILINE)
_PARTITION = re.compile(r"(\w+)_p\d$")

_CONSTRAINTS = """
    SELECT conrelid::regclass::text AS table, conname AS name, contype = 'f' AS is_reference,
           CASE contype WHEN 'p' THEN 'PRIMARY KEY (' || $2 || ')' ELSE pg_get_constraintdef(oid) END AS definition
    FROM pg_constraint WHERE conrelid = $1::text::regclass AND contype IN ('p', 'u', 'f')"""
_INDEXES = """
    SELECT pg_get_indexdef(indexrelid) AS definition FROM pg_index WHERE indrelid = $1::text::regclass
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))"""


@contextmanager
def logging_server(port: int, folder: Path) -> Iterator[PostgreSQLServer]:
    """Run a server that logs the plan of each statement; its log is in the folder when it has ended."""
    with PostgreSQLServer(port, contrib_programs(), _SETTINGS) as server:
        yield server
        server.stop("fast")
        shutil.copy(server.log, folder / f"{port}.log")
        server.start()


def partition(url: str) -> None:
    """Partition the tenants' tables of an empty store by project."""
    asyncio.run(_partition(url))


async def _partition(url: str) -> None:
    connection = await asyncpg.connect(make_url(url).set(drivername="postgresql").render_as_string())
    tables = [table for table in metadata.sorted_tables if is_tenants(table)]
    async with connection.transaction():
        structures = {table.name: await _structure(connection, table.name, _key(table)) for table in tables}
        for table in reversed(tables):
            await _drop(connection, structures[table.name])
        for table in tables:
            await _replace(connection, table.name, has_id="id" in table.c)
        for table in tables:
            await _make(connection, structures[table.name])
    await connection.close()


def _key(table: Any) -> str:
    names = [column.name for column in table.primary_key]
    return ", ".join(names if "project_id" in names else ["project_id", *names])


@dataclass(frozen=True, slots=True)
class _Structure:
    """The constraints and the indexes of a table."""

    constraints: Sequence[Any]
    indexes: Sequence[str]


async def _structure(connection: Any, table: str, key: str) -> _Structure:
    constraints = await connection.fetch(_CONSTRAINTS, table, key)
    indexes = [row["definition"] for row in await connection.fetch(_INDEXES, table)]
    return _Structure(sorted(constraints, key=lambda row: bool(row["is_reference"])), indexes)


async def _drop(connection: Any, structure: _Structure) -> None:
    for row in reversed(structure.constraints):
        await connection.execute(f"ALTER TABLE {row['table']} DROP CONSTRAINT {row['name']}")


async def _replace(connection: Any, table: str, *, has_id: bool) -> None:
    """Put a partitioned table in the place of a table, whose ids go on."""
    await connection.execute(f"ALTER TABLE {table} RENAME TO whole_{table}")
    like = f"LIKE whole_{table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED"
    await connection.execute(f"CREATE TABLE {table} ({like}) PARTITION BY HASH (project_id)")
    if has_id:
        await connection.execute(f"ALTER SEQUENCE {table}_id_seq OWNED BY {table}.id")
    await connection.execute(f"DROP TABLE whole_{table}")
    for number in range(PARTITIONS):
        bounds = f"FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {number})"
        await connection.execute(f"CREATE TABLE {table}_p{number} PARTITION OF {table} {bounds}")


async def _make(connection: Any, structure: _Structure) -> None:
    for row in structure.constraints:
        await connection.execute(f"ALTER TABLE {row['table']} ADD CONSTRAINT {row['name']} {row['definition']}")
    for definition in structure.indexes:
        await connection.execute(definition)


@dataclass(frozen=True, slots=True)
class Plan:
    """The text of a statement, and the partitions of tenants' tables that its plan reads."""

    statement: str
    partitions: frozenset[str]

    @property
    def is_of_one_project(self) -> bool:
        """Whether it reads at most one partition of each table."""
        tables = [name.rpartition("_p")[0] for name in self.partitions]
        return len(tables) == len(set(tables))


def plans_in(folder: Path) -> list[Plan]:
    """Return the plans of all the package's statements on partitions that the logs in a folder have."""
    plans = (_plan(json.loads(text)) for log in folder.glob("*.log") for text in _PLAN.findall(log.read_text("utf-8")))
    return [plan for plan in plans if plan.partitions]


def _plan(explained: Any) -> Plan:
    return Plan(" ".join(explained["Query Text"].split()), frozenset(_partitions(explained["Plan"])))


def _partitions(node: Any) -> Iterator[str]:
    name = node.get("Relation Name", "")
    if _PARTITION.fullmatch(name):
        yield name
    for child in node.get("Plans", ()):
        yield from _partitions(child)
