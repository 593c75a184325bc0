"""Subscriptions over the feed, by server-sent events."""

import json
import random
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

import stores
from commands.load import until
from conftest import MakeServer, MakeTenant, RunningServer
from customergraph.domain.principal import Scope
from customergraph.settings import Settings
from event_stream import ACCEPT, Events, subscribed
from factories import Tenant
from graphql_client import GraphQLClient
from mutations import CREATE
from raw_http import connect
from raw_http import head as raw_head
from statements import recorded

FOLLOW = """
subscription Follow($after: String, $kinds: [ChangeKind!], $customerId: ID) {
  changes(after: $after, kinds: $kinds, customerId: $customerId) {
    nodes { position kind action isOwn node { id ... on Customer { firstName } } }
    pageInfo { hasNextPage endCursor }
    headCursor
  }
}
"""
POSITIONS = "subscription($after: String) { changes(after: $after) { nodes { position } pageInfo { endCursor } } }"
HEAD = "{ changes(first: 1) { headCursor } }"


def create(client: GraphQLClient, name: str = "Ada") -> int:
    """Add a customer, and return its id."""
    answer = client.data(CREATE, input={"firstName": name})["createCustomer"]
    assert answer["userErrors"] == []
    return int(answer["customer"]["databaseId"])


def head(client: GraphQLClient) -> str:
    return str(client.data(HEAD)["changes"]["headCursor"])


def positions(event: dict[str, Any]) -> list[int]:
    return [node["position"] for node in event["data"]["changes"]["nodes"]]


def end_cursor(event: dict[str, Any]) -> str:
    return str(event["data"]["changes"]["pageInfo"]["endCursor"])


def codes(event: dict[str, Any]) -> list[str]:
    return [error["extensions"]["code"] for error in event["errors"]]


def refusal(client: GraphQLClient, query: str, **variables: Any) -> str:
    """Return the code of a subscription that is refused: by one event, and then completed."""
    with subscribed(client, query, **variables) as events:
        (event,) = events
    assert (events.response.status_code, events.is_complete) == (200, True)
    return codes(event)[0]


def test_the_first_event_is_empty_and_a_change_follows_within_a_second(client: GraphQLClient) -> None:
    create(client)

    with subscribed(client, FOLLOW) as events:
        first = next(events)
        create(client, "Bob")
        started = time.monotonic()
        second = next(events)
        seconds = time.monotonic() - started

    assert (positions(first), end_cursor(first)) == ([], first["data"]["changes"]["headCursor"])
    (node,) = second["data"]["changes"]["nodes"]
    assert (node["position"], node["isOwn"], node["node"]["firstName"]) == (2, True, "Bob")
    assert seconds < 1


def test_a_stream_is_not_stored_not_buffered_and_not_compressed(client: GraphQLClient) -> None:
    with subscribed(client, FOLLOW) as events:
        next(events)
        headers = events.response.headers

    assert headers["content-type"].startswith("text/event-stream")
    assert (headers["cache-control"], headers["x-accel-buffering"]) == ("no-store", "no")
    assert (headers.get("content-encoding"), events.comments) == (None, 1)


def test_a_subscription_may_come_by_get(client: GraphQLClient) -> None:
    parameters = {"query": "subscription { changes { headCursor } }"}

    with client.http.stream("GET", "/graphql", params=parameters, headers=ACCEPT) as response:
        event = next(Events(response))

    assert event["data"]["changes"]["headCursor"] == head(client)


def test_a_subscription_that_begins_again_after_its_last_event_misses_nothing(
    acme: Tenant, client: GraphQLClient
) -> None:
    start = head(client)
    acme.add_customers(*({} for _ in range(250)))

    with subscribed(client, POSITIONS, after=start) as events:
        pages = [next(events) for _ in range(2)]
    with subscribed(client, POSITIONS, after=end_cursor(pages[-1])) as events:
        pages.append(next(events))
        create(client)
        pages.append(next(events))

    assert [len(positions(page)) for page in pages] == [100, 100, 50, 1]
    assert [position for page in pages for position in positions(page)] == [*range(1, 252)]


