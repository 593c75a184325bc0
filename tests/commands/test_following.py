"""Beside many writers and kills, followers have each change once, and at the end an equal copy.

One asks for pages, one gets server-sent events and one WebSocket's messages; the last two leave their streams and
subscribe again at random.
"""

import math
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, suppress
from typing import Any
from uuid import uuid4

import httpx
import pytest
from websockets.exceptions import WebSocketException

import stores
from commands.command import Command
from commands.test_repeated_writes import Killed
from conftest import free_port, make_empty
from event_stream import subscribed
from graphql_client import GraphQLClient
from socket_client import INIT, opened
from stores import PostgreSQLServer

pytestmark = pytest.mark.slow

# Kills of the server, and of the database where it is one of its own, by turns.
WRITERS, KILLS, SECONDS = 16, 3, 16
FIELDS = {
    "Customer": "uuid firstName city archivedAt unsubscribedAt askedAt messagedAt reviewedAt",
    "Message": "uuid status sentAt canceledAt customer { id }",
    "Review": "uuid score reviewer: customer { id }",
    "Charge": "uuid amount customer { id }",
}
SELECTION = " ".join(f"... on {name} {{ {fields} }}" for name, fields in FIELDS.items())
PAGE = f"""{{
  nodes {{ position action subjectId node {{ __typename id {SELECTION} }} }} pageInfo {{ endCursor }}
}}"""
CHANGES = f"query($after: String) {{ changes(after: $after, first: 100) {PAGE} }}"
SUBSCRIPTION = f"subscription($after: String) {{ changes(after: $after) {PAGE} }}"
MOST_EVENTS, SILENT_SECONDS = 20, 3
LISTS = {
    "customers(includeArchived: true, first: 100, after: $after)": "Customer",
    "messages(first: 100, after: $after)": "Message",
    "reviews(first: 100, after: $after)": "Review",
    "charges(first: 100, after: $after)": "Charge",
}
TIME = "2026-03-01T00:00:00Z"
MESSAGE = f'channel: SMS, template: REQUEST, scheduledAt: "{TIME}"'
WRITES = (
    "upsertCustomers(input: [{uuid: $id, firstName: $text, city: $text}])",
    f"recordMessages(input: [{{uuid: $other, customerId: $id, {MESSAGE}}}])",
    'recordReviews(input: [{uuid: $other, customerId: $id, score: 4, source: "x"}])',
    'recordCharges(input: [{uuid: $other, customerId: $id, amount: 4, currency: "EUR"}])',
    "archiveCustomer(id: $key)",
    "unsubscribeCustomer(id: $key)",
    "deleteCustomer(id: $key)",
)
VARIABLES = {"id": "UUID!", "other": "UUID!", "key": "ID!", "text": "String!"}


class Copy:
    """A copy of the project, made of the changes of its feed alone."""

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {}
        self.position = 0
        self.after: str | None = None
        # The position of the last change, once it is known.
        self.end = math.inf

    def apply(self, page: Any) -> None:
        for change in page["nodes"]:
            self.position += 1
            assert change["position"] == self.position, "a change is missing, or came twice"
            if change["action"] == "DELETED":
                del self.objects[change["subjectId"]]
            elif change["node"] is not None:
                self.objects[change["subjectId"]] = change["node"]
            else:
                # It is gone by now, and its DELETED follows.
                self.objects.setdefault(change["subjectId"], None)
        self.after = page["pageInfo"]["endCursor"]

    def apply_answer(self, answer: dict[str, Any]) -> bool:
        """Apply the page of an answer; returns whether it has one, which is not so while the store is away."""
        if "errors" in answer:
            assert {error["extensions"]["code"] for error in answer["errors"]} <= {"STORE_UNAVAILABLE"}
            return False
        self.apply(answer["data"]["changes"])
        return True


# Read what there is, or some events of one stream. A gateway that was killed ends both.
Way = Callable[[GraphQLClient, Copy, random.Random], None]


def by_pages(client: GraphQLClient, copy: Copy, _chance: random.Random) -> None:
    with suppress(httpx.TransportError):
        copy.apply_answer(client.answer(CHANGES, after=copy.after))


def by_events(client: GraphQLClient, copy: Copy, chance: random.Random) -> None:
    with suppress(httpx.TransportError), subscribed(client, SUBSCRIPTION, after=copy.after) as events:
        for _ in range(chance.randint(1, MOST_EVENTS)):
            event = next(events, None)
            if event is None or not copy.apply_answer(event):
                return


def by_messages(client: GraphQLClient, copy: Copy, chance: random.Random) -> None:
    url, token = str(client.http.base_url), client.http.headers["Authorization"]
    with suppress(OSError, WebSocketException), opened(url.rstrip("/"), token, open_timeout=SILENT_SECONDS) as socket:
        socket.send(INIT)
        assert socket.receive() == {"type": "connection_ack"}
        socket.subscribe("changes", SUBSCRIPTION, after=copy.after)
        for _ in range(chance.randint(1, MOST_EVENTS)):
            message = socket.receive(SILENT_SECONDS)
            answer = {"errors": message["payload"]} if message["type"] == "error" else message["payload"]
            if not copy.apply_answer(answer):
                return


