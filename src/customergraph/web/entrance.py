"""The way in for most requests, and the answers of all: one GraphQL request by POST, as clients usually send it.

All other requests go to Starlette's application: other methods and paths, requests with an Origin or a
Content-Encoding, and malformed heads. It gives the same answers, at a higher cost.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from graphql import GraphQLError
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from customergraph.errors import (
    OperationKindRefused,
    Overloaded,
    PersistedQueryHashMismatch,
    PersistedQueryNotFound,
    PersistedQueryNotSupported,
    RequestRefused,
    StoreUnavailable,
    Throttled,
    TimedOut,
    Unauthenticated,
)
from customergraph.gateway.gateway import Gateway
from customergraph.gateway.operations import cost_extension, execute
from customergraph.gateway.record import Record
from customergraph.gateway.request import ClientDisconnected, Disconnected, GraphQLRequest
from customergraph.gateway.throttle import BucketState, Charge
from customergraph.schema.errors import format_error
from customergraph.schema.scalars import JSON_OPTIONS
from customergraph.settings import Settings
from customergraph.store.access import AuthenticatedToken
from customergraph.web import body, coding, head, parameters, rate_limit
from customergraph.web.bad_request import BadRequest
from customergraph.web.encoding import SINGLE_CHUNK_OBJECTS, in_pieces
from customergraph.web.head import Head
from customergraph.web.media_types import GRAPHQL_JSON, JSON
from customergraph.web.protocol import WHOLE_RESPONSE
from customergraph.web.reports import Reports

PATH = "/graphql"
_FIXED_HEADERS = [
    (b"cache-control", b"no-store"),
    (b"vary", b"Accept, Accept-Encoding, Origin"),
    (b"x-content-type-options", b"nosniff"),
]
_OK = 200
METHOD_NOT_ALLOWED = 405
CLIENT_DISCONNECTED = 499
_STATUS: dict[type[RequestRefused], int] = {
    Unauthenticated: 401,
    # As Apollo's server has it, for any type of the answer: clients expect both.
    PersistedQueryNotFound: 200,
    PersistedQueryNotSupported: 200,
    PersistedQueryHashMismatch: 400,
    Throttled: 429,
    Overloaded: 503,
    StoreUnavailable: 503,
    TimedOut: 504,
}


_STOPPED = (
    "The server stopped before the request was answered. A mutation is done or not done: look before repeating it."
)


@dataclass(slots=True)
class HTTPAnswer:
    """The status, the headers and the body of an answer, the body in pieces."""

    status: int
    media_type: str
    pieces: list[bytes]
    # The error that keeps the operation from being executed, which decides on some headers.
    refusal: Exception | None = None
    bucket: BucketState | None = None
    is_compressed: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """The headers, but for the body's type and length."""
        # One address answers each token differently: nobody may keep the answer for another one.
        return {"Cache-Control": "no-store", "Vary": "Accept", **self.own_headers}

    @property
    def own_headers(self) -> dict[str, str]:
        """The headers that other answers do not have, or with other values."""
        return {**rate_limit.headers(self.bucket, self.refusal), **_headers(self.refusal)}


