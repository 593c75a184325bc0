"""HTTP/1.1 as bytes on a connection: upgrades, large heads, and half-closed connections."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from conftest import MakeServer, MakeTenant
from customergraph.settings import Settings
from factories import Tenant
from faults.sessions import locked
from mutations import on_customer
from raw_http import PATIENCE_SECONDS, PROJECT, SLUG, Answer, connect, exchange, head, read_answer

HEAD_LIMIT = 65_536
UPGRADE = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA")
CHUNKED = b"5\r\n" + PROJECT[:5] + b"\r\n%x\r\n" % len(PROJECT[5:]) + PROJECT[5:] + b"\r\n0\r\n\r\n"
BAD_REQUEST = {"code": "BAD_REQUEST"}
ARCHIVE = on_customer("archiveCustomer")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The URL of an embedded store: the engine makes no difference to a connection."""
    return sqlite_url


@pytest.fixture
def authorization(acme: Tenant) -> str:
    return acme.client.http.headers["authorization"]


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize("protocol", ["h2c", "websocket", "TLS/1.0, websocket"])
@pytest.mark.parametrize("size", [10_000, 150, 7])
@pytest.mark.parametrize("framing", ["Content-Length", "Transfer-Encoding"])
def test_an_upgrade_is_ignored_and_the_body_read(
    url: str, authorization: str, protocol: str, size: int, framing: str
) -> None:
    upgrade = ("Connection: Upgrade", f"Upgrade: {protocol}")
    if framing == "Content-Length":
        request = head(authorization, *upgrade) + PROJECT
    else:
        request = head(authorization, *upgrade, f"{framing}: chunked", length=None) + CHUNKED

    answer = exchange(url, *pieces(request, size))

    assert (answer.status, answer.json["data"]) == (200, SLUG)
    assert "upgrade" not in answer.headers


def test_requests_that_follow_an_ignored_upgrade_are_answered_in_order(url: str, authorization: str) -> None:
    upgrade = head(authorization, *UPGRADE) + PROJECT
    health = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"\r\n".join(map(str.encode, UPGRADE)) + b"\r\n\r\n"

    with connect(url) as connection:
        connection.sendall(upgrade + health + upgrade + health)
        answers = [read_one(connection) for _ in range(4)]

    assert [answer.status for answer in answers] == [200] * 4
    assert [answer.body == b"ok\n" for answer in answers] == [False, True, False, True]
    assert answers[2].json["data"] == SLUG


def read_one(connection: socket.socket) -> Answer:
    """Read one answer of several, without a buffer that would read bytes of the next one."""
    content = b""
    while b"\r\n\r\n" not in content:
        content += connection.recv(1)
    first, *lines = content.decode().strip().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return Answer(int(first.split()[1]), headers, connection.recv(int(headers["content-length"]), socket.MSG_WAITALL))


def filled_to(size: int, authorization: str) -> bytes:
    """Return a head of that many bytes."""
    return head(authorization, "X-Fill: " + "a" * (size - len(head(authorization, "X-Fill: "))))


@pytest.mark.parametrize("size", [1_000_000, 1_000])
def test_a_head_of_the_limit_is_answered_and_a_larger_one_refused(url: str, authorization: str, size: int) -> None:
    largest = exchange(url, *pieces(filled_to(HEAD_LIMIT, authorization) + PROJECT, size))
    larger = exchange(url, *pieces(filled_to(HEAD_LIMIT + 1, authorization) + PROJECT, size))

    assert (largest.status, largest.json["data"]) == (200, SLUG)
    assert (larger.status, larger.headers["connection"]) == (431, "close")
    assert larger.headers["x-content-type-options"] == "nosniff"
    (error,) = larger.json["errors"]
    assert error["extensions"] == BAD_REQUEST
    assert "CUSTOMERGRAPH_HEAD_LIMIT" in error["message"]


ENDLESS = {
    "a request line": (b"GET /", b"a" * 10_000),
    "a header": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", b"a" * 10_000),
    "headers": (b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"X: y\r\n" * 2_000),
    "blank lines": (b"", b"\r\n" * 5_000),
    "the trailers of a body": (
        b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        b"X: y\r\n" * 2_000,
    ),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_head_without_an_end_is_refused_and_its_connection_closed(url: str, name: str) -> None:
    begin, more = ENDLESS[name]
    started = time.monotonic()

    with connect(url) as connection:
        connection.sendall(begin)
        for _ in range(HEAD_LIMIT // len(more) + 2):
            connection.sendall(more)
        answer = read_answer(connection)
        with suppress(OSError):
            while time.monotonic() - started < PATIENCE_SECONDS:
                connection.sendall(more)
            pytest.fail("the connection is not closed")

    assert answer.status in {401, 431}
    assert answer.json["errors"][0]["extensions"]["code"] in {"BAD_REQUEST", "UNAUTHENTICATED"}


def test_a_large_head_after_a_request_is_refused_after_the_answer_to_that_request(url: str, authorization: str) -> None:
    with connect(url) as connection:
        connection.sendall(head(authorization) + PROJECT + filled_to(HEAD_LIMIT + 1, authorization))
        first, second = read_one(connection), read_answer(connection)

    assert (first.json["data"], second.status) == (SLUG, 431)


def test_bytes_that_are_not_http_are_refused_with_a_graphql_error(url: str) -> None:
    answer = exchange(url, b"no HTTP\r\n\r\n")

    assert (answer.status, answer.headers["content-type"]) == (400, "application/json")
    assert answer.json["errors"][0]["extensions"] == BAD_REQUEST
    assert answer.headers["x-request-id"]


def test_a_half_closed_connection_is_answered(url: str, authorization: str) -> None:
    with connect(url) as connection:
        connection.sendall(head(authorization) + PROJECT)
        connection.shutdown(socket.SHUT_WR)
        answer = read_answer(connection)
        assert connection.recv(1) == b""

    assert (answer.status, answer.json["data"], answer.headers["connection"]) == (200, SLUG, "close")


def test_all_requests_before_the_half_close_are_answered(url: str, authorization: str) -> None:
    with connect(url) as connection:
        connection.sendall((head(authorization) + PROJECT) * 3)
        connection.shutdown(socket.SHUT_WR)
        answers = [read_one(connection) for _ in range(3)]
        assert connection.recv(1) == b""

    assert [answer.json["data"] for answer in answers] == [SLUG] * 3


def test_a_slow_operation_of_a_half_closed_connection_is_answered_in_the_end(
    make_tenant: MakeTenant, database_url: str
) -> None:
    acme = make_tenant("acme")
    id_ = acme.add_customer()
    body = b'{"query": "%b", "variables": {"id": %d}}' % (ARCHIVE.replace("\n", " ").encode(), id_)
    request = head(acme.client.http.headers["authorization"], length=len(body)) + body

    with ThreadPoolExecutor(1) as pool, connect(acme.base_url) as connection:
        with locked(database_url):
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            answer = pool.submit(read_answer, connection)
            time.sleep(1.5)
            assert not answer.done()
        assert answer.result().json["data"]["archiveCustomer"]["userErrors"] == []


def test_a_slash_at_the_end_is_answered_in_place(url: str, authorization: str) -> None:
    answer = exchange(url, head(authorization, target="/graphql/") + PROJECT)

    assert (answer.status, answer.json["data"]) == (200, SLUG)


def test_an_idle_connection_is_closed_after_the_time_of_the_setting(serve: MakeServer, database_url: str) -> None:
    with connect(serve(Settings(database_url=database_url, keep_alive=0.3))) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert read_one(connection).body == b"ok\n"
        assert connection.recv(1) == b""
