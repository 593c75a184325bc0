"""Sends one request again and again, by one client or by several at once, and times each.

A client is little more than a connection, so that its own CPU time does not count.
"""

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvloop

FEWEST = 5
_END_OF_HEADERS = b"\r\n\r\n"
_LENGTH = b"content-length: "


@dataclass(frozen=True, slots=True)
class Turn:
    """The latency of each request, and the CPU time of the server and of PostgreSQL for one; in milliseconds."""

    latencies: list[float]
    cpu_ms: float
    database_ms: float


class _Client(asyncio.Protocol):
    """A connection that is kept alive, for answers with a Content-Length."""

    _answer_length: asyncio.Future[int]

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._head, self._missing, self._length = b"", 0, 0

    def ask(self, request: bytes) -> asyncio.Future[int]:
        """Send a request; returns the length of its answer."""
        self._answer_length = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer_length

    def data_received(self, data: bytes) -> None:
        if not self._missing:
            self._head += data
            head, separator, data = self._head.partition(_END_OF_HEADERS)
            if not separator:
                return
            length = int(head.lower().partition(_LENGTH)[2].partition(b"\r\n")[0])
            self._head, self._missing, self._length = b"", length, length
        self._missing -= len(data)
        if not self._missing:
            self._answer_length.set_result(self._length)

    def connection_lost(self, error: Exception | None) -> None:
        if not self._answer_length.done():
            self._answer_length.set_exception(error or ConnectionResetError())

    def close(self) -> None:
        self._transport.close()


@dataclass(frozen=True, slots=True)
class Load:
    """A request, the size of its answer, and the clock of the server's CPU time."""

    request: httpx.Request
    size: int
    cpu_seconds: Callable[[], float]

    def turn(self, clients: int, seconds: float) -> Turn:
        """Let the clients repeat the request for so many seconds, and at least five times in all."""
        return uvloop.run(_turn(self, clients, seconds))


async def _turn(load: Load, clients: int, seconds: float) -> Turn:
    loop, content, url = asyncio.get_running_loop(), _encoded(load.request), load.request.url
    connected = [await loop.create_connection(_Client, url.host, url.port or 80) for _ in range(clients)]
    latencies: list[float] = []
    before, database_before = load.cpu_seconds(), _database_seconds()
    until = time.perf_counter() + seconds

    async def one_after_the_other(client: _Client) -> None:
        begin = time.perf_counter()
        while begin < until or len(latencies) < FEWEST:
            length = await client.ask(content)
            assert length == load.size, f"an answer of {length} bytes instead of {load.size}"
            end = time.perf_counter()
            latencies.append((end - begin) * 1000)
            begin = end

    await asyncio.gather(*(one_after_the_other(client) for _, client in connected))
    cpu_ms = (load.cpu_seconds() - before) * 1000 / len(latencies)
    database_ms = (_database_seconds() - database_before) * 1000 / len(latencies)
    for _, client in connected:
        client.close()
    return Turn(latencies, cpu_ms, database_ms)


def _database_seconds() -> float:
    """Return the CPU time that all processes of PostgreSQL on this machine have used."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            _, _, rest = path.read_text("ascii", "replace").partition("(postgres) ")
            fields = rest.split()
            ticks += int(fields[11]) + int(fields[12]) if fields else 0
    return ticks / os.sysconf("SC_CLK_TCK")


def _encoded(request: httpx.Request) -> bytes:
    lines = [f"{request.method} {request.url.raw_path.decode()} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + request.read()
