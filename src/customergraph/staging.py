"""Files that a command writes: under a temporary name until they are whole, and never over another file."""

import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from errno import EISDIR
from pathlib import Path

from customergraph.errors import CommandRefused

# The suffixes of the files that SQLite writes beside a database.
COMPANIONS = ("-wal", "-shm", "-journal")
# A file name has at most 255 bytes, and a character up to four.
_NAME_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class Place:
    """The path of a file that a command writes; errors call the file `content`.

    An existing file is replaced only where `is_ours` recognizes it; otherwise `conflict` says what to do.
    """

    path: Path
    content: str
    is_ours: Callable[[Path], bool]
    conflict: str = "another file is there: choose another name"

    @property
    def target(self) -> Path:
        """The path behind symbolic links."""
        return Path(os.path.realpath(self.path))

    def refuse_others(self) -> None:
        """Raise CommandRefused, with the reason, where a file put here would fail or replace another file."""
        with self.refusing():
            if not self.target.parent.is_dir():
                raise self.refusal(f"there is no folder {self.target.parent}")
            self._refuse_companion()
            try:
                mode = self.target.lstat().st_mode
            except FileNotFoundError:
                return
            if stat.S_ISDIR(mode):
                raise self.refusal(os.strerror(EISDIR))
            if not stat.S_ISREG(mode):
                raise self.refusal("it is not a regular file")
            if not self.is_ours(self.target):
                raise self.refusal(self.conflict)

    def _refuse_companion(self) -> None:
        for suffix in COMPANIONS:
            database = self.target.name.removesuffix(suffix)
            if database not in {self.target.name, ""} and self.target.with_name(database).exists():
                raise self.refusal(f"SQLite uses this name for {database}")

    @contextmanager
    def temporary(self) -> Iterator[Path]:
        """Yield the path of a temporary file in the same folder; removes the file at the end."""
        name = f".{self.target.name[:_NAME_CHARACTERS]}.{secrets.token_hex(6)}.part"
        path = self.target.with_name(name)
        try:
            yield path
        finally:
            for suffix in ("", *COMPANIONS):
                path.with_name(name + suffix).unlink(missing_ok=True)

    def put(self, temporary: Path) -> None:
        """Move a complete file here, so that it survives a crash of the machine."""
        self.refuse_others()
        with self.refusing():
            _sync(temporary)
            temporary.replace(self.target)
            _sync(self.target.parent)

    def clear(self) -> None:
        """Remove the file that an earlier command wrote, if there is one."""
        with self.refusing():
            if self.target.is_file() and self.is_ours(self.target):
                self.target.unlink()

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Turn errors of the operating system into CommandRefused."""
        try:
            yield
        except OSError as error:
            raise self.refusal(error.strerror or str(error)) from None

    def refusal(self, reason: str) -> CommandRefused:
        return CommandRefused(f"the {self.content} cannot be written to {self.path}: {reason}")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
