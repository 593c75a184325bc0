"""GraphQL by Starlette, for the requests that are not usual."""

import time
from collections.abc import AsyncIterator
from functools import partial

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from customergraph.gateway.gateway import ANONYMOUS, Gateway
from customergraph.gateway.record import Record
from customergraph.store.access import AuthenticatedToken
from customergraph.web import auth, event_stream, media_types, parameters
from customergraph.web.bad_request import BadRequest
from customergraph.web.entrance import HTTPAnswer, answer, refusal
from customergraph.web.media_types import EVENT_STREAM, JSON
from customergraph.web.request_id import RECORD


def record_of(request: Request) -> Record:
    """Return the record of a request."""
    record: Record = request.scope[RECORD]
    return record


async def graphql(request: Request) -> Response:
    """Answer one GraphQL request of Starlette's."""
    record_of(request).is_operation = True
    try:
        return await _respond(request)
    except Exception as error:  # noqa: BLE001 - answered here, a fault too gets the headers that middleware adds
        return await refused(request, error)


async def _respond(request: Request) -> Response:
    gateway: Gateway = request.app.state.gateway
    record = record_of(request)
    token = await _token(request, gateway, record)
    media_type = media_types.negotiate(request.headers.getlist("accept"))
    if media_type == EVENT_STREAM:
        return await event_stream.respond(request, gateway, token, record)
    # Without a turn: a body may take its time.
    started = time.perf_counter()
    graphql_request = await parameters.read(request, gateway.settings)
    record.receiving = time.perf_counter() - started
    disconnected = partial(event_stream.disconnected, request.receive)
    return _response(await answer(gateway, token, graphql_request, media_type, disconnected, record))


async def refused(request: Request, error: Exception) -> Response:
    """Answer a request of Starlette's that no operation was made of."""
    try:
        media_type = media_types.negotiate(request.headers.getlist("accept"))
    except BadRequest:
        media_type = JSON
    if media_type == EVENT_STREAM:
        media_type = JSON
    return _response(refusal(request.app.state.gateway, error, media_type, record_of(request)))


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


async def _token(request: Request, gateway: Gateway, record: Record) -> AuthenticatedToken:
    if gateway.settings.open_introspection and auth.is_anonymous(request):
        return ANONYMOUS
    return await gateway.tokens.of(auth.secret(request), record)
