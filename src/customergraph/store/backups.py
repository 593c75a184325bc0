"""Backups of the embedded store: whole, checked, marked, and made while it serves."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from shlex import quote
from threading import Event

from sqlalchemy.engine import URL, make_url

from customergraph.errors import CommandRefused
from customergraph.staging import COMPANIONS, Place
from customergraph.store import embedded
from customergraph.store.database import Database
from customergraph.store.tables import metadata
from customergraph.store.upgrades import newest

# A backup's `user_version`, "CGBK". The application id says already whether the demo made the store.
_MARK = 0x4347424B
_PAGES_AT_ONCE = 1_000
_INSTRUCTIONS_AT_ONCE = 100_000


async def back_up(database: Database, path: Path) -> int:
    """Copy the embedded store to a file, as it is at one moment, while others read and write; gives the file's bytes.

    Only an earlier backup is replaced, and only when the new one is whole. Raises CommandRefused
    where another file would be lost, for a damaged store, and for a store that a server holds.
    """
    store = database.backend.path
    if store is None:
        raise CommandRefused(_other_tool(database.url, path))
    place = Place(path, "backup", lambda target: is_backup(target) and _are_kin(target, store))
    stop = Event()
    try:
        return await asyncio.to_thread(_make, store, place, stop)
    finally:
        stop.set()


def _other_tool(url: str, path: Path) -> str:
    address = make_url(url)
    query = {name: value for name, value in address.query.items() if name != "ssl"}
    # Without the password, which pg_dump asks for or finds in .pgpass.
    shown = URL.create("postgresql", address.username, None, address.host, address.port, address.database, query)
    return (
        "a store on PostgreSQL is backed up by PostgreSQL's own program:"
        f" pg_dump --format=custom --file={quote(str(path))} {quote(str(shown))}"
    )


def _refuse_misplaced(place: Place, store: Path) -> None:
    if place.target == store.resolve() or (place.target.exists() and place.target.samefile(store)):
        raise place.refusal("it is the store itself")
    place.refuse_others()
    refuse_companions(place)


def refuse_companions(place: Place) -> None:
    """Raise CommandRefused for a database that is open, or whose place SQLite's log of an earlier one still shares."""
    for suffix in COMPANIONS:
        companion = place.target.with_name(place.target.name + suffix)
        if companion.exists():
            raise place.refusal(f"{companion} is there: the file is in use, or that is left of another database")


def _make(store: Path, place: Place, stop: Event) -> int:
    try:
        _refuse_misplaced(place, store)
        with place.temporary() as temporary:
            _copy(store, temporary, stop)
            _finish(temporary, stop)
            shutil.copymode(store, temporary)
            size = temporary.stat().st_size
            refuse_companions(place)
            place.put(temporary)
    except sqlite3.Error as error:
        raise CommandRefused(f"no backup was made: {error}") from None
    except OSError as error:
        raise place.refusal(error.strerror or str(error)) from None
    return size


def _copy(store: Path, temporary: Path, stop: Event) -> None:
    def check(_status: int, _remaining: int, _total: int) -> None:
        if stop.is_set():
            raise CommandRefused("no backup was made: it was interrupted")

    with closing(embedded.connect(store)) as source, closing(sqlite3.connect(temporary)) as target:
        # The whole file is made durable when it is put in its place.
        target.execute("PRAGMA synchronous = OFF")
        # A snapshot: without it SQLite would begin again after each change.
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        source.backup(target, pages=_PAGES_AT_ONCE, progress=check)


def _finish(temporary: Path, stop: Event) -> None:
    """Make a copy a single file, mark it, and raise CommandRefused unless it is a whole store."""
    with closing(embedded.connect(temporary)) as copy:
        copy.set_progress_handler(stop.is_set, _INSTRUCTIONS_AT_ONCE)
        copy.execute("PRAGMA journal_mode = DELETE").fetchone()
        copy.execute(f"PRAGMA user_version = {_MARK}")
        problem = _problem(copy, embedded.tables(temporary))
    if problem:
        raise CommandRefused(f"no backup was made: the store {problem}")


def _problem(copy: sqlite3.Connection, tables: frozenset[str]) -> str | None:
    integrity_problems: str = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if integrity_problems != "ok":
        return f"is damaged: {integrity_problems}"
    if "alembic_version" not in tables:
        return "has no version"
    version = copy.execute("SELECT version_num FROM alembic_version").fetchone()
    if version is None:
        return "has no version"
    missing = sorted(metadata.tables.keys() - tables) if version == (newest(),) else []
    return f"lacks the table {missing[0]}" if missing else None


def is_backup(path: Path) -> bool:
    """Tell whether a file is a backup that was not taken into use as a store."""
    # From the file's header: opening another program's database could already change it.
    with path.open("rb") as file:
        header = file.read(64)
    if not header.startswith(b"SQLite format 3\0") or int.from_bytes(header[60:64]) != _MARK:
        return False
    try:
        with closing(embedded.connect(path)) as connection:
            return bool(connection.execute("PRAGMA user_version").fetchone() == (_MARK,))
    except sqlite3.Error:
        return False


def _are_kin(backup: Path, store: Path) -> bool:
    """Tell whether a backup may be of this store: one with other projects alone is not."""
    kept, stored = _projects(backup), _projects(store)
    return not kept or not stored or bool(kept & stored)


def _projects(path: Path) -> frozenset[str]:
    with closing(embedded.connect(path)) as connection:
        return frozenset(uuid for (uuid,) in connection.execute("SELECT uuid FROM project"))


async def take_into_use(database: Database) -> None:
    """Turn a backup into a store, which no later backup replaces; does nothing to a store."""
    if database.backend.path is None:
        return
    async with database.unbound() as connection:
        mark = (await connection.exec_driver_sql("PRAGMA user_version")).scalar()
    if mark == _MARK:
        async with database.unbound(writing=True) as connection:
            await connection.exec_driver_sql("PRAGMA user_version = 0")
