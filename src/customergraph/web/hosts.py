"""The names by which a request may call the gateway.

A page of any site can have its own name lead to a loopback address, and then read what is served
there (DNS rebinding). It cannot choose the Host that the browser sends.
"""

import re
import socket
from functools import lru_cache

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from customergraph.hosts import host_name, is_loopback
from customergraph.settings import Settings
from customergraph.web.bad_request import BadRequest
from customergraph.web.graphql import refused
from customergraph.web.health import PATHS

MISDIRECTED_REQUEST = 421
_LONGEST_HOST = 300
_HOST = re.compile(rb"(\[[0-9a-fA-F:.]+\]|[^][:/@\s]+)(:\d{0,5})?")


class Hosts:
    """Refuses requests whose Host is missing, sent twice, or not one of this gateway's names."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        is_local = _is_local(settings.host)
        self._names = frozenset((*settings.hosts, settings.host.lower()) if is_local else settings.hosts)
        # Load balancers call a server by its address, and health checks reveal nothing.
        self._open_paths = () if is_local or not settings.hosts else PATHS
        self._accepts = lru_cache(maxsize=100)(self._knows if is_local or settings.hosts else _is_well_formed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            response = await refused(Request(scope), refusal)
            await response(scope, receive, send)

    def accepts(self, host: bytes) -> bool:
        """Return whether a request may call the gateway by this Host."""
        return len(host) <= _LONGEST_HOST and self._accepts(host)

    def _refusal(self, scope: Scope) -> BadRequest | None:
        values = [value for name, value in scope["headers"] if name == b"host"]
        if not values and scope["http_version"] == "1.0":
            return None  # HTTP/1.0 has no Host; no browser speaks it, some load balancers do.
        if len(values) != 1 or len(values[0]) > _LONGEST_HOST:
            return BadRequest("Send one Host header.")
        if self._accepts(values[0]) or scope["path"] in self._open_paths:
            return None
        return BadRequest(
            "The gateway is not served under the Host of this request: use `localhost`,"
            " or name the host in CUSTOMERGRAPH_HOSTS.",
            MISDIRECTED_REQUEST,
        )

    def _knows(self, host: bytes) -> bool:
        name = _name(host)
        return name in self._names or is_loopback(name)


def _is_well_formed(host: bytes) -> bool:
    return not host or _HOST.fullmatch(host) is not None


def _name(host: bytes) -> str:
    match = _HOST.fullmatch(host)
    try:
        return host_name(match[1].decode()) if match else ""
    except ValueError:
        return ""


def _is_local(host: str) -> bool:
    """Return whether a server on this host can be reached from this machine alone."""
    try:
        addresses = socket.getaddrinfo(host or None, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        return False
    return all(is_loopback(str(address[0])) for *_, address in addresses)
