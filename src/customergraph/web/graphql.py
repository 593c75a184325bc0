"""GraphQL over HTTP: a request becomes an operation, and what came of it a response."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import orjson
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from customergraph.errors import (
    BadRequest,
    Overloaded,
    RequestRefused,
    StoreUnavailable,
    Throttled,
    TimedOut,
    Unauthenticated,
)
from customergraph.schema.errors import format_error
from customergraph.store.access import AuthenticatedToken
from customergraph.web import auth, body, media_types, operation
from customergraph.web.encoding import encoded
from customergraph.web.gateway import Gateway
from customergraph.web.media_types import GRAPHQL_JSON, JSON
from customergraph.web.operation import ClientGone, GraphQLRequest

METHOD_NOT_ALLOWED = 405
CLIENT_GONE = 499
_STATUS: dict[type[RequestRefused], int] = {
    Unauthenticated: 401,
    Throttled: 429,
    Overloaded: 503,
    StoreUnavailable: 503,
    TimedOut: 504,
}


async def graphql(request: Request) -> Response:
    """Answer one GraphQL request."""
    try:
        return await _answered(request)
    except Exception as error:  # noqa: BLE001 - answered here, a fault too gets the headers that middleware adds
        return await refused(request, error)


async def _answered(request: Request) -> Response:
    gateway: Gateway = request.app.state.gateway
    use = await _use(request, gateway)
    media_type = media_types.negotiate(request.headers.getlist("accept"))
    # Without a turn: a body may take its time.
    asked = await _from_body(request, gateway) if request.method == "POST" else _from_address(request)
    try:
        answer = await operation.answer(gateway, asked, use, partial(_gone, request))
    except ClientGone:
        return Response(status_code=CLIENT_GONE)
    status = 200 if answer.is_begun else _status(answer.refused, media_type)
    response = _response(await encoded(answer.body, answer.objects), status, _headers(answer.refused), media_type)
    if use.to_be_noted:
        gateway.last_uses.note(use.token_id)
    return response


def _response(pieces: list[bytes], status: int, headers: dict[str, str], media_type: str) -> Response:
    if len(pieces) == 1:
        return Response(pieces[0], status, headers, media_type=media_type)

    headers = {**headers, "Content-Length": str(sum(map(len, pieces)))}
    pieces.reverse()

    async def each() -> AsyncIterator[bytes]:
        while pieces:
            # Each is freed when it is sent.
            yield pieces.pop()

    return StreamingResponse(each(), status, headers, media_type=media_type)


async def _use(request: Request, gateway: Gateway) -> AuthenticatedToken:
    if gateway.settings.open_introspection and auth.is_stranger(request):
        return auth.ANONYMOUS
    return await auth.authenticated(gateway.database, auth.secret(request))


async def _gone(request: Request) -> None:
    """Wait until the client goes away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def refused(request: Request, error: Exception) -> Response:
    """Answer a request that no operation was made of."""
    try:
        media_type = media_types.negotiate(request.headers.getlist("accept"))
    except BadRequest:
        media_type = JSON
    cause = GraphQLError(str(error), original_error=error)
    content: dict[str, Any] = {"errors": [format_error(cause, before_execution=False)]}
    if not isinstance(error, BadRequest):
        content["extensions"] = operation.cost_told(request.app.state.gateway)
    return Response(orjson.dumps(content), _status(error, GRAPHQL_JSON), _headers(error), media_type=media_type)


def _status(error: Exception | None, media_type: str) -> int:
    """Give the status of a refusal; plain JSON keeps its old way of 200 for what a document lacks."""
    if isinstance(error, BadRequest):
        return error.status
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
    elif isinstance(error, BadRequest) and error.status == METHOD_NOT_ALLOWED:
        headers["Allow"] = "POST"
    return headers


async def _from_body(request: Request, gateway: Gateway) -> GraphQLRequest:
    settings = gateway.settings
    return GraphQLRequest.of(await body.read(request, settings.body_limit, settings.body_timeout), by_get=False)


def _from_address(request: Request) -> GraphQLRequest:
    parameters: dict[str, Any] = dict(request.query_params)
    for name in ("variables", "extensions"):
        given = parameters.pop(name, None)
        if given:
            parameters[name] = body.parsed(given, f"`{name}`")
    return GraphQLRequest.of(parameters, by_get=True)
