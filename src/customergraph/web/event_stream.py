"""Answers as server-sent events: GraphQL over SSE, "Distinct connections mode", and HTML, "Server-sent events".

A subscription is a `next` for each event, and `complete` after the last one. A stream that ends without `complete` was
cut: the client is to subscribe again, with the cursor of its last event.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from customergraph.errors import Unauthenticated
from customergraph.execution.operation import Operation
from customergraph.gateway.gateway import Gateway
from customergraph.gateway.operations import execute
from customergraph.gateway.record import Record
from customergraph.gateway.request import Answer, ClientDisconnected
from customergraph.gateway.subscriptions import StreamCut, Subscription
from customergraph.schema.scalars import JSON_OPTIONS
from customergraph.store.access import AuthenticatedToken
from customergraph.web import parameters
from customergraph.web.encoding import SINGLE_CHUNK_OBJECTS, in_pieces
from customergraph.web.entrance import refusal
from customergraph.web.media_types import EVENT_STREAM
from customergraph.web.protocol import STREAM

# So often something is sent, so that proxies keep the connection, and so that the server sees a client leave.
COMMENT_SECONDS = 15
_COMMENT = b":\n\n"
_COMPLETE = b"event: complete\ndata:\n\n"
_HEADERS = {"Cache-Control": "no-store", "Vary": "Accept", "X-Accel-Buffering": "no"}


async def respond(request: Request, gateway: Gateway, token: AuthenticatedToken, record: Record) -> Response:
    """Answer a GraphQL request by events; raises Unauthenticated."""
    try:
        graphql_request = await parameters.read(request, gateway.settings, streams=True)
        answer = await execute(gateway, graphql_request, token, partial(disconnected, request.receive), record)
    except ClientDisconnected:
        return Response(headers=_HEADERS, media_type=EVENT_STREAM)
    except Exception as error:  # noqa: BLE001 - answered here
        return _whole(refusal(gateway, error, EVENT_STREAM, record).pieces)
    if isinstance(answer.refusal, Unauthenticated):
        raise answer.refusal
    if token.must_record_use:
        gateway.last_uses.record(token.token_id)
    if answer.subscription is None:
        return _whole(await _pieces(answer))
    return _EventStream(gateway, answer.subscription, token, record)


async def disconnected(receive: Receive) -> None:
    """Return when the client has disconnected."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _whole(pieces: Sequence[bytes]) -> Response:
    return Response(b"".join([*_event(pieces), _COMPLETE]), headers=_HEADERS, media_type=EVENT_STREAM)


async def _pieces(answer: Answer) -> list[bytes]:
    if answer.objects <= SINGLE_CHUNK_OBJECTS:
        return [orjson.dumps(answer.body, option=JSON_OPTIONS)]
    return await in_pieces(answer.body)


def _event(pieces: Sequence[bytes]) -> list[bytes]:
    # JSON as it is written here has no line breaks.
    return [b"event: next\ndata: ", *pieces, b"\n\n"]


class _EventStream(Response):
    """The events of a subscription, which is open until the client leaves, the worker stops, or it is complete."""

    def __init__(self, gateway: Gateway, operation: Operation, token: AuthenticatedToken, record: Record) -> None:
        super().__init__(headers=_HEADERS, media_type=EVENT_STREAM)
        del self.headers["content-length"]
        self._gateway = gateway
        self._operation = operation
        self._token = token
        self._record = record

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = _Client(scope, receive, send)
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            await client.send([_COMMENT])
            await self._send_events(client)
            end = _COMPLETE
        except StreamCut:
            end = b""
        except ClientDisconnected:
            self._record.is_canceled = True
            end = b""
        except Exception as error:  # noqa: BLE001 - answered here
            end = b"".join(_event(refusal(self._gateway, error, EVENT_STREAM, self._record).pieces)) + _COMPLETE
        finally:
            client.leave()
        await send({"type": "http.response.body", "body": end, "more_body": False})

    async def _send_events(self, client: "_Client") -> None:
        with self._gateway.streams.open(self._token.token_id) as stream:
            stream.when_cut(client.cut)
            subscription = Subscription(
                self._gateway, stream, self._operation, self._token, client.disconnected, self._record
            )
            while True:
                answer = await client.commented(subscription.next())
                if answer is None:
                    return
                await client.send(_event(await _pieces(answer)))


class _Client:
    """The client of one stream."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.disconnected = partial(disconnected, receive)
        self._send = send
        self._is_blocked = False
        self._abort: Callable[[], None] = scope["extensions"][STREAM](_COMMENT)
        self._gone = asyncio.ensure_future(self.disconnected())

    async def send(self, pieces: Sequence[bytes]) -> None:
        """Send some bytes, and wait until they are written out; raises ClientDisconnected."""
        self._is_blocked = True
        # What is empty is sent when all before it is written.
        for piece in (*pieces, b""):
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        self._is_blocked = False
        if self._gone.done():
            raise ClientDisconnected

    async def commented(self, work: Coroutine[Any, Any, Answer | None]) -> Answer | None:
        """Wait for some work, and send comments meanwhile; raises ClientDisconnected."""
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                await asyncio.wait({task, self._gone}, timeout=COMMENT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                if self._gone.done():
                    raise ClientDisconnected
                if not task.done():
                    await self.send([_COMMENT])
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})

    def cut(self) -> None:
        """Close the connection at once if the client does not read."""
        if self._is_blocked:
            self._abort()

    def leave(self) -> None:
        self._gone.cancel()
