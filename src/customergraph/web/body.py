"""The body of a request: within its size, within its time, and JSON."""

import asyncio
import re
from functools import lru_cache
from typing import Any

import orjson
from starlette.requests import Request
from starlette.types import Receive

from customergraph.errors import SETTING_PREFIX
from customergraph.web.bad_request import BadRequest, BodyTooLarge
from customergraph.web.garbage import without_collections
from customergraph.web.media_types import JSON

_UTF_8 = frozenset({"utf-8", "utf8"})
_PARAMETER = re.compile(r'([^\s;="]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^;]*)')
_LONGEST_TYPE = 250
_TOO_SLOW = "the body is too slow"
# So few bytes hold too few objects for a collection to matter.
_SMALL = 10_000


async def read(request: Request, most_bytes: int, seconds: float) -> Any:
    """Read and parse the JSON body of a request.

    Raises BadRequest: 413 for one that is too large, 408 for one that comes too slowly, 415 for another
    type or encoding, 400 for one that is not JSON in UTF-8.
    """
    if not is_json_in_utf_8(request.headers.get("content-type", "")):
        raise BadRequest(f"The body must be of Content-Type: {JSON}, in UTF-8.", 415)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise BadRequest("The body must be sent as it is, without a Content-Encoding.", 415)
    length = request.headers.get("content-length", "0")
    if length.isascii() and length.isdigit() and int(length) > most_bytes:
        raise BodyTooLarge(most_bytes)
    return parsed(await received(request.receive, most_bytes, seconds), "The body")


def is_json_in_utf_8(content_type: str) -> bool:
    """Return whether a Content-Type is that of a GraphQL request."""
    # Parameters are read in time that grows with the square of their length.
    return content_type == JSON or (len(content_type) <= _LONGEST_TYPE and _is_json_in_utf_8(content_type))


@lru_cache(maxsize=100)
def _is_json_in_utf_8(content_type: str) -> bool:
    name, _, rest = content_type.lower().partition(";")
    charsets = [value.strip(" \t\"'") for key, value in _PARAMETER.findall(rest) if key == "charset"]
    return name.strip() == JSON and _UTF_8.issuperset(charsets)


async def received(receive: Receive, most_bytes: int, seconds: float) -> bytes:
    """Return the bytes of a body, which may take so many seconds to arrive; raises BadRequest."""
    # Each look for the loop is a system call.
    loop = asyncio.get_running_loop()
    task = asyncio.current_task(loop)
    assert task is not None  # noqa: S101 - it runs
    # `asyncio.timeout` does the same, and takes as long as a small answer takes to be written.
    timer = loop.call_later(seconds, task.cancel, _TOO_SLOW)
    try:
        return await _bytes(receive, most_bytes)
    except asyncio.CancelledError as canceled:
        if canceled.args != (_TOO_SLOW,) or task.uncancel():
            raise
        raise BadRequest(
            f"The body did not arrive within {seconds:g} seconds (setting {SETTING_PREFIX}BODY_TIMEOUT).", 408
        ) from None
    finally:
        timer.cancel()


async def _bytes(receive: Receive, most: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("The body did not arrive whole.", 400)
        piece, more = message.get("body", b""), message.get("more_body", False)
        pieces.append(piece)
        size += len(piece)
        if size > most:
            raise BodyTooLarge(most)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def parsed(text: str | bytes, name: str) -> Any:
    """Parse JSON; raises BadRequest for other texts, for NaN, and for bytes that are not UTF-8."""
    try:
        if len(text) <= _SMALL:
            return orjson.loads(text)
        with without_collections():
            return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"{name} is not JSON in UTF-8: {error}.") from None
