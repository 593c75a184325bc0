"""The headers of every answer: the id of its request, which the logs have too, and `nosniff`."""

import re
import time
from secrets import token_hex

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from customergraph.web.access_log import AccessLog

HEADER = "X-Request-ID"
_WELL_FORMED = re.compile(r"[A-Za-z0-9._:-]{1,128}", re.ASCII)


def of(sent: str) -> str:
    """Return the id of a request whose client sent this one, if any."""
    return sent if _WELL_FORMED.fullmatch(sent) else token_hex(16)


class RequestId:
    """Gives each request an id: the client's own if it is well formed."""

    def __init__(self, app: ASGIApp, access_log: AccessLog) -> None:
        self._app = app
        self._access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        id_ = of(Headers(scope=scope).get(HEADER, ""))

        started = time.perf_counter()

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[HEADER] = id_
                headers["X-Content-Type-Options"] = "nosniff"
                self._access_log.add(scope, message["status"], id_, started)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=id_):
            await self._app(scope, receive, send_with_id)
