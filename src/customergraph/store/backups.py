"""Backups of the embedded store: complete, checked, marked, and made while the store is in use."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Event

from sqlalchemy.engine import URL, make_url

from customergraph.errors import CommandRefused, StoreOnServer
from customergraph.staging import COMPANIONS, Place
from customergraph.store import embedded
from customergraph.store.database import Database
from customergraph.store.servers import with_first_address
from customergraph.store.tables import metadata
from customergraph.store.upgrades import newest

# A backup's `user_version`, "CGBK". The application id is already used to mark the demo's store.
_MARK = 0x4347424B
_PAGES_AT_ONCE = 1_000
_INSTRUCTIONS_AT_ONCE = 100_000


async def back_up(database: Database, path: Path) -> int:
    """Copy the embedded store to a file, as it is at one moment, while others use it; returns the file's size in bytes.

    Replaces nothing but an earlier backup, and only when the new one is complete. Raises CommandRefused
    when another file would be lost and for a damaged store, StoreOnServer for a store on a server.
    """
    store = database.backend.path
    if store is None:
        raise StoreOnServer(_without_password(database.url))
    place = Place(path, "backup", lambda target: is_backup(target) and _may_be_backup_of(store, target))
    stop = Event()
    try:
        return await asyncio.to_thread(_make, store, place, stop)
    finally:
        stop.set()


def _without_password(url: str) -> str:
    """Return a store's URL as PostgreSQL's own programs take it."""
    address = make_url(with_first_address(url))
    query = {name: value for name, value in address.query.items() if name != "ssl"}
    return str(URL.create("postgresql", address.username, None, address.host, address.port, address.database, query))


def _refuse_misplaced(place: Place, store: Path) -> None:
    if place.target == store.resolve() or (place.target.exists() and place.target.samefile(store)):
        raise place.refusal("it is the store itself")
    place.refuse_others()
    refuse_companions(place)


def refuse_companions(place: Place) -> None:
    """Raise CommandRefused when SQLite's files of an open or an earlier database stand beside the path."""
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
        # The file is synced when it is moved to its place.
        target.execute("PRAGMA synchronous = OFF")
        # Without a snapshot SQLite would begin the copy again after each change.
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        source.backup(target, pages=_PAGES_AT_ONCE, progress=check)


def _finish(temporary: Path, stop: Event) -> None:
    """Make a copy a single file and mark it; raises CommandRefused unless it is a complete store."""
    with closing(embedded.connect(temporary)) as copy:
        copy.set_progress_handler(stop.is_set, _INSTRUCTIONS_AT_ONCE)
        copy.execute("PRAGMA journal_mode = DELETE").fetchone()
        copy.execute(f"PRAGMA user_version = {_MARK}")
        problem = _problem(copy, embedded.tables(temporary))
    if problem:
        raise CommandRefused(f"no backup was made: the store {problem}")


def _problem(copy: sqlite3.Connection, tables: frozenset[str]) -> str | None:
    integrity: str = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if integrity != "ok":
        return f"is damaged: {integrity}"
    has_versions = "alembic_version" in tables
    version = copy.execute("SELECT version_num FROM alembic_version").fetchone() if has_versions else None
    if version is None:
        return "has no version"
    missing = sorted(metadata.tables.keys() - tables) if version == (newest(),) else []
    return f"lacks the table {missing[0]}" if missing else None


def is_backup(path: Path) -> bool:
    """Return whether a file is a backup that is not in use as a store."""
    # Read from the file's header: opening another program's database could already change it.
    with path.open("rb") as file:
        header = file.read(64)
    if not header.startswith(b"SQLite format 3\0") or int.from_bytes(header[60:64]) != _MARK:
        return False
    try:
        with closing(embedded.connect(path)) as connection:
            return bool(connection.execute("PRAGMA user_version").fetchone() == (_MARK,))
    except sqlite3.Error:
        return False


def _may_be_backup_of(store: Path, backup: Path) -> bool:
    """Return whether a backup may be of this store: it has one of its projects, or one of the two has none."""
    in_backup, in_store = _projects(backup), _projects(store)
    return not in_backup or not in_store or bool(in_backup & in_store)


def _projects(path: Path) -> frozenset[str]:
    with closing(embedded.connect(path)) as connection:
        return frozenset(uuid for (uuid,) in connection.execute("SELECT uuid FROM project"))


async def take_into_use(database: Database) -> None:
    """Turn a backup into a store, so that no later backup replaces it; does nothing to a store."""
    if database.backend.path is None:
        return
    async with database.unbound() as connection:
        mark = (await connection.exec_driver_sql("PRAGMA user_version")).scalar()
    if mark == _MARK:
        async with database.unbound(writing=True) as connection:
            await connection.exec_driver_sql("PRAGMA user_version = 0")
