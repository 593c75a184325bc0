"""The server of one process: uvicorn's, which stops without cutting off a request.

After SIGTERM it says that it is not ready, and goes on for the time of the drain, until a second
signal comes. Then it stops in this order: connections that were made are accepted, the requests that were
sent are answered with `Connection: close`, and idle connections are closed last.
Operations that still wait for the store near the end are answered with an error. Written for uvicorn 0.54.
"""

import asyncio
import contextlib
import math
import signal
import socket
import time
from collections.abc import Generator
from types import FrameType
from typing import Any

import structlog
import uvicorn

from customergraph import logs
from customergraph.settings import Settings
from customergraph.web import listening
from customergraph.web.event_stream import COMMENT_SECONDS
from customergraph.web.protocol import Protocol
from customergraph.web.socket_protocol import SocketProtocol

# How long a stopping server waits for its requests, and how long before the end of that time it
# stops their work in the store.
GRACE_SECONDS = 10.0
STOP_SECONDS = 2.0
# How long idle connections stay open for a request that is on its way.
IDLE_SECONDS = 0.5
# How long the answers to canceled requests may take.
_CANCELED_SECONDS = 0.5
_STEP_SECONDS = 0.02

_log = structlog.get_logger()


def configuration(app: Any, settings: Settings, **options: Any) -> uvicorn.Config:
    """Return uvicorn's configuration; `app` makes the application."""
    return uvicorn.Config(
        app,
        factory=True,
        loop="uvloop",
        http=Protocol,
        ws=SocketProtocol,
        ws_max_size=settings.body_limit,
        ws_per_message_deflate=False,
        ws_ping_interval=COMMENT_SECONDS,
        server_header=False,
        access_log=False,
        timeout_keep_alive=settings.keep_alive,  # type: ignore[arg-type]
        h11_max_incomplete_event_size=settings.head_limit,
        **{"log_config": logs.config(settings.log_format), **options},
    )


class Server(uvicorn.Server):
    """Serves until it is signaled, and then ends in the order above."""

    grace = GRACE_SECONDS
    idle = IDLE_SECONDS

    def __init__(self, config: uvicorn.Config, *, drain: float = 0) -> None:
        super().__init__(config)
        self._drain = drain
        self._stops_at = math.inf
        # The gateway is going to stop, so that a balancer should choose another.
        self.is_stopping = False

    def stop(self) -> None:
        """Stop without a drain; may be called from any thread."""
        self._stops_at = 0
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        with super().capture_signals():
            yield
            # uvicorn would raise the signal again, and the process would die of it.
            self._captured_signals.clear()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.is_stopping = True
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # The health checks read it.
        self.lifespan.state["is_stopping"] = lambda: self.is_stopping
        await super().startup(sockets)

    async def main_loop(self) -> None:
        await super().main_loop()
        if self._drain and self._captured_signals == [signal.SIGTERM]:
            _log.info("draining", seconds=self._drain)
            self._stops_at = min(self._stops_at, time.monotonic() + self._drain)
            self.should_exit = False
            await super().main_loop()

    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(counter) or time.monotonic() >= self._stops_at

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        time = asyncio.get_running_loop().time
        ends_at = time() + self.grace
        await self._stop_listening(sockets or [])
        self.lifespan.state["cut_streams"]()
        for connection in tuple(self.server_state.connections):
            connection.shutdown()
        await self._finish_requests(ends_at)
        while self._connections() and time() < ends_at and not self.force_exit:
            self._close_idle()
            await asyncio.sleep(_STEP_SECONDS)
        await self._cancel_rest()
        await self.lifespan.shutdown()

    async def _stop_listening(self, sockets: list[socket.socket]) -> None:
        ends_at = asyncio.get_running_loop().time() + listening.QUEUE_SECONDS
        await asyncio.sleep(listening.HANDSHAKE_SECONDS)
        while listening.readable(sockets) and asyncio.get_running_loop().time() < ends_at:  # noqa: ASYNC110 - a socket
            await asyncio.sleep(_STEP_SECONDS)
        for server in self.servers:
            server.close()
        for own in sockets:
            own.close()

    def _connections(self) -> list[Protocol]:
        return [connection for connection in self.server_state.connections if isinstance(connection, Protocol)]

    def _is_busy(self) -> bool:
        return bool(self.server_state.tasks) or not all(connection.is_idle for connection in self._connections())

    async def _finish_requests(self, ends_at: float) -> None:
        """Wait until no request has run for a while. Near the end, stop what still waits for the store."""
        time = asyncio.get_running_loop().time
        idle_since = time()
        while time() < ends_at and not self.force_exit:
            if self._is_busy():
                idle_since = time()
            elif not self.server_state.connections or time() - idle_since >= self.idle:
                return
            if time() > ends_at - STOP_SECONDS:
                await self.lifespan.state["stop"]()
            await asyncio.sleep(_STEP_SECONDS)

    def _close_idle(self) -> None:
        for connection in self._connections():
            if connection.is_idle and not listening.readable([connection.transport.get_extra_info("socket")]):
                connection.transport.close()

    async def _cancel_rest(self) -> None:
        """Cancel the requests that still run, which answers them, and close all connections."""
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_CANCELED_SECONDS)
        for connection in self._connections():
            connection.transport.close()
