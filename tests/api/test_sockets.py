"""GraphQL over WebSocket: `graphql-transport-ws`."""

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from conftest import MakeServer, RunningServer
from customergraph.domain.principal import Scope
from customergraph.settings import Settings
from event_stream import subscribed
from factories import Tenant
from graphql_client import GraphQLClient
from mutations import CREATE
from socket_client import INIT, Socket, opened

POSITIONS = "subscription($after: String) { changes(after: $after) { nodes { position } pageInfo { endCursor } } }"


@contextmanager
def acknowledged(tenant: Tenant) -> Iterator[Socket]:
    with opened(tenant.base_url, tenant.client.http.headers["Authorization"]) as socket:
        socket.send(INIT)
        assert socket.receive() == {"type": "connection_ack"}
        yield socket


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The URL of an embedded store alone: these tests are about the protocol."""
    return sqlite_url


def create(client: GraphQLClient) -> None:
    assert client.data(CREATE, input={"firstName": "Ada"})["createCustomer"]["userErrors"] == []


def test_changes_come_within_a_second_and_until_the_client_completes(acme: Tenant) -> None:
    with acknowledged(acme) as socket:
        socket.subscribe("a", POSITIONS)
        first = socket.receive()
        create(acme.client)
        started = time.monotonic()
        second = socket.receive()
        seconds = time.monotonic() - started
        socket.send({"id": "a", "type": "complete"})
        create(acme.client)
        time.sleep(1)
        socket.send({"type": "ping", "payload": {"n": 1}})
        assert socket.receive() == {"type": "pong", "payload": {"n": 1}}

    assert (first["id"], first["type"], first["payload"]["data"]["changes"]["nodes"]) == ("a", "next", [])
    assert second["payload"]["data"]["changes"]["nodes"] == [{"position": 1}]
    assert second["payload"]["extensions"]["cost"]["requested"] == 100
    assert seconds < 1


def test_the_token_may_come_in_the_payload_of_connection_init(acme: Tenant) -> None:
    with opened(acme.base_url) as socket:
        socket.send({**INIT, "payload": {"authorization": acme.client.http.headers["Authorization"]}})
        assert socket.receive() == {"type": "connection_ack"}
        socket.subscribe("q", "{ project { slug } }")
        assert socket.receive()["payload"]["data"] == {"project": {"slug": "acme"}}
        assert socket.receive() == {"id": "q", "type": "complete"}


def test_queries_mutations_and_mistakes_are_answered(acme: Tenant) -> None:
    with acknowledged(acme) as socket:
        socket.subscribe("1", CREATE, input={"firstName": "Ada"})
        assert [socket.receive()["type"] for _ in range(2)] == ["next", "complete"]
        for query, code in (("{", "GRAPHQL_PARSE_FAILED"), ("{ nothing }", "GRAPHQL_VALIDATION_FAILED")):
            socket.subscribe("2", query)
            error = socket.receive()
            assert (error["type"], error["payload"][0]["extensions"]["code"]) == ("error", code)
        socket.subscribe("3", POSITIONS, after="x")
        assert [socket.receive()["type"] for _ in range(2)] == ["next", "complete"]


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        (["{"], 4400),
        (["[]"], 4400),
        ([b"{}"], 4400),
        ([{"type": "start"}], 4400),
        ([INIT, {"type": "subscribe", "payload": {"query": "{ project { slug } }"}}], 4400),
        ([INIT, {"type": "subscribe", "id": "1"}], 4400),
        ([{"type": "subscribe", "id": "1", "payload": {"query": "{ project { slug } }"}}], 4401),
        ([INIT, *[{"type": "subscribe", "id": "1", "payload": {"query": POSITIONS}}] * 2], 4409),
        ([INIT, INIT], 4429),
        ([{**INIT, "payload": {"Authorization": "Bearer cg_wrong"}}], 4403),
        (["x" * 2_000_000], 1009),
    ],
)
def test_a_connection_is_closed_with_the_code_of_the_protocol(acme: Tenant, messages: list[Any], code: int) -> None:
    with opened(acme.base_url, acme.client.http.headers["Authorization"]) as socket:
        socket.send(*messages)
        assert socket.code() == code


def test_another_protocol_is_not_spoken(acme: Tenant) -> None:
    with opened(acme.base_url, acme.client.http.headers["Authorization"], ("graphql-ws",)) as socket:
        assert socket.code() == 4406


def test_without_a_token_a_connection_is_closed(acme: Tenant) -> None:
    with opened(acme.base_url) as socket:
        socket.send(INIT)
        assert socket.code() == 4403


@pytest.mark.slow
def test_a_client_has_ten_seconds_to_say_who_it_is(acme: Tenant) -> None:
    with opened(acme.base_url) as socket:
        started = time.monotonic()
        assert socket.code() == 4408
    assert 9 < time.monotonic() - started < 13


@pytest.mark.slow
def test_streams_that_are_idle_get_a_comment_or_a_ping_every_fifteen_seconds(
    acme: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    frames = logging.getLogger("frames")
    caplog.set_level(logging.DEBUG, "frames")
    token = acme.client.http.headers["Authorization"]
    with subscribed(acme.client, POSITIONS) as events, opened(acme.base_url, token, logger=frames) as socket:
        socket.send(INIT)
        next(events)
        time.sleep(16)
        pings = [message for message in caplog.messages if message.startswith("< PING")]
        create(acme.client)
        next(events)

    # One comment came at the beginning.
    assert (events.comments, len(pings)) == (2, 1)


def test_a_bad_token_and_a_page_of_another_origin_get_no_connection(serve: MakeServer, sqlite_url: str) -> None:
    settings = Settings(database_url=sqlite_url, cors_origins=("https://dashboard.example",))
    tenant = Tenant(serve(settings), sqlite_url, "acme")
    for status, token, origin in ((401, "Bearer cg_wrong", None), (403, None, "https://evil.example")):
        with pytest.raises(InvalidStatus) as refused, opened(tenant.base_url, token, origin=origin):
            pass
        assert refused.value.response.status_code == status
    for origin in (tenant.base_url, "https://dashboard.example"):
        with opened(tenant.base_url, origin=origin) as socket:
            socket.send({"type": "ping"})
            assert socket.receive() == {"type": "pong"}
    tenant.close()


def test_a_revoked_token_ends_its_subscriptions(acme: Tenant) -> None:
    token = acme.token_with(Scope.READ)
    with opened(acme.base_url, f"Bearer {token}") as socket:
        socket.send(INIT)
        socket.receive()
        socket.subscribe("a", POSITIONS)
        socket.receive()
        acme.revoke(token)
        started = time.monotonic()
        error = socket.receive()

    assert (error["type"], error["payload"][0]["extensions"]["code"]) == ("error", "UNAUTHENTICATED")
    assert time.monotonic() - started < 5


def test_subscriptions_of_all_transports_are_counted_together(serve: MakeServer, sqlite_url: str) -> None:
    tenant = Tenant(serve(Settings(database_url=sqlite_url, token_subscriptions=2)), sqlite_url, "acme")
    with ExitStack() as stack:
        for _ in range(2):
            socket = stack.enter_context(acknowledged(tenant))
            socket.subscribe("a", POSITIONS)
            socket.receive()
        socket.subscribe("b", POSITIONS)
        error = socket.receive()
    tenant.close()

    assert (error["id"], error["payload"][0]["extensions"]["limit"]) == ("b", "TOKEN_SUBSCRIPTIONS")


def test_a_stopping_server_closes_sockets_so_that_clients_come_again(sqlite_url: str) -> None:
    server = RunningServer(Settings(database_url=sqlite_url))
    server.__enter__()
    tenant = Tenant(server.url, sqlite_url, "acme")
    with acknowledged(tenant) as socket:
        socket.subscribe("a", POSITIONS)
        socket.receive()
        server.should_exit = True
        assert socket.code() == 1012
    server.__exit__()
    tenant.close()
