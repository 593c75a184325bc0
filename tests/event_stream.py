"""A client of server-sent events, as GraphQL over SSE has them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from graphql_client import GraphQLClient

ACCEPT = {"Accept": "text/event-stream"}


class Events:
    """The events of one stream."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.comments = 0
        # Whether the server has said that nothing follows.
        self.is_complete = False
        self._lines = response.iter_lines()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self

    def __next__(self) -> dict[str, Any]:
        """Wait for the next event."""
        kind = None
        for line in self._lines:
            name, _, value = line.partition(":")
            if line == ":":
                self.comments += 1
            elif name == "event":
                kind = value.strip()
            elif name == "data" and kind == "next":
                event: dict[str, Any] = json.loads(value)
                return event
            elif name == "data" and kind == "complete":
                self.is_complete = True
        raise StopIteration


@contextmanager
def subscribed(client: GraphQLClient, query: str, **variables: Any) -> Iterator[Events]:
    """Subscribe on a connection of its own, until the end of the block."""
    headers = {**ACCEPT, "Authorization": client.http.headers["Authorization"]}
    with httpx.Client(base_url=client.http.base_url, headers=headers, timeout=client.http.timeout) as http:
        body = {"query": query, "variables": variables}
        with http.stream("POST", "/graphql", json=body) as response:
            # Kept here: what reads the response would close it when it is freed.
            events = Events(response)
            yield events
