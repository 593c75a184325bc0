"""Whatever bytes come, the answer says what is wrong with them, nothing of ours falls over, and the next is served.

More by hand: CUSTOMERGRAPH_TESTS_BYTES=5000 sends so many of each kind.
"""

import gc
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.command import Command, answer
from conftest import free_port
from factories import Tenant
from graphql_client import LONGEST_REFUSAL, REFUSALS, GraphQLClient

EXAMPLES = int(os.environ.get("CUSTOMERGRAPH_TESTS_BYTES", "100"))
CODES = REFUSALS | {"OPERATION_RESOLUTION_FAILURE", "UNAUTHENTICATED"}
PROJECT = "{ project { slug } }"
READ = """query Q($id: ID!, $ids: [ID!]!, $first: Int, $from: Date, $key: CustomerSortKey, $status: [MessageStatus!]) {
  customer(id: $id) { id } nodes(ids: $ids) { id }
  customers(first: $first, dateFrom: $from, sortKey: $key) { nodes { messages(status: $status) { totalCount } } }
}"""
WRITE = "mutation($input: CreateCustomerInput!) { createCustomer(input: $input) { userErrors { field code } } }"

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.sampled_from(
        ["", "1", "2026-01-01", "NAME", "SENT", 2**31, 2**53, 2**63, 2**64, 10**400, "\ud800", "\0", "9" * 99]
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
words = (
    '{ } ( ) [ ] : ! $ @ & | = ... " """ # \\ \ufeff é a b on true null 1 -0 1e9 1.5 query mutation fragment F'.split()
)
words += ["customers", "project", "slug", "__typename", "__schema", "$id", "first:", "@skip(if: true)", "...F", '"\\u"']
documents = (
    st.sampled_from([PROJECT, READ, WRITE])
    | st.lists(st.sampled_from(words), max_size=30).map(" ".join)
    | st.lists(st.sampled_from(words), max_size=12).map(lambda some: f"{{ {' '.join(some)} }}")
    | st.text()
)
inputs = st.dictionaries(
    st.sampled_from(["firstName", "email", "phone", "signedUpAt", "tagSlugs", "hasSubscription", "x"]), values
)
variables = st.fixed_dictionaries(
    {}, optional={**dict.fromkeys(("id", "ids", "first", "from", "key", "status"), values), "input": inputs}
)
requests = st.fixed_dictionaries(
    {"query": documents | values},
    optional={"variables": variables | values, "operationName": st.just("Q") | values, "extensions": values},
)


def encoded_json(value: Any, *, ascii_: bool) -> bytes:
    return json.dumps(value, ensure_ascii=ascii_).encode("utf-8", "surrogatepass")


@st.composite
def damaged(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    """Draw bytes with a piece replaced by others."""
    content = draw(whole)
    start = draw(st.integers(0, len(content)))
    return content[:start] + draw(st.binary(max_size=4)) + content[draw(st.integers(start, len(content))) :]


fine = st.builds(encoded_json, requests | values | st.lists(requests, max_size=3), ascii_=st.booleans())
bodies = fine | damaged(fine) | st.binary()


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The URL of an embedded store alone: what is asked here is HTTP's."""
    return sqlite_url


def is_told_well(response: httpx.Response) -> bool:
    """Return whether an answer is GraphQL's, and each of its errors has a code that blames the request."""
    content = response.json()
    errors = content.get("errors", [])
    assert {error["extensions"]["code"] for error in errors} <= CODES, response.text
    assert all(error["message"] for error in errors)
    assert response.status_code in ({200} if "data" in content else {200, 400, 405})
    assert "Traceback" not in response.text
    assert "data" in content or len(response.content) < LONGEST_REFUSAL
    return bool(errors) or "data" in content


def test_any_body_is_answered_in_graphql(client: GraphQLClient) -> None:
    @settings(max_examples=EXAMPLES, deadline=None)
    @given(bodies)
    def check(body: bytes) -> None:
        assert is_told_well(client.http.post("/graphql", content=body, headers={"content-type": "application/json"}))

    check()
    assert client.data(PROJECT) == {"project": {"slug": "acme"}}


def test_any_parameters_of_an_address_are_answered_in_graphql(client: GraphQLClient) -> None:
    names = st.sampled_from(["query", "variables", "operationName", "extensions", "query"]) | st.text(max_size=3)
    texts = documents | values.map(json.dumps) | st.text()

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(st.lists(st.tuples(names, texts), max_size=4))
    def check(pairs: list[tuple[str, str]]) -> None:
        parameters = [(name, text.encode("utf-8", "surrogatepass").decode("latin-1")) for name, text in pairs]
        response = client.http.get("/graphql", params=httpx.QueryParams(tuple(parameters)))
        assert is_told_well(response)

    check()
    assert client.data(PROJECT) == {"project": {"slug": "acme"}}


def test_variables_that_are_wrong_in_many_places_are_refused_briefly(client: GraphQLClient) -> None:
    wrong = {"x" * 100: "y" * 5_000}
    for ids in ([wrong] * 100, [[wrong] * 10] * 10, [1.5] * 51, [None] * 100):
        response = client.post("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ids})

        assert is_told_well(response)
        assert "data" not in response.json()


def test_a_body_of_many_small_values_does_not_set_off_the_garbage_collector(client: GraphQLClient) -> None:
    body = b'{"query": "%b", "extensions": {"a": [%b[]]}}' % (PROJECT.encode(), b"[]," * 340_000)
    collections: list[str] = []

    def note(phase: str, _info: dict[str, int]) -> None:
        collections.append(phase)

    gc.callbacks.append(note)
    try:
        response = client.http.post("/graphql", content=body, headers={"content-type": "application/json"})
    finally:
        gc.callbacks.remove(note)

    assert response.json()["data"] == {"project": {"slug": "acme"}}
    # One would come for each 700 of them, and some of these would walk the whole heap.
    assert len(collections) < 50


class Wire:
    """Speaks bytes to the real process."""

    def __init__(self, port: int, token: str) -> None:
        self.port = port
        self.token = token

    def answer_to(self, content: bytes) -> tuple[int, dict[str, str], bytes]:
        """Send bytes on a connection of their own; returns status, headers and body, and the status 0 for silence."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(content)
            connection.settimeout(0.25)
            content = b"".join(_chunks(connection))
        head, _, body = content.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n").partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        return int(first.split()[1]) if first else 0, headers, body

    def cut_off(self, content: bytes) -> None:
        """Send the beginning of a request, and go away."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(content)


def _chunks(connection: socket.socket) -> Iterator[bytes]:
    try:
        while chunk := connection.recv(65_536):
            yield chunk
    except (TimeoutError, ConnectionResetError):
        # It waits for more, or has cut what is no HTTP.
        return


@pytest.fixture
def process(tmp_path: Path, sqlite_url: str) -> Iterator[Command]:
    command = Command(tmp_path, sqlite_url)
    command.env["CUSTOMERGRAPH_HOSTS"] = "x"
    yield command
    command.stop()


@pytest.fixture
def wire(process: Command, sqlite_url: str) -> Iterator[Wire]:
    """The command `serve` as operators run it; it is well, and has written of no fault, when the test ends."""
    port = free_port()
    process.start("serve", "--port", port)
    tenant = Tenant(f"http://127.0.0.1:{port}", sqlite_url, "acme")
    token = tenant.client.http.headers["authorization"].removeprefix("Bearer ")
    tenant.close()
    answer(port, token, PROJECT)
    yield Wire(port, token)
    assert answer(port, token, PROJECT) == {"project": {"slug": "acme"}}
    assert "Traceback" not in process.stderr()
    assert '"level": "error"' not in process.stderr()


# What scripts of other origins never get to read.
PLAIN = b"Disallowed CORS"


def is_honest(status: int, headers: dict[str, str], body: bytes) -> bool:
    """Return whether an answer refuses in GraphQL's form what it refuses, and is no fault of ours."""
    assert "server" not in headers
    assert b"Traceback" not in body
    assert status < 500, body
    if status >= 400 and body and not body.startswith(PLAIN):
        (error,) = json.loads(body)["errors"]
        assert error["extensions"]["code"] in CODES, body
        assert headers["x-request-id"]
        assert len(body) < LONGEST_REFUSAL
    return status in {0, 200, 307, *range(400, 500)}


token_characters = st.sampled_from(b"abcXYZ019-_!~*").map(lambda byte: bytes([byte]))
header_names = st.sampled_from(
    b"accept accept-encoding authorization content-encoding content-type cookie host origin range upgrade x-request-id"
    b" access-control-request-method access-control-request-headers forwarded x-forwarded-for".split()
) | st.lists(token_characters, min_size=1, max_size=5).map(b"".join)
header_values = st.binary(max_size=20) | st.sampled_from([
    b"application/json", b"application/graphql-response+json", b"text/html", b"*/*;q=0", b"bearer", b"Bearer \xff",
    b"gzip", b"websocket", b"h2c", b"bytes=0-", b"https://x.org", b"POST", b"[", b"q=;;=,,", b"a" * 10_000,
])  # fmt: skip
methods = st.sampled_from([b"POST", b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE", b"PATCH", b"TRACE", b"post", b"X"])
targets = st.sampled_from([
    b"/graphql", b"/graphql?query=%7Bproject%7Bslug%7D%7D", b"/graphql?query=%ff%00&variables=%ed%a0%80", b"/graphql/",
    b"/graphql%00", b"/static/..%2f..%2fapp.py", b"/static/%ff", b"//graphql", b"/", b"*", b"/readyz",
    b"/healthz?x=%", b"http://x/graphql", b"http://[/graphql", b"/graphql#%zz",
]) | st.binary(max_size=8).map(b"/".__add__)  # fmt: skip


FRAMES = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "HTTP 2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP 0.9": b"GET /graphql\r\n\r\n",
    "HTTP 9": b"GET /graphql HTTP/9.9\r\n\r\n",
    "no host": b"GET /graphql HTTP/1.1\r\nConnection: close\r\n\r\n",
    "a folded header": b"GET /graphql HTTP/1.1\r\nHost: x\r\nAccept: a,\r\n b\r\nConnection: close\r\n\r\n",
    "a NUL in a header": b"GET /graphql HTTP/1.1\r\nHost: x\r\nAccept: \0\r\n\r\n",
    "bare line feeds": b"GET /graphql HTTP/1.1\nHost: x\nConnection: close\n\n",
    "a negative length": b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "a huge length": b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % 10**30,
    "two lengths": b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
    "two framings": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a broken chunk": b"POST /graphql HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a negative chunk": b"POST /graphql HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
    "a long address": b"GET /graphql?query=%b HTTP/1.1\r\nHost: x\r\n\r\n" % (b"a" * 100_000),
    "a long header": b"GET /graphql HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept: %b\r\n\r\n" % (b"a," * 500_000),
    "many headers": b"GET /graphql HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%b\r\n" % (b"Accept: a\r\n" * 5_000),
    "half a head": b"POST /graphql HTTP/1.1\r\nHost: x\r\n",
    "half a body": b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
}


# An upgrade to WebSocket without the protocol that is spoken there: it is closed with the code 4406.
UPGRADE = (
    b"GET /graphql HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
CLOSED = b"\x88\x1c" + (4406).to_bytes(2) + b"Subprotocol not acceptable"
# What a client may have sent of a request when it goes away.
BEGUN = (b"", b"Content-Length: 9\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n8\r\n{", b"Expect: x\r\n\r\n")


def test_any_bytes_are_answered_honestly_and_without_a_banner(wire: Wire) -> None:
    held = f"Authorization: Bearer {wire.token}\r\nContent-Type: application/json\r\n".encode()

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(methods, targets, st.lists(st.tuples(header_names, header_values), max_size=5), st.booleans(), bodies)
    def check(method: bytes, target: bytes, lines: list[tuple[bytes, bytes]], is_held: bool, body: bytes) -> None:  # noqa: FBT001
        first = b"%b %b HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n" % (
            method,
            target,
            len(body),
        )
        head = first + (held if is_held else b"") + b"".join(b"%b: %b\r\n" % line for line in lines)
        assert is_honest(*wire.answer_to(head + b"\r\n" + body))

    check()
    for name, content in FRAMES.items():
        assert is_honest(*wire.answer_to(content)), name
    status, headers, body = wire.answer_to(UPGRADE)
    assert (status, body) == (101, CLOSED)
    assert "server" not in headers
    for rest in BEGUN:
        wire.cut_off(b"POST /graphql HTTP/1.1\r\nHost: x\r\n" + held + rest)
