"""The body of a request: within its size, within its time, and JSON."""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request

from customergraph.errors import BadRequest, BodyTooLarge
from customergraph.web.media_types import JSON


async def read(request: Request, most_bytes: int, seconds: float) -> Any:
    """Read and parse the JSON body of a request.

    Raises BadRequest: 413 for one that is too large, 408 for one that drips, 415 for another
    type or encoding, 400 for what is no JSON in UTF-8.
    """
    content_type, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    if content_type.strip() != JSON or ("charset" in parameters and "utf-8" not in parameters):
        raise BadRequest(f"The body must be of Content-Type: {JSON}, in UTF-8.", 415)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise BadRequest("The body must be sent as it is, without a Content-Encoding.", 415)
    try:
        async with asyncio.timeout(seconds):
            return parsed(await _bytes(request, most_bytes), "The body")
    except TimeoutError:
        raise BadRequest(f"The body did not arrive within {seconds:g} seconds.", 408) from None
    except ClientDisconnect:
        raise BadRequest("The body did not arrive whole.", 400) from None


async def _bytes(request: Request, most: int) -> bytes:
    told = request.headers.get("content-length", "0")
    if told.isascii() and told.isdigit() and int(told) > most:
        raise BodyTooLarge(most)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise BodyTooLarge(most)
    return bytes(body)


def parsed(text: str | bytes, name: str) -> Any:
    """Parse JSON; raises BadRequest for what is none, NaN and what is no UTF-8 included."""
    try:
        with _uncollected():
            return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"{name} is not JSON in UTF-8: {error}.") from None


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the garbage collector out of a parser's way.

    A mebibyte of `[]` is 350,000 lists in no cycle, and would have it walk all that the
    process holds several times: 300 ms for everybody instead of 40.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
