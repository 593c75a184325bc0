"""GraphQL over WebSocket: the protocol `graphql-transport-ws`, and no other.

The token stands in the header `Authorization` of the upgrade, or in the payload of `connection_init`. Each operation
is admitted, charged and recorded like one that comes by HTTP.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import orjson
import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from customergraph.errors import RequestRefused, Unauthenticated
from customergraph.gateway.gateway import ANONYMOUS, Gateway
from customergraph.gateway.operations import execute
from customergraph.gateway.record import Record
from customergraph.gateway.request import Answer, ClientDisconnected, GraphQLRequest
from customergraph.gateway.subscriptions import StreamCut, Subscription
from customergraph.schema.scalars import JSON_OPTIONS
from customergraph.store.access import AuthenticatedToken
from customergraph.web import auth, parameters, request_id
from customergraph.web.bad_request import BadRequest
from customergraph.web.entrance import refusal
from customergraph.web.media_types import JSON
from customergraph.web.reports import Reports
from customergraph.web.socket_protocol import WRITTEN

PROTOCOL = "graphql-transport-ws"
# How long a client may take to say who it is.
INIT_SECONDS = 10
# So many operations of a connection run at once, beside its subscriptions.
MOST_OPERATIONS = 100
# The longest reason that a close frame may have, in bytes.
_LONGEST_REASON = 123

Result = TypeVar("Result")


class SocketClosed(Exception):
    """A connection that is to be closed with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Socket:
    """One connection, whose client has sent the secret of a token with the upgrade, or has not."""

    def __init__(self, websocket: WebSocket, gateway: Gateway, reports: Reports, secret: str | None) -> None:
        self._websocket = websocket
        self._gateway = gateway
        self._reports = reports
        self._secret = secret
        self._is_acknowledged = False
        # The operations that run, by their ids, and what tells each that its client has left it.
        self._left: dict[str, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        # As few that a client which does not read costs little.
        self._turns = asyncio.Semaphore(MOST_OPERATIONS + gateway.settings.token_subscriptions)

    async def serve(self) -> None:
        """Answer messages until one side closes the connection."""
        opened = asyncio.get_running_loop().time()
        try:
            while True:
                try:
                    async with asyncio.timeout_at(None if self._is_acknowledged else opened + INIT_SECONDS):
                        message = await self._received()
                except TimeoutError:
                    raise SocketClosed(4408, "Connection initialisation timeout") from None
                await self._respond(message)
        except SocketClosed as closed:
            await self._websocket.close(closed.code, str(closed).encode()[:_LONGEST_REASON].decode(errors="ignore"))
        except WebSocketDisconnect:
            pass
        finally:
            await self._leave_all()

    async def _leave_all(self) -> None:
        for left in self._left.values():
            left.set()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _received(self) -> dict[str, Any]:
        try:
            message = orjson.loads(await self._websocket.receive_text())
        except (KeyError, orjson.JSONDecodeError):
            # A binary message has no text.
            raise SocketClosed(4400, "A message must be JSON in a text frame") from None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise SocketClosed(4400, "A message must be an object with a `type`")
        return message

    async def _respond(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "connection_init":
                await self._acknowledge(message.get("payload") or {})
            case "ping":
                await self._send({"type": "pong"} | {key: message[key] for key in ("payload",) if key in message})
            case "pong":
                pass
            case "subscribe":
                await self._begin(_id(message), message.get("payload"))
            case "complete":
                left = self._left.get(_id(message))
                if left is not None:
                    left.set()
            case _:
                raise SocketClosed(4400, "The `type` of a message is unknown")

    async def _acknowledge(self, payload: Any) -> None:
        if self._is_acknowledged:
            raise SocketClosed(4429, "Too many initialisation requests")
        if not isinstance(payload, dict):
            raise SocketClosed(4400, "The payload of `connection_init` must be an object")
        texts = [value for name, value in payload.items() if name.lower() == "authorization" and isinstance(value, str)]
        try:
            if texts:
                self._secret = auth.secret_of(texts[0])
            await self._token(Record(""))
        except Unauthenticated as error:
            raise SocketClosed(4403, f"Forbidden: {error}") from None
        except RequestRefused as error:
            raise SocketClosed(1013, str(error)) from None
        self._is_acknowledged = True
        await self._send({"type": "connection_ack"})

    async def _token(self, record: Record) -> AuthenticatedToken:
        if self._secret is None and self._gateway.settings.open_introspection:
            return ANONYMOUS
        return await self._gateway.tokens.of(self._secret or auth.secret_of(""), record)

    async def _begin(self, id_: str, payload: Any) -> None:
        if not self._is_acknowledged:
            raise SocketClosed(4401, "Unauthorized")
        if id_ in self._left:
            raise SocketClosed(4409, f"Subscriber for {id_} already exists")
        try:
            request: GraphQLRequest | RequestRefused = parameters.of_message(payload)
        except BadRequest as error:
            raise SocketClosed(4400, str(error)) from None
        except RequestRefused as error:
            request = error
        await self._turns.acquire()
        self._left[id_] = asyncio.Event()
        task = asyncio.create_task(self._operate(id_, request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _operate(self, id_: str, request: GraphQLRequest | RequestRefused) -> None:
        """Answer one operation, and record it."""
        record = self._reports.record(request_id.of(""), is_operation=True)
        left = asyncio.ensure_future(self._left[id_].wait())
        structlog.contextvars.bind_contextvars(request_id=record.request_id)
        try:
            await self._answer(id_, request, left, record)
        except (ClientDisconnected, StreamCut, WebSocketDisconnect):
            record.is_canceled = True
        except Exception as error:  # noqa: BLE001 - answered here
            errors = orjson.loads(refusal(self._gateway, error, JSON, record).pieces[0])["errors"]
            await self._send({"id": id_, "type": "error", "payload": errors})
        finally:
            left.cancel()
            del self._left[id_]
            self._turns.release()
            self._reports.answered({**self._websocket.scope, "method": "GET"}, record)

    async def _answer(
        self, id_: str, request: GraphQLRequest | RequestRefused, left: "asyncio.Future[Any]", record: Record
    ) -> None:
        async def disconnected() -> None:
            await asyncio.shield(left)

        if isinstance(request, RequestRefused):
            raise request
        token = await self._token(record)
        answer = await execute(self._gateway, request, token, disconnected, record)
        if token.must_record_use:
            self._gateway.last_uses.record(token.token_id)
        if answer.subscription is None:
            if not await self._send_answer(id_, answer, record):
                return
        else:
            with self._gateway.streams.open(token.token_id) as stream:
                operation = answer.subscription
                events = Subscription(self._gateway, stream, operation, token, disconnected, record)
                while (event := await _unless(left, events.next())) is not None:
                    if not await self._send_answer(id_, event, record):
                        return
        if not left.done():
            await self._send({"id": id_, "type": "complete"})

    async def _send_answer(self, id_: str, answer: Answer, record: Record) -> bool:
        """Send an answer; returns whether more may follow, which is not so after a refusal."""
        if not answer.has_begun:
            await self._send({"id": id_, "type": "error", "payload": answer.body["errors"]})
            return False
        record.bytes += await self._send({"id": id_, "type": "next", "payload": answer.body})
        return True

    async def _send(self, message: dict[str, Any]) -> int:
        """Send a message, and wait until it is written out; returns its size."""
        text = orjson.dumps(message, option=JSON_OPTIONS).decode()
        await self._websocket.send_text(text)
        await self._websocket.scope["extensions"][WRITTEN]()
        return len(text)


def _id(message: dict[str, Any]) -> str:
    id_ = message.get("id")
    if not isinstance(id_, str) or not id_:
        raise SocketClosed(4400, "A message of this type must have an `id`, which is a string")
    return id_


async def _unless(left: "asyncio.Future[Any]", work: Coroutine[Any, Any, Result]) -> Result:
    """Return what some work gives; raises ClientDisconnected when the client leaves it before."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task, left}, return_when=asyncio.FIRST_COMPLETED)
        if left.done():
            raise ClientDisconnected
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
