"""Clients that send their requests slowly."""

import json
import socket
import time

import pytest

from factories import Tenant
from faults.conftest import MakeGateway
from faults.expectations import SLACK_SECONDS

pytestmark = pytest.mark.slow

LIMIT_SECONDS = 0.5
PROJECT = b'{"query": "{ project { slug } }"}'


@pytest.fixture
def acme(gateway: MakeGateway, sqlite_url: str) -> Tenant:
    """A project of a gateway that waits half a second for a body."""
    return gateway(sqlite_url, body_timeout=LIMIT_SECONDS)


def open_request(tenant: Tenant) -> socket.socket:
    """Connect, and send the head of a request."""
    host, _, port = tenant.base_url.removeprefix("http://").partition(":")
    connection = socket.create_connection((host, int(port)), timeout=20)
    authorization = tenant.client.http.headers["authorization"]
    connection.sendall(
        f"POST /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: {authorization}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(PROJECT)}\r\n\r\n".encode()
    )
    return connection


def read_response(connection: socket.socket) -> tuple[int, dict[str, object]]:
    """Read a response to its end; returns its status and its body."""
    content = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = content.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def test_a_body_that_drips_is_cut_off_after_its_time(acme: Tenant) -> None:
    started = time.monotonic()

    with open_request(acme) as connection:
        for byte in PROJECT[:4]:
            connection.sendall(bytes([byte]))
            time.sleep(LIMIT_SECONDS / 10)
        status, answer = read_response(connection)

    assert time.monotonic() - started < LIMIT_SECONDS + SLACK_SECONDS
    assert status == 408
    assert answer["errors"] == [
        {
            "message": "The body did not arrive within 0.5 seconds (setting CUSTOMERGRAPH_BODY_TIMEOUT).",
            "extensions": {"code": "BAD_REQUEST"},
        }
    ]


def test_a_body_that_arrives_in_pieces_in_time_is_answered(acme: Tenant) -> None:
    with open_request(acme) as connection:
        for start in range(0, len(PROJECT), 8):
            connection.sendall(PROJECT[start : start + 8])
            time.sleep(LIMIT_SECONDS / 50)
        status, answer = read_response(connection)

    assert (status, answer["data"]) == (200, {"project": {"slug": "acme"}})


def test_bodies_that_drip_keep_no_operation_from_its_turn(gateway: MakeGateway, sqlite_url: str) -> None:
    acme = gateway(sqlite_url, running_limit=1, waiting_limit=20)
    slow = [open_request(acme) for _ in range(20)]

    assert acme.client.data("{ project { slug } }") == {"project": {"slug": "acme"}}

    for connection in slow:
        connection.close()