def test_events_have_only_the_changes_that_meet_the_conditions(acme: Tenant, client: GraphQLClient) -> None:
    start = head(client)
    ada, bob = acme.add_customers({}, {})

    with subscribed(client, FOLLOW, after=start, kinds=["TAG"]) as tags:
        with subscribed(client, FOLLOW, after=start, customerId=str(bob)) as of_bob:
            assert (positions(next(tags)), positions(next(of_bob))) == ([], [2])
            acme.add_messages({"customer_id": ada}, {"customer_id": bob})
            acme.add_tags("vip")
            event = next(of_bob)
        # What it remembers of its history, and the message.
        assert positions(event) == [4, 6]
        # The empty pages before it were skipped.
        assert [node["kind"] for node in next(tags)["data"]["changes"]["nodes"]] == ["TAG"]


def test_conditions_are_read_on_to_the_head_over_many_other_changes(acme: Tenant, client: GraphQLClient) -> None:
    start = head(client)
    acme.add_customers(*({} for _ in range(10_500)))
    acme.add_tags("vip")

    with subscribed(client, FOLLOW, after=start, kinds=["TAG"]) as events:
        first, second = next(events), next(events)

    assert (positions(first), first["data"]["changes"]["pageInfo"]["hasNextPage"]) == ([], True)
    assert positions(second) == [10_501]


def test_each_event_costs_what_it_holds(serve: MakeServer, database_url: str) -> None:
    url = serve(Settings(database_url=database_url))
    tenant = Tenant(url, database_url, "acme")
    start = head(tenant.client)
    tenant.add_customers({}, {}, {})

    with subscribed(tenant.client, FOLLOW, after=start) as events:
        cost = next(events)["extensions"]["cost"]

    assert (cost["requested"], cost["actual"]) == (200, 6)
    assert cost["throttle"]["capacity"] - cost["throttle"]["available"] < 10
    tenant.close()


def test_an_event_waits_while_the_bucket_is_empty_and_then_holds_more(serve: MakeServer, sqlite_url: str) -> None:
    settings = Settings(database_url=sqlite_url, cost_limit=400, bucket_size=400, bucket_refill=50)
    tenant = Tenant(serve(settings), sqlite_url, "acme")
    start = head(tenant.client)
    tenant.add_customers(*({} for _ in range(100)))
    other = tenant.client_with(Scope.WRITE)

    with subscribed(tenant.client, FOLLOW, after=start) as events:
        assert len(positions(next(events))) == 100
        tenant.add_customers(*({} for _ in range(100)))
        assert len(positions(next(events))) == 100
        # The bucket is empty, and the next event may cost 200.
        for _ in range(3):
            create(other)
        assert positions(next(events)) == [201, 202, 203]
    tenant.close()


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("subscription {", {}, "GRAPHQL_PARSE_FAILED"),
        ("subscription { customers { totalCount } }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { a: changes { headCursor } b: changes { headCursor } }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { __typename }", {}, "GRAPHQL_VALIDATION_FAILED"),
        (" ", {}, "BAD_REQUEST"),
        (FOLLOW, {"after": "x"}, "BAD_USER_INPUT"),
        (FOLLOW, {"kinds": ["PROJECT"]}, "BAD_USER_INPUT"),
    ],
)
def test_what_is_refused_is_one_event_and_complete(
    client: GraphQLClient, query: str, variables: dict[str, Any], code: str
) -> None:
    assert refusal(client, query, **variables) == code


def test_a_subscription_needs_a_token_and_the_scope_read(acme: Tenant) -> None:
    nobody = httpx.post(f"{acme.base_url}/graphql", json={"query": POSITIONS}, headers=ACCEPT)

    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, "Bearer")
    assert nobody.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert refusal(acme.client_with(Scope.WRITE), POSITIONS) == "FORBIDDEN"


