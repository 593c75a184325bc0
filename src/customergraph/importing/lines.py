"""The lines of an import file in bounded memory, however long they are."""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol

from customergraph.errors import CommandRefused
from customergraph.importing.decoding import UTF_8, in_utf_8

# A review has a body and a reply of 50,000 characters each, and JSON may escape a character in 12 bytes.
MAX_LINE_BYTES = 2 * 1024 * 1024
# The same row as CSV.
MAX_RECORD_CHARACTERS = 500_000
# A longer line may have no end: a pipe can send zeros for ever.
MAX_SKIPPED_GIBIBYTES = 4
# How many characters may be read again: so many for each character of the file, and a fixed number more.
MAX_REREADS = 4
FREE_REREADS = 64 * 1024 * 1024

_PROGRESS_BYTES = 65_536


class LineReader(Protocol):
    """A file whose lines can be read, such as `io.BufferedReader`."""

    def readline(self, size: int, /) -> bytes: ...


class RecordTooLong(Exception):
    """A record of more characters than are allowed."""


def read_lines(file: LineReader, encoding: str | None, advance: Callable[[int], None]) -> Iterator[str | None]:
    """Yield each line as text, and None for a line that is too long.

    `advance` is called with the numbers of bytes that were read. Bytes that are no text in the file's encoding become
    halves of surrogate pairs, by which their row is recognised and rejected.
    Raises CommandRefused for a line that does not end.
    """
    pieces = in_utf_8(_pieces(file, advance), encoding, MAX_LINE_BYTES)
    for number, piece in enumerate(pieces, start=1):
        if len(piece) < MAX_LINE_BYTES or piece.endswith(b"\n"):
            yield piece.decode(UTF_8, "surrogateescape")
        else:
            yield None
            _skip_rest_of_line(pieces, number)


def _pieces(file: LineReader, advance: Callable[[int], None]) -> Iterator[bytes]:
    """Yield the lines of a file; a line that is too long comes in several pieces."""
    unreported = 0
    while piece := file.readline(MAX_LINE_BYTES):
        unreported += len(piece)
        if unreported >= _PROGRESS_BYTES:
            advance(unreported)
            unreported = 0
        yield piece
    advance(unreported)


def _skip_rest_of_line(pieces: Iterator[bytes], number: int) -> None:
    left = MAX_SKIPPED_GIBIBYTES * 1024**3
    for piece in pieces:
        left -= len(piece)
        if piece.endswith(b"\n"):
            return
        if left < 0:
            raise CommandRefused(f"line {number:,}: does not end within {MAX_SKIPPED_GIBIBYTES} GiB")


class RecordLines(Iterator[str]):
    """The lines for a CSV reader; it can read those of its current record again."""

    def __init__(self, lines: Iterator[str | None]) -> None:
        self.first = 1
        self._lines = lines
        self._again: deque[str | None] = deque()
        self._record: list[str | None] = []
        self._left = 0
        self._rereads_left = FREE_REREADS

    def peek(self) -> str:
        """Return the next line, which stays the next one; an empty text where there is none that can be read."""
        if not self._again:
            try:
                self._again.append(self._new_line())
            except StopIteration:
                return ""
        return self._again[0] or ""

    def skip(self) -> None:
        """Leave the next line out, as a record of its own."""
        self.begin_record()
        next(self, None)

    @property
    def record_text(self) -> str:
        """The first line of the record."""
        return self._record[0] or "" if self._record else ""

    @property
    def last(self) -> int:
        """The number of the line that was read last."""
        return self.first + max(len(self._record), 1) - 1

    def begin_record(self, max_characters: int = MAX_RECORD_CHARACTERS) -> None:
        self.first += len(self._record)
        self._record = []
        self._left = max_characters

    def __next__(self) -> str:
        """Return the next line; raises RecordTooLong where the record gets too long with it."""
        line = self._again.popleft() if self._again else self._new_line()
        self._record.append(line)
        if line is None:
            raise RecordTooLong
        self._left -= len(line)
        if self._left < 0:
            raise RecordTooLong
        return line

    def _new_line(self) -> str | None:
        line = next(self._lines)
        self._rereads_left += MAX_REREADS * len(line or "")
        return line

    def read_again(self) -> None:
        """Begin the next record at the second line of this one.

        Raises CommandRefused where so many lines are read again that the time would no longer grow linearly.
        """
        rest = self._record[1:]
        del self._record[1:]
        self._again.extendleft(reversed(rest))
        self._rereads_left -= sum(len(line or "") for line in rest)
        if self._rereads_left < 0:
            raise CommandRefused(f"line {self.first:,}: too many quotes before it are not closed: this is not CSV")
