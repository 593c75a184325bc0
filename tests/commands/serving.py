"""A gateway over a demo, as a process, and its log."""

import json
import signal
import subprocess
from collections.abc import Callable
from typing import Any

import httpx

import stores
from commands.command import START_SECONDS, Command, until
from conftest import free_port
from customergraph import demo
from customergraph.domain.principal import Scope
from customergraph.store import access
from customergraph.store.database import Database


class Serving:
    """A gateway over a demo, and its log."""

    def __init__(self, command: Command, **settings: str) -> None:
        self._command = command
        self.token = stores.on_database(command.store_url, _filled)
        command.env |= {f"CUSTOMERGRAPH_{name}": value for name, value in settings.items()}
        port = free_port()
        self._process: subprocess.Popen[str] = command.start("serve", "--port", port)
        self._url = f"http://127.0.0.1:{port}"
        self.http = self.client()
        until(self._lives, "the gateway lives", START_SECONDS)

    @property
    def pid(self) -> int:
        return self._process.pid

    def client(self) -> httpx.Client:
        """Return a client with connections of its own."""
        return httpx.Client(base_url=self._url, headers={"Authorization": f"Bearer {self.token}"}, timeout=30)

    def _lives(self) -> bool:
        try:
            return self.http.get("/healthz").is_success
        except httpx.TransportError:
            return False

    def post(self, query: str, variables: dict[str, Any] | None = None, **more: Any) -> httpx.Response:
        return self.http.post("/graphql", json={"query": query, "variables": variables, **more})

    def stopped(self) -> str:
        """Stop the gateway, and return its log."""
        self.http.close()
        self._process.send_signal(signal.SIGTERM)
        self._process.communicate(timeout=30)
        return self._command.stderr()

    def operations(self) -> list[dict[str, Any]]:
        """Stop the gateway, and return the lines of its operations."""
        return [line for line in map(json.loads, self.stopped().splitlines()) if line["event"] == "operation"]


async def _filled(database: Database) -> str:
    await demo.fill(database, 60)
    return await access.create_token(database, demo.SLUG, "logs", set(Scope), None)


Serve = Callable[..., Serving]