def test_without_a_stream_a_subscription_is_refused_and_told_how_to_ask(client: GraphQLClient) -> None:
    for accept in ("application/json", "*/*", "application/json, text/event-stream", "text/event-stream;q=0.5, */*"):
        answer = client.http.post("/graphql", json={"query": POSITIONS}, headers={"Accept": accept})
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["extensions"]["code"]) == (400, "BAD_REQUEST")
        assert "`Accept: text/event-stream`" in error["message"]


def test_queries_and_mutations_are_answered_by_one_event(client: GraphQLClient) -> None:
    for query, variables in (("{ project { slug } }", {}), (CREATE, {"input": {"firstName": "Ada"}})):
        with subscribed(client, query, **variables) as events:
            (event,) = events
        assert (list(event), events.is_complete) == (["data", "extensions"], True)


def test_a_stream_ends_within_five_seconds_after_its_token_was_revoked(acme: Tenant) -> None:
    token = acme.token_with(Scope.READ)
    with subscribed(GraphQLClient(acme.base_url, token), POSITIONS) as events:
        next(events)
        acme.revoke(token)
        started = time.monotonic()
        rest = list(events)

    assert (list(map(codes, rest)), events.is_complete) == ([["UNAUTHENTICATED"]], True)
    assert time.monotonic() - started < 5


def test_a_stream_ends_when_its_token_expires(acme: Tenant) -> None:
    token = acme.token_with(Scope.READ, expires_at=datetime.now(UTC) + timedelta(seconds=5))

    with subscribed(GraphQLClient(acme.base_url, token), POSITIONS) as events:
        next(events)
        rest = list(events)

    assert (list(map(codes, rest)), events.is_complete) == ([["UNAUTHENTICATED"]], True)


def test_an_expired_cursor_ends_a_stream_at_its_begin_and_later(acme: Tenant, client: GraphQLClient) -> None:
    create(client)
    lost = head(client)
    with subscribed(client, POSITIONS, after=lost) as events:
        next(events)
        # As after a backup was restored.
        stores.execute(acme.database_url, "DELETE FROM change")
        stores.execute(acme.database_url, "UPDATE feed SET position = 0")
        rest = list(events)

    assert (list(map(codes, rest)), events.is_complete) == ([["CURSOR_EXPIRED"]], True)
    assert refusal(client, POSITIONS, after=lost) == "CURSOR_EXPIRED"


def test_a_token_has_a_number_of_subscriptions_at_once(serve: MakeServer, sqlite_url: str) -> None:
    tenant = Tenant(serve(Settings(database_url=sqlite_url, token_subscriptions=2)), sqlite_url, "acme")
    with ExitStack() as two:
        for _ in range(2):
            next(two.enter_context(subscribed(tenant.client, POSITIONS)))
        with subscribed(tenant.client, POSITIONS) as events:
            (error,) = next(events)["errors"]
        with subscribed(tenant.client_with(Scope.READ), POSITIONS) as others:
            assert "data" in next(others)

    assert error["extensions"] == {"code": "LIMIT_EXCEEDED", "limit": "TOKEN_SUBSCRIPTIONS", "asked": 3, "allowed": 2}
    # Those that have ended do not count.
    assert frees_soon(tenant.client)
    tenant.close()


