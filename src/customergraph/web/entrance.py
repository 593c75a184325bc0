"""The way in for most requests: one GraphQL request by POST, as clients usually send it, is answered at once.

All other requests go to Starlette's application: other methods and paths, requests with an Origin or a
Content-Encoding, and malformed heads. It gives the same answers, at a higher cost.
"""

import asyncio
import time
from typing import Any, NamedTuple

import structlog
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from customergraph.gateway.gateway import Gateway
from customergraph.gateway.request import GraphQLRequest
from customergraph.settings import Settings
from customergraph.web import body, compression, media_types, parameters, request_id
from customergraph.web.access_log import AccessLog
from customergraph.web.bad_request import BadRequest
from customergraph.web.compression import Coding
from customergraph.web.faults import stopped
from customergraph.web.graphql import HTTPAnswer, answer, refusal
from customergraph.web.hosts import Hosts

PATH = "/graphql"
_BEARER = b"Bearer "
_KNOWN = {
    b"host": 0,
    b"authorization": 1,
    b"content-type": 2,
    b"accept": 3,
    b"accept-encoding": 4,
    b"content-length": 5,
    b"x-request-id": 6,
}
# A request with one of these is none of the usual ones.
_UNUSUAL = frozenset({b"origin", b"content-encoding"})
_FIXED_HEADERS = [
    (b"cache-control", b"no-store"),
    (b"vary", b"Accept, Accept-Encoding, Origin"),
    (b"x-content-type-options", b"nosniff"),
]


class _Head(NamedTuple):
    """What the head of a usual request says."""

    secret: str
    media_type: str
    coding: Coding
    request_id: str


class Entrance:
    """Answers usual requests, and passes all others on."""

    def __init__(self, app: Starlette, settings: Settings, access_log: AccessLog) -> None:
        self.app = app
        self._settings = settings
        self._hosts = Hosts(app, settings)
        self._access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] == PATH:
            head = self._head(scope)
            if head is not None:
                await self._respond(head, scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _head(self, scope: Scope) -> _Head | None:
        """Read a head in one pass; None for one that is not usual."""
        values: list[bytes | None] = [None] * len(_KNOWN)
        for name, value in scope["headers"]:
            place = _KNOWN.get(name)
            if place is not None:
                if values[place] is not None:
                    return None
                values[place] = value
            elif name in _UNUSUAL:
                return None
        host, authorization, content_type, accept, accept_encoding, length, id_ = values
        if host is None or content_type is None or authorization is None or not authorization.startswith(_BEARER):
            return None
        try:
            media_type = media_types.negotiate([(accept or b"").decode("latin-1")])
        except BadRequest:
            return None
        coding = compression.negotiate((accept_encoding or b"").decode("latin-1").lower())
        secret = authorization[len(_BEARER) :].decode("latin-1").strip()
        is_usual = (
            secret
            and coding is not None
            and body.is_json_in_utf_8(content_type.decode("latin-1"))
            and (length is None or (length.isdigit() and int(length) <= self._settings.body_limit))
            and self._hosts.accepts(host)
        )
        if not is_usual or coding is None:
            return None
        return _Head(secret, media_type, coding, request_id.of((id_ or b"").decode("latin-1")))

    async def _respond(self, head: _Head, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        structlog.contextvars.bind_contextvars(request_id=head.request_id)
        try:
            http_answer = await self._answer(head, receive)
            await self._compress(head, http_answer)
        except asyncio.CancelledError:
            http_answer = refusal(self._gateway, stopped(), head.media_type)
        except Exception as error:  # noqa: BLE001 - answered here
            http_answer = refusal(self._gateway, error, head.media_type)
            await self._compress(head, http_answer)
        self._access_log.add(scope, http_answer.status, head.request_id, started)
        await self._send(head, http_answer, send)

    @property
    def _gateway(self) -> Gateway:
        gateway: Gateway = self.app.state.gateway
        return gateway

    async def _answer(self, head: _Head, receive: Receive) -> HTTPAnswer:
        gateway, settings = self._gateway, self._settings
        token = await gateway.tokens.of(head.secret)
        content = await body.received(receive, settings.body_limit, settings.body_timeout)
        request: GraphQLRequest = parameters.of_body(body.parsed(content, "The body"))

        async def disconnected() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        return await answer(gateway, token, request, head.media_type, disconnected)

    @staticmethod
    async def _compress(head: _Head, http_answer: HTTPAnswer) -> None:
        from_bytes = head.coding.from_bytes
        if from_bytes is not None and sum(map(len, http_answer.pieces)) >= from_bytes:
            http_answer.pieces = await compression.compressed(http_answer.pieces)
            http_answer.is_compressed = True

    @staticmethod
    async def _send(head: _Head, http_answer: HTTPAnswer, send: Send) -> None:
        pieces = http_answer.pieces
        headers: list[tuple[bytes, bytes]] = [(b"content-type", http_answer.media_type.encode()), *_FIXED_HEADERS]
        headers.append((b"x-request-id", head.request_id.encode()))
        if http_answer.refusal is not None:
            headers += [
                (name.lower().encode(), value.encode())
                for name, value in http_answer.headers.items()
                if name not in {"Cache-Control", "Vary"}
            ]
        if http_answer.is_compressed:
            headers.append((b"content-encoding", b"gzip"))
        headers.append((b"content-length", str(sum(map(len, pieces))).encode()))
        await send({"type": "http.response.start", "status": http_answer.status, "headers": headers})
        pieces.reverse()
        while pieces:
            # Each is freed when it is sent.
            message: dict[str, Any] = {"type": "http.response.body", "body": pieces.pop(), "more_body": bool(pieces)}
            await send(message)
