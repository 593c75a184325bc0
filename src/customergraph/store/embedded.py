"""The file of an embedded store before it is opened: whether it is a store, and whether one may be made there."""

import os
import sqlite3
import stat
from contextlib import closing
from errno import EISDIR
from pathlib import Path

from customergraph.errors import CommandRefused, StoreMissing, StoreUnavailable
from customergraph.staging import COMPANIONS

_HEADER = b"SQLite format 3\0"
_BUSY_TIMEOUT_SECONDS = 5
# The tables of the first version. A damaged store may lack some; another program's database may have some.
_TABLES = frozenset("project token location tag customer customer_tag message review charge alembic_version".split())
_ENOUGH_TABLES = 5


def refuse_unusable(path: Path, *, may_be_made: bool) -> None:
    """Raise CommandRefused, with the reason, for a path that is not the file of a store.

    A path without a store is accepted only when `may_be_made`.
    """
    if is_new(path):
        if not may_be_made:
            raise StoreMissing(path)
        _refuse_impossible(path)
    elif len(tables(path) & _TABLES) < _ENOUGH_TABLES:
        raise CommandRefused(f"{path} is a SQLite database of another program")


def is_new(path: Path) -> bool:
    """Return whether there is no store yet: no file, an empty file, or a database without tables."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError as error:
        raise CommandRefused(f"the store {path} cannot be opened: {error.strerror}") from None
    if not stat.S_ISREG(status.st_mode):
        reason = os.strerror(EISDIR) if stat.S_ISDIR(status.st_mode) else "it is no regular file"
        raise CommandRefused(f"the store {path} cannot be opened: {reason}")
    return status.st_size == 0 or not tables(path)


def _refuse_impossible(path: Path) -> None:
    try:
        path.resolve().parent.stat()
    except OSError as error:
        raise CommandRefused(f"the store {path} cannot be opened: {error.strerror}") from None
    if path.name.endswith(COMPANIONS):
        raise CommandRefused(f"{path} cannot be a store: SQLite uses such names for its own files")


def tables(path: Path) -> frozenset[str]:
    """Return the names of a database's tables; raises CommandRefused when the file is not a database."""
    try:
        with path.open("r+b") as file:
            header = file.read(len(_HEADER))
    except OSError as error:
        raise CommandRefused(f"the store {path} cannot be opened: {error.strerror}") from None
    if header != _HEADER:
        raise CommandRefused(f"{path} is no SQLite database")
    try:
        with closing(connect(path)) as connection:
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    except sqlite3.Error as error:
        raise StoreUnavailable("The store cannot be read.", str(error)) from None
    return frozenset(name for (name,) in rows)


def connect(path: Path) -> sqlite3.Connection:
    """Connect to an existing database, without changing its settings."""
    address = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(address, uri=True, timeout=_BUSY_TIMEOUT_SECONDS, isolation_level=None)
