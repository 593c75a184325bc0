"""The coding of an answer: gzip for clients that accept it (RFC 9110, section 12.5.3)."""

import asyncio
import zlib
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from customergraph.web.media_types import weighted

COMPRESSED_FROM_BYTES = 1000
# From so many bytes on a thread compresses, which takes longer than to have it begin.
BESIDE_LOOP_BYTES = 64 * 1024
_LONGEST_CACHED = 200
# Level 9 takes six times as long and saves a third of the bytes.
_LEVEL = 1
_WITH_GZIP_HEADER = 16 + zlib.MAX_WBITS
_GZIP = frozenset({"gzip", "x-gzip"})


class Coding(NamedTuple):
    """How an answer is to be sent: compressed from so many bytes on, or never."""

    from_bytes: int | None


def negotiate(accept_encoding: str) -> Coding | None:
    """Choose a coding; None when the client accepts none that there is."""
    is_usual = len(accept_encoding) <= _LONGEST_CACHED
    return _negotiate_cached(accept_encoding) if is_usual else _negotiate(accept_encoding)


def _negotiate(accept_encoding: str) -> Coding | None:
    weights = dict(weighted(part) for part in accept_encoding.split(",") if part.strip())
    gzip, identity = _weight_of_gzip(weights), _weight_of_identity(weights)
    if not gzip and not identity:
        return None
    if gzip and gzip >= (identity if "identity" in weights else 0):
        return Coding(COMPRESSED_FROM_BYTES if identity else 1)
    return Coding(None)


_negotiate_cached = lru_cache(maxsize=100)(_negotiate)


async def compressed(pieces: list[bytes]) -> list[bytes]:
    """Compress a body, and use it up; a large one beside the event loop."""
    if sum(map(len, pieces)) < BESIDE_LOOP_BYTES:
        return [_compressed(pieces)]
    return [await asyncio.get_running_loop().run_in_executor(None, _compressed, pieces)]


def _compressed(pieces: list[bytes]) -> bytes:
    gzip = compressor()
    done = []
    pieces.reverse()
    while pieces:
        done.append(gzip.compress(pieces.pop()))
    return b"".join([*done, gzip.flush()])


def _weight_of_gzip(weights: Mapping[str, float]) -> float:
    named = [weight for coding, weight in weights.items() if coding in _GZIP]
    return max(named) if named else weights.get("*", 0.0)


def _weight_of_identity(weights: Mapping[str, float]) -> float:
    """Return the weight of `identity`, which is acceptable unless it is excluded."""
    return weights.get("identity", weights.get("*", 1.0))


def compressor() -> "zlib._Compress":
    """Return what compresses one answer."""
    return zlib.compressobj(_LEVEL, zlib.DEFLATED, _WITH_GZIP_HEADER)
