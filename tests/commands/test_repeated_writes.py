"""What is sent again after the server was killed is done once (contract, section 9)."""

import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid5

import httpx
import pytest

from commands.command import START_SECONDS, Command, until
from conftest import free_port
from processes import signal_all, workers_of

pytestmark = pytest.mark.slow

LETTERS = UUID("6ba7b813-9dad-11d1-80b4-00c04fd430c8")
CUSTOMERS = """mutation($input: [UpsertCustomerInput!]!) {
  result: upsertCustomers(input: $input) { userErrors { field code } } }"""
RECORDS = """
mutation($messages: [RecordMessageInput!]!, $reviews: [RecordReviewInput!]!, $charges: [RecordChargeInput!]!) {
  a: recordMessages(input: $messages) { userErrors { field code } }
  b: recordReviews(input: $reviews) { userErrors { field code } }
  c: recordCharges(input: $charges) { userErrors { field code } }
}"""
BATCHES, ITEMS, WRITERS, KILLS = 30, 20, 4, 4
TABLES = ("customer", "message", "review", "charge")


def uuid(number: int) -> str:
    return str(uuid5(LETTERS, str(number)))


class Killed:
    """A gateway as a process, which is killed and started again on the same port."""

    def __init__(self, command: Command) -> None:
        command.inside.succeed("project", "create", "acme", "--name", "Acme")
        scopes = ("--scope", "read", "--scope", "write")
        self.token = command.inside.succeed("token", "create", "--project", "acme", "--name", "w", *scopes).strip()
        self._command = command
        self._port = free_port()
        command.env |= {"CUSTOMERGRAPH_BUCKET_REFILL": "1000000"}
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[str] | None = None
        # What became of calls that were cut.
        self.lost: list[Exception] = []

    def start(self) -> None:
        self._process = self._command.start("serve", "--port", self._port)
        until(self._lives, "the gateway lives", START_SECONDS)

    def _lives(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz").is_success
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """Kill the workers too, which would go on without the process that started them."""
        assert self._process is not None
        signal_all([self._process.pid, *workers_of(self._process.pid)], signal.SIGKILL)
        self._process.wait()


@pytest.fixture
def killed(command: Command) -> Iterator[Killed]:
    gateway = Killed(command)
    gateway.start()
    yield gateway
    gateway.kill()


def send_until_done(gateway: Killed, document: str, variables: dict[str, Any]) -> None:
    """Send the same call until an answer says that it is done."""
    deadline = time.monotonic() + START_SECONDS * 2
    headers = {"Authorization": f"Bearer {gateway.token}"}
    while time.monotonic() < deadline:
        try:
            answer = httpx.post(
                f"{gateway.url}/graphql",
                json={"query": document, "variables": variables},
                headers=headers,
                timeout=30,
            ).json()
        except httpx.TransportError as error:
            if not isinstance(error, httpx.ConnectError):
                gateway.lost.append(error)
            time.sleep(0.05)
            continue
        if "errors" not in answer:
            assert [payload["userErrors"] for payload in answer["data"].values() if payload["userErrors"]] == []
            return
        time.sleep(0.05)
    raise AssertionError("the call was never done")


def calls() -> list[tuple[str, dict[str, Any]]]:
    made: list[tuple[str, dict[str, Any]]] = []
    for batch in range(BATCHES):
        numbers = range(batch * ITEMS, (batch + 1) * ITEMS)
        customers = [{"uuid": uuid(number), "firstName": f"C{number}"} for number in numbers]
        made.append((CUSTOMERS, {"input": customers}))
    return made


def records(batch: int) -> tuple[str, dict[str, Any]]:
    owned = [{"uuid": uuid(number), "customerId": uuid(number)} for number in range(batch * ITEMS, (batch + 1) * ITEMS)]
    time_ = "2026-03-01T00:00:00Z"
    message = {"channel": "SMS", "template": "REQUEST", "scheduledAt": time_, "processedAt": time_}
    return RECORDS, {
        "messages": [item | message for item in owned],
        "reviews": [item | {"score": 5, "source": "google"} for item in owned],
        "charges": [item | {"amount": 1, "currency": "EUR"} for item in owned],
    }


def test_what_is_sent_again_after_kills_is_done_once(command: Command, killed: Killed) -> None:
    def work(first: int) -> None:
        for batch in range(first, BATCHES, WRITERS):
            for call in (calls()[batch], records(batch)):
                # Each is sent twice, whether the first answer came or was lost.
                send_until_done(killed, *call)
                send_until_done(killed, *call)

    writers = [threading.Thread(target=work, args=(number,)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    for _ in range(KILLS):
        time.sleep(0.7)
        killed.kill()
        killed.start()
    for writer in writers:
        writer.join()

    assert killed.lost
    counts = [command.rows(f"SELECT count(*) FROM {table}") for table in TABLES]  # noqa: S608 - ours
    assert counts == [[BATCHES * ITEMS]] * len(TABLES)
    assert command.rows("SELECT count(*) FROM customer WHERE asked_at IS NULL OR reviewed_at IS NULL") == [0]
    untouched = "SELECT count(*) FROM customer WHERE updated_at <> created_at"
    assert command.rows(untouched) == [0]