WAYS: tuple[Way, ...] = (by_pages, by_events, by_messages)


def follow(way: Way, copy: Copy, gateway: Killed, token: str) -> None:
    """Keep a copy in step until the end of the feed is known and reached."""
    chance = random.Random(17)  # noqa: S311 - no secret
    with closing(GraphQLClient(gateway.url, token)) as client:
        client.http.timeout = httpx.Timeout(SILENT_SECONDS)
        while copy.position < copy.end:
            way(client, copy, chance)
            time.sleep(chance.random() / 10)


def write_until(stop: threading.Event, gateway: Killed, token: str, seed: int) -> None:
    """Change a few customers and their histories at random."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    customers = [str(uuid4()) for _ in range(4)]
    with closing(GraphQLClient(gateway.url, token)) as client:
        while not stop.is_set():
            write, id_ = chance.choice(WRITES), chance.choice(customers)
            values = {"id": id_, "key": id_, "other": str(uuid4()), "text": f"x{chance.random()}"}
            used = {name: value for name, value in values.items() if f"${name}" in write}
            declared = ", ".join(f"${name}: {VARIABLES[name]}" for name in used)
            try:
                client.answer(f"mutation({declared}) {{ {write} {{ userErrors {{ code }} }} }}", **used)
            except httpx.TransportError:
                time.sleep(0.05)


def everything(client: GraphQLClient) -> dict[str, Any]:
    """Return all objects of the project, read from its lists."""
    objects: dict[str, Any] = {}
    for list_, name in LISTS.items():
        after, has_next = None, True
        while has_next:
            selection = f"nodes {{ __typename id {FIELDS[name]} }} pageInfo {{ endCursor hasNextPage }}"
            page = client.data(f"query($after: String) {{ list: {list_} {{ {selection} }} }}", after=after)["list"]
            objects |= {node["id"]: node for node in page["nodes"]}
            after, has_next = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    return objects


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgreSQLServer]:
    """A PostgreSQL server that may be killed."""
    with PostgreSQLServer(free_port()) as server:
        make_empty(server)
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a store, on PostgreSQL of one that has written each commit before it tells of it."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    server: PostgreSQLServer = request.getfixturevalue("own_server")
    name = server.create("empty")
    stores.execute(server.url("postgres"), f"ALTER DATABASE {name} SET synchronous_commit = on")
    return server.url(name)


@pytest.fixture
def gateway(command: Command) -> Iterator[Killed]:
    gateway = Killed(command)
    gateway.start()
    yield gateway
    gateway.kill()


@pytest.fixture
def kills(request: pytest.FixtureRequest, database_url: str, gateway: Killed) -> list[Callable[[], None]]:
    """Kill, and start again, what can be killed: the gateway, and the database where it is a process."""

    def kill_gateway() -> None:
        gateway.kill()
        gateway.start()

    def kill_database() -> None:
        server: PostgreSQLServer = request.getfixturevalue("own_server")
        server.stop()
        server.start()

    return [kill_gateway] if stores.engine_of(database_url) == "sqlite" else [kill_database, kill_gateway]


def test_followers_beside_writers_and_kills_have_equal_copies(
    command: Command, gateway: Killed, kills: list[Callable[[], None]]
) -> None:
    scopes = ("--scope", "read", "--scope", "write", "--scope", "delete")
    token = command.inside.succeed("token", "create", "--project", "acme", "--name", "all", *scopes).strip()
    stop, copies = threading.Event(), [Copy() for _ in WAYS]
    with ThreadPoolExecutor(WRITERS + len(WAYS)) as pool, closing(GraphQLClient(gateway.url, token)) as client:
        # Without a cursor, a subscription would begin with what is changed after it.
        begin = client.data("{ changes(first: 1) { headCursor } }")["changes"]["headCursor"]
        for copy in copies:
            copy.after = begin
        followers = [pool.submit(follow, way, copy, gateway, token) for way, copy in zip(WAYS, copies, strict=True)]
        writers = [pool.submit(write_until, stop, gateway, token, seed) for seed in range(WRITERS)]
        try:
            for number in range(KILLS):
                time.sleep(SECONDS / KILLS)
                kills[number % len(kills)]()
            time.sleep(SECONDS / KILLS)
        finally:
            stop.set()
            wait(writers)
            (end,) = command.rows("SELECT max(position) FROM change")
            for copy in copies:
                copy.end = end
        for thread in (*writers, *followers):
            thread.result()

        assert end > WRITERS * 10
        assert [copy.position for copy in copies] == [end] * len(copies)
        stored = everything(client)
        assert [copy.objects == stored for copy in copies] == [True] * len(copies)
    assert stores.problems(command.store_url) == stores.known_problems(command.store_url)
