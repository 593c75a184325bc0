"""Beside many writers and kills of the server a follower has each change once, and at the end an equal copy."""

import random
import threading
import time
from collections.abc import Iterator
from typing import Any, Self
from uuid import uuid4

import httpx
import pytest

import stores
from commands.command import Command
from commands.test_repeated_writes import Killed

pytestmark = pytest.mark.slow

WRITERS, KILLS, SECONDS = 16, 3, 15
FIELDS = {
    "Customer": "uuid firstName city archivedAt unsubscribedAt askedAt messagedAt reviewedAt",
    "Message": "uuid status sentAt canceledAt customer { id }",
    "Review": "uuid score reviewer: customer { id }",
    "Charge": "uuid amount customer { id }",
}
SELECTION = " ".join(f"... on {name} {{ {fields} }}" for name, fields in FIELDS.items())
CHANGES = f"""query($after: String) {{ changes(after: $after, first: 100) {{
  nodes {{ position action subjectId node {{ __typename id {SELECTION} }} }} pageInfo {{ endCursor hasNextPage }}
}} }}"""
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


class Client:
    """Sends operations to a gateway that may be killed meanwhile."""

    def __init__(self, gateway: Killed, token: str) -> None:
        self._http = httpx.Client(base_url=gateway.url, headers={"Authorization": f"Bearer {token}"}, timeout=30)

    def data(self, query: str, **variables: Any) -> Any:
        """Return the data of an answer; None where there is none, or not all."""
        try:
            answer = self._http.post("/graphql", json={"query": query, "variables": variables}).json()
        except httpx.TransportError:
            time.sleep(0.05)
            return None
        return None if "errors" in answer else answer["data"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._http.close()


@pytest.fixture
def gateway(command: Command) -> Iterator[Killed]:
    gateway = Killed(command)
    gateway.start()
    yield gateway
    gateway.kill()


def write_until(stop: threading.Event, gateway: Killed, token: str, seed: int) -> None:
    """Change a few customers and their histories at random."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    customers = [str(uuid4()) for _ in range(4)]
    with Client(gateway, token) as client:
        while not stop.is_set():
            write, id_ = chance.choice(WRITES), chance.choice(customers)
            values = {"id": id_, "key": id_, "other": str(uuid4()), "text": f"x{chance.random()}"}
            used = {name: value for name, value in values.items() if f"${name}" in write}
            declared = ", ".join(f"${name}: {VARIABLES[name]}" for name in used)
            client.data(f"mutation({declared}) {{ {write} {{ userErrors {{ code }} }} }}", **used)


class Follower:
    """Keeps a copy in step, from the feed alone."""

    def __init__(self, client: Client) -> None:
        self.copy: dict[str, Any] = {}
        self.position = 0
        self._client = client
        self._after: str | None = None

    def follow(self) -> bool:
        """Apply the next page; returns whether more may follow."""
        data = self._client.data(CHANGES, after=self._after)
        if data is None:
            return True
        page = data["changes"]
        for change in page["nodes"]:
            self.position += 1
            assert change["position"] == self.position, "a change is missing, or came twice"
            if change["action"] == "DELETED":
                del self.copy[change["subjectId"]]
            elif change["node"] is not None:
                self.copy[change["subjectId"]] = change["node"]
            else:
                # It is gone by now, and its DELETED follows.
                self.copy.setdefault(change["subjectId"], None)
        self._after = page["pageInfo"]["endCursor"]
        return bool(page["pageInfo"]["hasNextPage"])


def everything(client: Client) -> dict[str, Any]:
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


def test_a_follower_beside_writers_and_kills_has_an_equal_copy(command: Command, gateway: Killed) -> None:
    scopes = ("--scope", "read", "--scope", "write", "--scope", "delete")
    token = command.inside.succeed("token", "create", "--project", "acme", "--name", "all", *scopes).strip()
    stop = threading.Event()
    writers = [threading.Thread(target=write_until, args=(stop, gateway, token, seed)) for seed in range(WRITERS)]
    kills = threading.Thread(target=kill_now_and_then, args=(gateway,))
    with Client(gateway, token) as client:
        follower = Follower(client)
        for thread in (*writers, kills):
            thread.start()
        while kills.is_alive():
            follower.follow()
        stop.set()
        for writer in writers:
            writer.join()
        while follower.follow():
            pass

        assert follower.position > WRITERS * 10
        assert follower.copy == everything(client)
    assert stores.problems(command.store_url) == stores.known_problems(command.store_url)


def kill_now_and_then(gateway: Killed) -> None:
    for _ in range(KILLS):
        time.sleep(SECONDS / KILLS)
        gateway.kill()
        gateway.start()
    time.sleep(SECONDS / KILLS)