def frees_soon(client: GraphQLClient) -> bool:
    """Return whether one more subscription is possible, soon after others have ended."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with subscribed(client, POSITIONS) as events:
            if "data" in next(events):
                return True
    return False


def test_a_worker_has_a_number_of_subscriptions_at_once(serve: MakeServer, sqlite_url: str) -> None:
    tenant = Tenant(serve(Settings(database_url=sqlite_url, subscription_limit=2)), sqlite_url, "acme")
    with subscribed(tenant.client, POSITIONS) as one, subscribed(tenant.client_with(Scope.READ), POSITIONS) as two:
        assert "data" in next(one)
        assert "data" in next(two)
        with subscribed(tenant.client_with(Scope.READ), POSITIONS) as three:
            assert codes(next(three)) == ["OVERLOADED"]
    tenant.close()


def test_idle_streams_run_one_statement_for_all_of_them(acme: Tenant, make_tenant: MakeTenant) -> None:
    tenants = [acme, make_tenant("other")]
    with ExitStack() as stack:
        for tenant in tenants:
            for _ in range(5):
                next(stack.enter_context(subscribed(tenant.client, POSITIONS)))
        started = time.monotonic()
        with recorded() as statements:
            until(lambda: len(statements) > 2, "it asks again and again")
        seconds = time.monotonic() - started

    # One in half a second, and it is always the same.
    assert len(statements) <= seconds / 0.5 + 1
    assert len(set(statements)) == 1


def test_without_streams_nothing_is_asked(client: GraphQLClient) -> None:
    with subscribed(client, POSITIONS) as events:
        next(events)
    time.sleep(1.2)

    with recorded() as statements:
        time.sleep(1)

    assert statements == []


def test_other_operations_go_on_beside_idle_streams(serve: MakeServer, database_url: str) -> None:
    settings = Settings(database_url=database_url, running_limit=1, waiting_limit=0, pool_size=2)
    tenant = Tenant(serve(settings), database_url, "acme")
    with ExitStack() as stack:
        for _ in range(10):
            next(stack.enter_context(subscribed(tenant.client, POSITIONS)))
        create(tenant.client)
    tenant.close()


def test_a_client_that_does_not_read_costs_a_page_and_delays_no_stop(sqlite_url: str) -> None:
    server = RunningServer(Settings(database_url=sqlite_url))
    server.__enter__()
    tenant = Tenant(server.url, sqlite_url, "acme")
    start = head(tenant.client)
    # Forty pages of half a megabyte: more than the buffers of the system hold.
    tenant.add_customers(*({"notes": "x" * 5_000} for _ in range(4_000)))
    notes = "subscription($after: String) { changes(after: $after) { nodes { node { ... on Customer { notes } } } } }"
    body = json.dumps({"query": notes, "variables": {"after": start}}).encode()
    with connect(server.url) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        authorization = tenant.client.http.headers["Authorization"]
        connection.sendall(raw_head(authorization, "Accept: text/event-stream", length=len(body)) + body)
        time.sleep(3)
        with recorded() as statements:
            time.sleep(2)
        started = time.monotonic()
        server.__exit__()
        tenant.close()

    # Those that watch the feed.
    assert len(set(statements)) == 1, set(statements)
    assert time.monotonic() - started < 3


def test_a_stopping_server_cuts_streams_without_complete(sqlite_url: str) -> None:
    server = RunningServer(Settings(database_url=sqlite_url))
    server.__enter__()
    tenant = Tenant(server.url, sqlite_url, "acme")
    with subscribed(tenant.client, POSITIONS) as events:
        next(events)
        started = time.monotonic()
        server.__exit__()
        rest = list(events)
    tenant.close()

    assert (rest, events.is_complete) == ([], False)
    assert time.monotonic() - started < 3


def test_followers_that_subscribe_again_at_random_get_every_position_once(acme: Tenant, client: GraphQLClient) -> None:
    chance = random.Random(17)  # noqa: S311 - no secret
    read: list[int] = []
    place = head(client)

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(lambda: [create(acme.client) for _ in range(25)]) for _ in range(4)]
        while len(read) < 100:
            with subscribed(client, POSITIONS, after=place) as events:
                for _ in range(chance.randint(1, 3)):
                    if len(read) == 100:
                        break
                    event = next(events)
                    read += positions(event)
                    place = end_cursor(event)
        for writer in writers:
            writer.result()

    assert read == [*range(1, 101)]
