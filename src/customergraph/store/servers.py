"""The servers of one PostgreSQL: a URL may name several, of which one takes writes, and after a failover another."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit
from weakref import WeakKeyDictionary

# How long each server may take to accept a connection: two that are silent are known within four seconds.
CONNECT_SECONDS = 1.5
# How often the server that takes writes is asked whether it lives, and how long it may take to say so.
PAUSE_SECONDS = 1
ANSWER_SECONDS = 2
PORT = 5432

_IS_READ_ONLY = "SELECT current_setting('transaction_read_only') = 'on'"


class Address(NamedTuple):
    """Where a server listens."""

    host: str
    port: int


def addresses_in(url: str) -> list[Address]:
    """Return the addresses that a URL names; raises ValueError for what is none."""
    parts = urlsplit(url)
    hosts = parts.netloc.rpartition("@")[2].split(",")
    return [_address(urlsplit(f"//{host}")) for host in hosts]


def _address(parts: SplitResult) -> Address:
    return Address(parts.hostname or "", parts.port or PORT)


def with_first_address(url: str) -> str:
    """Return a URL with the first of its addresses alone, as libraries take it."""
    parts = urlsplit(url)
    user, at, hosts = parts.netloc.rpartition("@")
    first = hosts.partition(",")[0]
    return url if first == hosts else parts._replace(netloc=f"{user}{at}{first}").geturl()


class Servers:
    """Connects to the server that takes writes, and leaves one that no longer answers.

    asyncpg takes several addresses too, but the first one that is silent uses up the time of all. And a server whose
    machine is frozen keeps its connections open: so it is asked once a second. When it does not answer, or
    takes no writes any more, all connections to it are dropped.
    """

    def __init__(
        self, addresses: Sequence[Address], connect: Callable[..., Awaitable[Any]], errors: tuple[type[Exception], ...]
    ) -> None:
        """Take the driver's function that connects, and the errors that it raises."""
        self._driver_connect = connect
        self._errors: tuple[type[Exception], ...] = (OSError, *errors)
        # Those that failed come last.
        self._addresses = list(addresses)
        self._connections: WeakKeyDictionary[Any, Address] = WeakKeyDictionary()
        self._watches: dict[Address, asyncio.Task[None]] = {}

    async def connect(self, *, host: object, port: object = None, timeout: object, **arguments: Any) -> Any:  # noqa: ARG002, ASYNC109
        """Connect as asyncpg does, but with each server in turn; the address of the URL is one of them."""
        reasons = []
        for address in tuple(self._addresses):
            try:
                connection = await self._connect(address, arguments)
            except self._errors as error:
                self._put_last(address)
                reasons.append(f"{address.host}:{address.port}: {error or type(error).__name__}")
            else:
                self._connections[connection] = address
                self._watch(address, arguments)
                return connection
        raise ConnectionError("; ".join(reasons))

    async def _connect(self, address: Address, arguments: dict[str, Any]) -> Any:
        return await self._driver_connect(
            host=address.host,
            port=address.port,
            timeout=CONNECT_SECONDS,
            target_session_attrs="read-write",
            **arguments,
        )

    def _put_last(self, address: Address) -> None:
        self._addresses.remove(address)
        self._addresses.append(address)

    def _watch(self, address: Address, arguments: dict[str, Any]) -> None:
        if address not in self._watches:
            self._watches[address] = asyncio.create_task(self._ask(address, arguments))

    async def _ask(self, address: Address, arguments: dict[str, Any]) -> None:
        """Ask a server again and again while there are connections to it; leave it if it is silent or read-only."""
        own: Any = None
        try:
            while open_ones := self._open_to(address):
                try:
                    async with asyncio.timeout(ANSWER_SECONDS):
                        if own is None or own.is_closed():
                            own = await self._connect(address, arguments)
                        is_left = await own.fetchval(_IS_READ_ONLY)
                except TimeoutError:
                    is_left = True
                except self._errors:
                    is_left = False  # It answers, or the connections know that they are closed.
                if is_left:
                    self._leave(address, open_ones)
                await asyncio.sleep(PAUSE_SECONDS)
        finally:
            # The next connection to it begins to ask again.
            del self._watches[address]
            if own is not None:
                own.terminate()

    def _leave(self, address: Address, connections: Sequence[Any]) -> None:
        self._put_last(address)
        for connection in connections:
            connection.terminate()

    def _open_to(self, address: Address) -> list[Any]:
        connections = list(self._connections.items())
        return [connection for connection, to in connections if to == address and not connection.is_closed()]

    async def close(self) -> None:
        watches = list(self._watches.values())
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)
