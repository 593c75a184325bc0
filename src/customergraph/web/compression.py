"""Starlette's answers, compressed for clients that accept it."""

import asyncio
import zlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from customergraph.web.bad_request import BadRequest
from customergraph.web.coding import BESIDE_LOOP_BYTES, compressor, negotiate
from customergraph.web.graphql import refused
from customergraph.web.media_types import EVENT_STREAM

_NOT_ACCEPTABLE = 406
_PARTIAL_CONTENT = 206
_NO_CONTENT = frozenset({204, 304})
_ENCODED = "content-encoding"


class Compression:
    """Compresses large answers for clients that accept gzip, and small ones for clients that accept nothing else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        coding = negotiate(",".join(Headers(scope=scope).getlist("accept-encoding")).lower())
        if coding is None:
            response = await refused(Request(scope), BadRequest("Accept gzip, or no coding.", _NOT_ACCEPTABLE))
            await response(scope, receive, send)
        elif coding.from_bytes is not None and scope["method"] != "HEAD":
            await self._app(scope, receive, _Compressed(send, coding.from_bytes).send)
        else:
            await self._app(scope, receive, _plain(send))


def _plain(send: Send) -> Send:
    async def send_plain(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).add_vary_header("Accept-Encoding")
        await send(message)

    return send_plain


class _Compressed:
    """One answer to a client that accepts gzip. Its head is sent with the first piece of its body."""

    def __init__(self, send: Send, from_bytes: int) -> None:
        self._send = send
        self._from_bytes = from_bytes
        self._start: Message | None = None
        self._compressor: zlib._Compress | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).add_vary_header("Accept-Encoding")
            self._start = message
            return
        if self._start is not None:
            start, self._start = self._start, None
            await self._begin(start, message)
        elif self._compressor is not None:
            message["body"] = await self._compress(self._compressor, message)
        await self._send(message)

    async def _begin(self, start: Message, first: Message) -> None:
        body, more = first.get("body", b""), first.get("more_body", False)
        headers = MutableHeaders(scope=start)
        if (more or len(body) >= self._from_bytes) and _may_be_compressed(start["status"], headers):
            self._compressor = compressor()
            first["body"] = await self._compress(self._compressor, first)
            _tell(headers, None if more else len(first["body"]))
        await self._send(start)

    @staticmethod
    async def _compress(compressor: "zlib._Compress", message: Message) -> bytes:
        body = message.get("body", b"")
        if len(body) < BESIDE_LOOP_BYTES:
            piece = compressor.compress(body)
        else:
            piece = await asyncio.get_running_loop().run_in_executor(None, compressor.compress, body)
        return piece if message.get("more_body", False) else piece + compressor.flush()


def _may_be_compressed(status: int, headers: Headers) -> bool:
    # A compressor would hold events back.
    is_stream = headers.get("content-type", "").startswith(EVENT_STREAM)
    return not is_stream and status not in _NO_CONTENT and status != _PARTIAL_CONTENT and _ENCODED not in headers


def _tell(headers: MutableHeaders, length: int | None) -> None:
    headers["Content-Encoding"] = "gzip"
    tag = headers.get("etag", "")
    if tag.startswith('"'):
        # The tag stands for the bytes without compression.
        headers["ETag"] = f"W/{tag}"
    if length is None:
        del headers["Content-Length"]
    else:
        headers["Content-Length"] = str(length)
