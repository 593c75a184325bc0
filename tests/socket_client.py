"""A client of WebSocket, as the protocol `graphql-transport-ws` has it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

INIT = {"type": "connection_init"}


class Socket:
    """One connection, whose messages are JSON."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def send(self, *messages: Any) -> None:
        for message in messages:
            self.connection.send(message if isinstance(message, str | bytes) else json.dumps(message))

    def receive(self, timeout: float = 20) -> Any:
        return json.loads(self.connection.recv(timeout=timeout))

    def subscribe(self, id_: str, query: str, **variables: Any) -> None:
        self.send({"id": id_, "type": "subscribe", "payload": {"query": query, "variables": variables}})

    def code(self) -> int:
        """Wait until the server closes the connection, and return its code."""
        with suppress(ConnectionClosed):
            while True:
                self.connection.recv(timeout=20)
        assert self.connection.close_code is not None
        return self.connection.close_code


@contextmanager
def opened(
    url: str, token: str | None = None, protocols: tuple[str, ...] = ("graphql-transport-ws",), **options: Any
) -> Iterator[Socket]:
    headers = {"Authorization": token} if token else {}
    address = f"{url.replace('http', 'ws')}/graphql"
    with connect(address, subprotocols=protocols, additional_headers=headers, **options) as connection:  # type: ignore[arg-type]
        yield Socket(connection)
