"""The body of a request: within its size, within its time, and JSON."""

import asyncio
import re
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request

from customergraph.errors import SETTING_PREFIX
from customergraph.web.bad_request import BadRequest, BodyTooLarge
from customergraph.web.garbage import without_collections
from customergraph.web.media_types import JSON

_UTF_8 = frozenset({"utf-8", "utf8"})
_PARAMETER = re.compile(r'([^\s;="]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^;]*)')
_LONGEST_PARAMETERS = 200


async def read(request: Request, most_bytes: int, seconds: float) -> Any:
    """Read and parse the JSON body of a request.

    Raises BadRequest: 413 for one that is too large, 408 for one that comes too slowly, 415 for another
    type or encoding, 400 for one that is not JSON in UTF-8.
    """
    if not _is_json_in_utf_8(request.headers.get("content-type", "")):
        raise BadRequest(f"The body must be of Content-Type: {JSON}, in UTF-8.", 415)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise BadRequest("The body must be sent as it is, without a Content-Encoding.", 415)
    try:
        async with asyncio.timeout(seconds):
            return parsed(await _bytes(request, most_bytes), "The body")
    except TimeoutError:
        raise BadRequest(
            f"The body did not arrive within {seconds:g} seconds (setting {SETTING_PREFIX}BODY_TIMEOUT).", 408
        ) from None
    except ClientDisconnect:
        raise BadRequest("The body did not arrive whole.", 400) from None


def _is_json_in_utf_8(content_type: str) -> bool:
    if content_type == JSON:
        return True
    name, _, rest = content_type.lower().partition(";")
    charsets = [value.strip(" \t\"'") for key, value in _PARAMETER.findall(rest) if key == "charset"]
    return name.strip() == JSON and len(rest) <= _LONGEST_PARAMETERS and _UTF_8.issuperset(charsets)


async def _bytes(request: Request, most: int) -> bytes:
    length = request.headers.get("content-length", "0")
    if length.isascii() and length.isdigit() and int(length) > most:
        raise BodyTooLarge(most)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise BodyTooLarge(most)
    return bytes(body)


def parsed(text: str | bytes, name: str) -> Any:
    """Parse JSON; raises BadRequest for other texts, for NaN, and for bytes that are not UTF-8."""
    try:
        with without_collections():
            return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"{name} is not JSON in UTF-8: {error}.") from None
