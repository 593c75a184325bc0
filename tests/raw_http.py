"""Requests as bytes, and answers read from a socket, for what no HTTP client sends."""

import json
import socket
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any

PROJECT = b'{"query": "{ project { slug } }"}'
SLUG = {"project": {"slug": "acme"}}
PATIENCE_SECONDS = 20


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def connect(url: str) -> socket.socket:
    host, _, port = url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS)


def head(authorization: str, *lines: str, length: int | None = len(PROJECT), target: str = "/graphql") -> bytes:
    """Return the head of a POST with a JSON body."""
    framing = () if length is None else (f"Content-Length: {length}",)
    fixed = ("Host: localhost", f"Authorization: {authorization}", "Content-Type: application/json")
    return "\r\n".join((f"POST {target} HTTP/1.1", *fixed, *framing, *lines, "", "")).encode()


def read_answer(connection: socket.socket) -> Answer:
    """Read one answer, as Python's own client does: it skips `100 Continue`."""
    response = HTTPResponse(connection)
    response.begin()
    body = response.read()
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)


def exchange(url: str, *packets: bytes) -> Answer:
    """Send some bytes, in packets of their own, and read one answer."""
    with connect(url) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for packet in packets:
            connection.sendall(packet)
        return read_answer(connection)
