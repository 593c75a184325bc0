"""The encoding of an import file: what a byte-order mark or the user says, else UTF-8."""

import codecs
from collections.abc import Iterator
from itertools import chain

from customergraph.errors import CommandRefused, UserErrorCode, ValueRefused

UTF_8 = "utf-8"
_MARKS = ((codecs.BOM_UTF8, UTF_8), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def encoding(name: str) -> str:
    """Check the name of an encoding of text; raises ValueRefused for another name."""
    try:
        "".encode(name)
        return codecs.lookup(name).name
    except (LookupError, ValueError):
        raise ValueRefused(
            UserErrorCode.INVALID, f"{name[:40]!r} is not an encoding: give one like cp1252 or utf-8"
        ) from None


def in_utf_8(pieces: Iterator[bytes], encoding: str | None, size: int) -> Iterator[bytes]:
    """Yield the pieces of a file as UTF-8, without a byte-order mark: lines, and pieces of `size` bytes of longer ones.

    A byte-order mark decides before `encoding`. Bytes that are no text in the encoding are kept.
    Raises CommandRefused where the rest of the file cannot be read.
    """
    first = next(pieces, b"")
    mark, marked = next(((mark, name) for mark, name in _MARKS if first.startswith(mark)), (b"", None))
    name = marked or encoding or UTF_8
    if name == UTF_8:
        return chain((first.removeprefix(mark),), pieces)
    return _transcoded(chain((first,), pieces), name, size)


def _transcoded(pieces: Iterator[bytes], name: str, size: int) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(name)("surrogateescape")
    rest = b""
    for piece in chain(pieces, (b"",)):
        try:
            text = decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            raise CommandRefused(f"is not {name.upper()}: {error.reason}") from None
        *lines, rest = (rest + text.encode(UTF_8, "surrogateescape")).split(b"\n")
        yield from (line + b"\n" for line in lines)
        while len(rest) >= size:
            yield rest[:size]
            rest = rest[size:]
    if rest:
        yield rest
