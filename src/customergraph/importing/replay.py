"""A file whose lines can be read more than once."""

from tempfile import TemporaryFile
from types import TracebackType
from typing import BinaryIO, Self


class Replay:
    """Reads a file's lines, and reads them again after `rewind`.

    A pipe can be read only once, so its lines are copied to a temporary file, until `keep_no_more`.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._copy = None if file.seekable() else TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._start = file.tell() if self._copy is None else 0
        self._copied = 0
        self._keeps = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._copy is not None:
            self._copy.close()

    def rewind(self) -> None:
        (self._copy or self._file).seek(self._start)

    def keep_no_more(self) -> None:
        """Copy no further lines: they are read once."""
        self._keeps = False

    def readline(self, size: int, /) -> bytes:
        """Read a line, or a piece of `size` bytes of a longer one. All calls must have the same size."""
        if self._copy is None:
            return self._file.readline(size)
        if self._copy.tell() < self._copied:
            return self._copy.readline(size)
        line = self._file.readline(size)
        if not self._keeps:
            return line
        self._copied += self._copy.write(line)
        return line
