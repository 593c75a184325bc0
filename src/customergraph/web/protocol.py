"""HTTP/1.1 on one connection: uvicorn's protocol, with bounded heads, ignored upgrades and half-closed connections.

A head has a bound, an upgrade is ignored, a half-closed connection is answered, and a server
that stops closes a connection after the answer that is due on it. Written for uvicorn 0.54.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import httptools
import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from customergraph.errors import SETTING_PREFIX

# A client that has closed its side gets a `100 Continue` after the first of these times, and one more each
# time the second has passed. If nobody reads any more, its kernel answers with a reset.
FIRST_PROBE_SECONDS = 0.3
PROBE_SECONDS = 0.1
# How long the bytes of a refused client are discarded. A reset at once would overtake the refusal.
LINGER_SECONDS = 2
# The extension of ASGI by which an application writes a whole response.
WHOLE_RESPONSE = "customergraph.response"
# The extension by which it begins a stream: it gives bytes that a client skips, and gets what cuts the connection.
STREAM = "customergraph.stream"
SOCKET_PATHS = frozenset({b"/graphql", b"/graphql/"})
_INVALID = "This is no HTTP request."
_BLANKS = len(": \r\n")
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})


class HeadTooLarge(Exception):
    """A request head of more bytes than are allowed."""


class Protocol(HttpToolsProtocol):
    """One connection. `h11_max_incomplete_event_size` of the configuration bounds a head."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._most_bytes = self.config.h11_max_incomplete_event_size or 0
        # How many heads and pieces of bodies were read whole, and how many bytes came since the last one.
        self._steps = 0
        self._bytes_since = 0
        self._is_last = False
        self._running: RequestResponseCycle = None  # type: ignore[assignment]  # as uvicorn has it
        self._refusal: bytes | None = None
        self._probe: asyncio.TimerHandle | None = None
        # What the client of a stream skips.
        self._skipped = b""

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way."""
        return self.cycle is None or self.cycle.response_complete or self.cycle.disconnected

    # What the transport calls

    def data_received(self, data: bytes) -> None:
        if self._refusal is not None:
            return
        self._unset_keepalive_if_required()
        steps = self._steps
        self._bytes_since += len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError as error:
            self._refuse_unread(error)
            return
        if self._steps != steps:
            self._bytes_since = 0
        elif self._bytes_since > self._most_bytes:
            self._refuse_head()

    def _feed(self, data: bytes) -> None:
        """Parse the bytes. A request to upgrade to what there is not is read like any other (RFC 9110, section 7.8)."""
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]
                if self._should_upgrade():
                    self._become_socket(data)
                    return
                self.parser = _after_head(self)
            else:
                return

    def _should_upgrade(self) -> bool:
        is_socket = self.url.partition(b"?")[0] in SOCKET_PATHS and self.parser.get_method() == b"GET"
        return is_socket and self.is_idle and super()._should_upgrade()

    def _become_socket(self, data: bytes) -> None:
        """Give the connection to the protocol of WebSocket, with the bytes that have come after the head."""
        self.handle_websocket_upgrade()
        protocol: Any = self.transport.get_protocol()
        if data:
            protocol.data_received(data)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Keep the connection open while a whole request is unanswered (RFC 9112, section 9.6)."""
        self._give_up_unfinished()
        if self.is_idle:
            return False
        self._is_last = True
        self.cycle.keep_alive = False
        self._probe = self.loop.call_later(FIRST_PROBE_SECONDS, self._ask_for_client)
        return True

    def _give_up_unfinished(self) -> None:
        """Drop the newest request if its body is not whole: the rest cannot come any more."""
        if self.cycle is None or not self.cycle.more_body:
            return
        if self.pipeline:
            self.pipeline.popleft()
            self.cycle = self.pipeline[0][0] if self.pipeline else self._running
        else:
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def _ask_for_client(self) -> None:
        """Send a `100 Continue`, which clients skip. If the client is gone, the next write ends the connection."""
        cycle = self._running
        if cycle.response_complete or self.transport.is_closing():
            return
        if not cycle.response_started and cycle.scope["http_version"] == "1.1":
            self.transport.write(_CONTINUE)
        elif self._skipped and not self.flow.write_paused:
            self.transport.write(self._skipped)
        self._probe = self.loop.call_later(PROBE_SECONDS, self._ask_for_client)

    def _begin_stream(self, skipped: bytes) -> Callable[[], None]:
        """Ask for a client that has closed its side with these bytes, between the pieces of a chunked response."""
        self._skipped = b"%x\r\n%b\r\n" % (len(skipped), skipped)
        return self.transport.abort

    def connection_lost(self, exc: Exception | None) -> None:
        if self._probe is not None:
            self._probe.cancel()
        if self.pipeline:
            # uvicorn itself disconnects the newest request alone.
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    # What the parser calls

    def on_headers_complete(self) -> None:
        self._steps += 1
        if self._bytes_since > self._most_bytes and self._size_of_head() > self._most_bytes:
            raise HeadTooLarge
        super().on_headers_complete()
        if self._is_last:
            self.cycle.keep_alive = False

    def _size_of_head(self) -> int:
        line = len(self.parser.get_method()) + len(self.url) + len("  HTTP/1.1\r\n\r\n")
        return line + sum(len(name) + len(value) + _BLANKS for name, value in self.headers)

    def on_body(self, body: bytes) -> None:
        self._steps += 1
        super().on_body(body)

    def on_message_complete(self) -> None:
        # The parser ends the message before the body when it sees an upgrade.
        if not self.parser.should_upgrade():
            super().on_message_complete()

    # What a cycle, and the server, call

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        scope: Any = cycle.scope
        scope["extensions"] = {WHOLE_RESPONSE: partial(_respond, cycle), STREAM: self._begin_stream}
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._refusal is not None and self.is_idle:
            self._send_refusal()

    def shutdown(self) -> None:
        """Close the connection after the answer that is due, or after the next one."""
        self._is_last = True
        if not self.is_idle:
            self.cycle.keep_alive = False

    # Refusals of bytes that are no request

    def _refuse_head(self) -> None:
        self.app_state["refused_head"]()
        self._refuse(
            431,
            f"The request head is too large: more than {self._most_bytes:,} bytes"
            f" (setting {SETTING_PREFIX}HEAD_LIMIT).",
        )

    def _refuse_unread(self, error: httptools.HttpParserError) -> None:
        if isinstance(error.__context__, HeadTooLarge):
            self._refuse_head()
        else:
            self._refuse(400, _INVALID)

    def _refuse(self, status: int, message: str) -> None:
        """Answer after the requests that run, and read no further request."""
        self.logger.warning("Request refused with %d: %s", status, message)
        self._refusal = _refusal(status, message)
        self._give_up_unfinished()
        if self.is_idle:
            self._send_refusal()

    def _send_refusal(self) -> None:
        if self.transport.is_closing():
            return
        self._unset_keepalive_if_required()
        self.transport.write(self._refusal or b"")
        self.transport.write_eof()
        self.timeout_keep_alive_task = self.loop.call_later(LINGER_SECONDS, self.timeout_keep_alive_handler)


