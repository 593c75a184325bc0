"""The standard streams of a command: a failure to read or write is one clear error."""

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, BinaryIO, TextIO, cast

from customergraph.errors import CommandRefused

_READ_BYTES = 1_048_576


class OutputFailed(CommandRefused):
    """Standard output that cannot be written, or no longer."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"standard output cannot be written: {reason}")


class _Stream:
    """A text stream that calls `_failed` where it cannot be written; None for one that was closed from the start."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._try(lambda stream: stream.write(text)) or 0

    def flush(self) -> None:
        self._try(lambda stream: stream.flush())

    def _try(self, work: Callable[[TextIO], int | None]) -> int | None:
        if self._stream is None:
            return self._failed("it is closed")
        try:
            return work(self._stream)
        except OSError as error:
            _discard(self._stream)
            return self._failed(error.strerror or str(error))
        except UnicodeEncodeError as error:
            return self._failed(f"the encoding {error.encoding} has no {error.object[error.start]!a}")

    def _failed(self, reason: str) -> int | None:
        raise OutputFailed(reason)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _ErrorStream(_Stream):
    """Standard error: its failures are ignored, since there is no place to report them."""

    def _failed(self, reason: str) -> int | None:  # noqa: ARG002
        return None


def _discard(stream: TextIO) -> None:
    """Discard the buffer of a stream: Python would fail once more on it when it exits."""
    with suppress(OSError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


@contextmanager
def guarded() -> Iterator[None]:
    """Let standard output raise OutputFailed, and standard error raise nothing, within this context."""
    _occupy_standard_descriptors()
    stdout, stderr = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = cast("TextIO", _Stream(stdout)), cast("TextIO", _ErrorStream(stderr))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = stdout, stderr


def _occupy_standard_descriptors() -> None:
    """Open the standard descriptors that are closed: a file or socket with their number would get stray output."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # The new descriptor gets the lowest free number: this one.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # noqa: FBT003


class _Input(io.RawIOBase):
    """A file to import; raises CommandRefused, with the name of the file, where it cannot be read."""

    def __init__(self, file: IO[bytes] | io.FileIO, name: str, readinto: Callable[[Any], int | None]) -> None:
        self._file = file
        self._name = name
        self._readinto = readinto

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        try:
            return self._readinto(buffer)
        except OSError as error:
            raise CommandRefused(f"{self._name}: {error.strerror or error}") from None

    def seekable(self) -> bool:
        return self._file.seekable()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def fileno(self) -> int:
        return self._file.fileno()

    def isatty(self) -> bool:
        return self._file.isatty()

    def close(self) -> None:
        self._file.close()
        super().close()


def opened(path: str) -> BinaryIO:
    """Open a file for reading, `-` for standard input; raises CommandRefused for one that cannot be read."""
    if path != "-":
        try:
            file = io.FileIO(path)
        except OSError as error:
            raise CommandRefused(f"{path}: {error.strerror}") from None
        return io.BufferedReader(_Input(file, path, file.readinto), _READ_BYTES)
    if sys.stdin is None:
        raise CommandRefused("standard input cannot be read: it is closed")
    # readinto1 returns the bytes that are there, and does not wait until the buffer is full.
    stdin: Any = sys.stdin.buffer
    return io.BufferedReader(_Input(stdin, "standard input", stdin.readinto1), _READ_BYTES)
