"""The headers of every answer: the id of its request, which the logs have too, and `nosniff`."""

import re
from os import urandom

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from customergraph.web.reports import Reports

HEADER = "X-Request-ID"
# The place of a request's record in its scope.
RECORD = "customergraph.record"
_WELL_FORMED = re.compile(r"[A-Za-z0-9._:-]{1,128}", re.ASCII)


def of(sent: str) -> str:
    """Return the id of a request whose client sent this one, if any."""
    return sent if sent and _WELL_FORMED.fullmatch(sent) else urandom(16).hex()


class RequestId:
    """Gives each request an id, the client's own if it is well formed, and reports on it when it is answered."""

    def __init__(self, app: ASGIApp, reports: Reports) -> None:
        self._app = app
        self._reports = reports

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        id_ = of(Headers(scope=scope).get(HEADER, ""))

        record = scope[RECORD] = self._reports.record(id_)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[HEADER] = id_
                headers["X-Content-Type-Options"] = "nosniff"
                record.status = message["status"]
            else:
                record.bytes += len(message.get("body", b""))
                if not message.get("more_body", False):
                    self._reports.answered(scope, record)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=id_):
            await self._app(scope, receive, send_with_id)