def _respond(cycle: RequestResponseCycle, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> bool:
    """Answer 200 with headers, whose values are well formed, and a body; returns whether that could be done.

    Both are written at once: uvicorn writes two packets, and checks every header.
    """
    if cycle.disconnected or cycle.flow.write_paused or not cycle.keep_alive or cycle.transport.is_closing():
        return False
    cycle.response_started = True
    lines = [b"%b: %b\r\n" % header for header in (*cycle.default_headers, *headers)]
    cycle.transport.write(b"".join([STATUS_LINE[200], *lines, b"\r\n", body]))
    cycle.response_complete = True
    cycle.message_event.set()
    cycle.on_response()
    return True


def _refusal(status: int, message: str) -> bytes:
    body = orjson.dumps({"errors": [{"message": message, "extensions": {"code": "BAD_REQUEST"}}]})
    headers = (
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        f"X-Request-ID: {uuid4().hex}",
        "Connection: close",
    )
    return STATUS_LINE[HTTPStatus(status)] + "\r\n".join(headers).encode() + b"\r\n\r\n" + body


def _after_head(protocol: Protocol) -> httptools.HttpRequestParser:
    """Return a parser that has read the head of the newest request without its Upgrade header."""
    framing = [name + b": " + value for name, value in protocol.headers if name in _FRAMING]
    parser = httptools.HttpRequestParser(_AfterHead(protocol))
    parser.set_dangerous_leniencies(lenient_data_after_close=True)
    # The callbacks of the end of the head need this parser.
    protocol.parser = parser
    parser.feed_data(b"\r\n".join([b"POST / HTTP/1.1", *framing, b"", b""]))
    return parser


class _AfterHead:
    """The callbacks of a protocol, without those of one head that were called already."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._skips_callbacks = True
        self.on_body = protocol.on_body
        self.on_message_complete = protocol.on_message_complete

    def on_message_begin(self) -> None:
        if not self._skips_callbacks:
            self._protocol.on_message_begin()

    def on_url(self, url: bytes) -> None:
        if not self._skips_callbacks:
            self._protocol.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._skips_callbacks:
            self._protocol.on_header(name, value)

    def on_headers_complete(self) -> None:
        if not self._skips_callbacks:
            self._protocol.on_headers_complete()
        self._skips_callbacks = False