class Entrance:
    """Answers usual requests, and passes all others on. `accepts` decides on the Host of a request."""

    def __init__(self, app: Starlette, settings: Settings, reports: Reports, accepts: Callable[[bytes], bool]) -> None:
        self.app = app
        self._settings = settings
        self._reports = reports
        self._accepts = accepts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] == PATH:
            usual = head.usual(scope, self._accepts, self._settings.body_limit)
            if usual is not None:
                await self._respond(usual, scope, receive, send)
                return
        await self.app(scope, receive, send)

    async def _respond(self, head: Head, scope: Scope, receive: Receive, send: Send) -> None:
        record = self._reports.record(head.request_id, is_operation=True)
        structlog.contextvars.bind_contextvars(request_id=head.request_id)
        try:
            http_answer = await self._answer(head, receive, record)
            await self._compress(head, http_answer)
        except asyncio.CancelledError:
            http_answer = refusal(self._gateway, stopped(), head.media_type, record)
        except Exception as error:  # noqa: BLE001 - answered here
            http_answer = refusal(self._gateway, error, head.media_type, record)
            await self._compress(head, http_answer)
        record.status, record.bytes = http_answer.status, sum(map(len, http_answer.pieces))
        self._reports.answered(scope, record)
        await self._send(head, http_answer, scope, send)

    @property
    def _gateway(self) -> Gateway:
        gateway: Gateway = self.app.state.gateway
        return gateway

    async def _answer(self, head: Head, receive: Receive, record: Record) -> HTTPAnswer:
        gateway, settings = self._gateway, self._settings
        token = await gateway.tokens.of(head.secret, record)
        started = time.perf_counter()
        content = await body.received(receive, settings.body_limit, settings.body_timeout)
        record.receiving = time.perf_counter() - started
        request: GraphQLRequest = parameters.of_body(body.parsed(content, "The body"))

        async def disconnected() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        return await answer(gateway, token, request, head.media_type, disconnected, record)

    @staticmethod
    async def _compress(head: Head, http_answer: HTTPAnswer) -> None:
        from_bytes = head.coding.from_bytes
        if from_bytes is not None and sum(map(len, http_answer.pieces)) >= from_bytes:
            http_answer.pieces = await coding.compressed(http_answer.pieces)
            http_answer.is_compressed = True

    @staticmethod
    async def _send(head: Head, http_answer: HTTPAnswer, scope: Scope, send: Send) -> None:
        pieces = http_answer.pieces
        headers: list[tuple[bytes, bytes]] = [(b"content-type", http_answer.media_type.encode()), *_FIXED_HEADERS]
        headers.append((b"x-request-id", head.request_id.encode()))
        headers += [(name.lower().encode(), value.encode()) for name, value in http_answer.own_headers.items()]
        if http_answer.is_compressed:
            headers.append((b"content-encoding", b"gzip"))
        headers.append((b"content-length", str(sum(map(len, pieces))).encode()))
        respond = scope.get("extensions", {}).get(WHOLE_RESPONSE)
        if respond is not None and http_answer.status == _OK and len(pieces) == 1 and respond(headers, pieces[0]):
            return
        await send({"type": "http.response.start", "status": http_answer.status, "headers": headers})
        pieces.reverse()
        while pieces:
            # Each is freed when it is sent.
            message: dict[str, Any] = {"type": "http.response.body", "body": pieces.pop(), "more_body": bool(pieces)}
            await send(message)


async def answer(
    gateway: Gateway,
    token: AuthenticatedToken,
    request: GraphQLRequest,
    media_type: str,
    disconnected: Disconnected,
    record: Record,
) -> HTTPAnswer:
    """Answer a GraphQL request with a token, and record its operation."""
    try:
        result = await execute(gateway, request, token, disconnected, record)
    except ClientDisconnected:
        return HTTPAnswer(CLIENT_DISCONNECTED, media_type, [b""])
    status = 200 if result.has_begun else _status(result.refusal, media_type)
    is_small = result.objects <= SINGLE_CHUNK_OBJECTS
    pieces = [orjson.dumps(result.body, option=JSON_OPTIONS)] if is_small else await in_pieces(result.body)
    if token.must_record_use:
        gateway.last_uses.record(token.token_id)
    return HTTPAnswer(status, media_type, pieces, result.refusal, result.bucket)


def refusal(gateway: Gateway, error: Exception, media_type: str, record: Record) -> HTTPAnswer:
    """Answer a request that no operation was made of, and record why."""
    cause = GraphQLError(str(error), original_error=error)
    content: dict[str, Any] = {"errors": [format_error(cause, before_execution=False)]}
    record.errors = content["errors"]
    if not isinstance(error, BadRequest):
        content["extensions"] = cost_extension(gateway, Charge())
    return HTTPAnswer(_status(error, GRAPHQL_JSON), media_type, [orjson.dumps(content)], error)


def stopped() -> StoreUnavailable:
    """Return the error of a request that is canceled because the server stops."""
    return StoreUnavailable(_STOPPED, "the server stops", None)


def _status(error: Exception | None, media_type: str) -> int:
    """Return the status of a refusal; plain JSON keeps its old way of 200 for what a document lacks."""
    if isinstance(error, BadRequest):
        return error.status
    if isinstance(error, OperationKindRefused):
        return METHOD_NOT_ALLOWED if error.kind == "mutation" else 400
    for kind, status in _STATUS.items():
        if isinstance(error, kind):
            return status
    if error is None or isinstance(error, RequestRefused):
        return 200 if media_type == JSON else 400
    return 500


def _headers(error: Exception | None) -> dict[str, str]:
    headers: dict[str, str] = {}
    if isinstance(error, Throttled | Overloaded):
        headers["Retry-After"] = str(error.retry_after)
    elif isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    elif error and _status(error, GRAPHQL_JSON) == METHOD_NOT_ALLOWED:
        headers["Allow"] = "POST"
    return headers
