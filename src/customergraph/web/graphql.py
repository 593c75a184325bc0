"""GraphQL over HTTP: a request becomes an operation, and what came of it an HTTP answer."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

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
from customergraph.gateway.gateway import ANONYMOUS, Gateway
from customergraph.gateway.operations import cost_extension, execute
from customergraph.gateway.request import ClientDisconnected, Disconnected, GraphQLRequest
from customergraph.gateway.throttle import Charge
from customergraph.schema.errors import format_error
from customergraph.store.access import AuthenticatedToken
from customergraph.web import auth, media_types, parameters
from customergraph.web.bad_request import BadRequest
from customergraph.web.encoding import encoded
from customergraph.web.media_types import GRAPHQL_JSON, JSON

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


@dataclass(slots=True)
class HTTPAnswer:
    """The status, the headers and the body of an answer, the body in pieces."""

    status: int
    media_type: str
    pieces: list[bytes]
    # The error that keeps the operation from being executed, which decides on some headers.
    refusal: Exception | None = None
    is_compressed: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """The headers, but for the body's type and length."""
        return _headers(self.refusal)


async def answer(
    gateway: Gateway,
    token: AuthenticatedToken,
    request: GraphQLRequest,
    media_type: str,
    disconnected: Disconnected,
) -> HTTPAnswer:
    """Answer a GraphQL request with a token."""
    try:
        result = await execute(gateway, request, token, disconnected)
    except ClientDisconnected:
        return HTTPAnswer(CLIENT_DISCONNECTED, media_type, [b""])
    status = 200 if result.has_begun else _status(result.refusal, media_type)
    pieces = await encoded(result.body, result.objects)
    if token.must_record_use:
        gateway.last_uses.record(token.token_id)
    return HTTPAnswer(status, media_type, pieces, result.refusal)


def refusal(gateway: Gateway, error: Exception, media_type: str) -> HTTPAnswer:
    """Answer a request that no operation was made of."""
    cause = GraphQLError(str(error), original_error=error)
    content: dict[str, Any] = {"errors": [format_error(cause, before_execution=False)]}
    if not isinstance(error, BadRequest):
        content["extensions"] = cost_extension(gateway, Charge())
    return HTTPAnswer(_status(error, GRAPHQL_JSON), media_type, [orjson.dumps(content)], error)


async def graphql(request: Request) -> Response:
    """Answer one GraphQL request of Starlette's."""
    try:
        return _response(await _respond(request))
    except Exception as error:  # noqa: BLE001 - answered here, a fault too gets the headers that middleware adds
        return await refused(request, error)


async def _respond(request: Request) -> HTTPAnswer:
    gateway: Gateway = request.app.state.gateway
    token = await _token(request, gateway)
    media_type = media_types.negotiate(request.headers.getlist("accept"))
    # Without a turn: a body may take its time.
    graphql_request = await parameters.read(request, gateway.settings)
    return await answer(gateway, token, graphql_request, media_type, partial(_disconnected, request))


async def refused(request: Request, error: Exception) -> Response:
    """Answer a request of Starlette's that no operation was made of."""
    try:
        media_type = media_types.negotiate(request.headers.getlist("accept"))
    except BadRequest:
        media_type = JSON
    return _response(refusal(request.app.state.gateway, error, media_type))


def _response(answer: HTTPAnswer) -> Response:
    if len(answer.pieces) == 1:
        return Response(answer.pieces[0], answer.status, answer.headers, media_type=answer.media_type)

    headers = {**answer.headers, "Content-Length": str(sum(map(len, answer.pieces)))}
    answer.pieces.reverse()

    async def each() -> AsyncIterator[bytes]:
        while answer.pieces:
            # Each is freed when it is sent.
            yield answer.pieces.pop()

    return StreamingResponse(each(), answer.status, headers, media_type=answer.media_type)


async def _token(request: Request, gateway: Gateway) -> AuthenticatedToken:
    if gateway.settings.open_introspection and auth.is_anonymous(request):
        return ANONYMOUS
    return await gateway.tokens.of(auth.secret(request))


async def _disconnected(request: Request) -> None:
    """Return when the client has disconnected."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


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
    # One address answers each token differently: nobody may keep the answer for another one.
    headers = {"Cache-Control": "no-store", "Vary": "Accept"}
    if isinstance(error, Throttled | Overloaded):
        headers["Retry-After"] = str(error.retry_after)
    elif isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    elif error and _status(error, GRAPHQL_JSON) == METHOD_NOT_ALLOWED:
        headers["Allow"] = "POST"
    return headers
