"""Buckets in a real Redis: gateways share them, and work without them while Redis is away."""

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median

import pytest

from commands.command import until
from conftest import MakeServer, free_port
from customergraph.gateway.redis_buckets import COMMAND_SECONDS, PATIENCE_SECONDS
from customergraph.settings import Settings
from factories import Tenant
from faults.conftest import MakeGateway
from faults.redis_server import RedisServer
from graphql_client import GraphQLClient

pytestmark = pytest.mark.slow

# Costs nothing, and asks for the bucket all the same.
FREE = "{ __typename }"
QUERY = "{ customers(first: 90) { nodes { id } } }"
# It is charged for more than it returns, so the rest is refunded.
REFUNDED = "{ customers(first: 90) { nodes { id } } tags { id } }"
BUCKET_SIZE = 100
EVENTS = ("redis_away", "redis_back")
# What a request may wait at most for a Redis that hangs.
LONGEST_WAIT_SECONDS = 0.05
# On a busy machine a request may be late for other reasons, but not each time.
TRIALS = 10


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(free_port(), tmp_path) as server:
        yield server


@pytest.fixture
def events(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Returns the logged changes of Redis's state, in order."""
    caplog.set_level(logging.INFO)

    def logged() -> list[str]:
        messages = [record.getMessage() for record in caplog.records]
        return [event for message in messages for event in EVENTS if event in message]

    return logged


@pytest.fixture
def limited(serve: MakeServer, sqlite_url: str, redis: RedisServer) -> Iterator[Tenant]:
    """A project with 90 customers, whose buckets hold little more than a query for all of them costs."""
    settings = Settings(database_url=sqlite_url, redis_url=redis.url, bucket_size=BUCKET_SIZE, bucket_refill=1)
    tenant = Tenant(serve(settings), sqlite_url, "acme")
    tenant.add_customers(*({} for _ in range(90)))
    yield tenant
    tenant.close()


def status(client: GraphQLClient) -> int:
    return client.post(QUERY).status_code


def seconds(client: GraphQLClient, query: str = QUERY) -> float:
    """Send an operation that must succeed; returns how long it took."""
    started = time.monotonic()
    assert client.post(query).status_code == 200
    return time.monotonic() - started


def test_two_gateways_share_one_bucket_and_answer_while_redis_is_away(
    serve: MakeServer, sqlite_url: str, tmp_path: Path, events: Callable[[], list[str]]
) -> None:
    redis = RedisServer(free_port(), tmp_path)
    settings = Settings(database_url=sqlite_url, redis_url=redis.url, bucket_size=BUCKET_SIZE, bucket_refill=1)
    acme = Tenant(serve(settings), sqlite_url, "acme")
    acme.add_customers(*({} for _ in range(90)))
    token = acme.client.http.headers["authorization"].removeprefix("Bearer ")
    other = GraphQLClient(serve(settings), token)

    with redis:
        charged = [status(client) for client in (acme.client, other, acme.client)]
    away = [status(client) for client in (acme.client, other) * 3]
    with redis:
        # A Redis that was restarted has no script, and full buckets.
        until(lambda: events().count("redis_back") == 2, "both gateways use Redis again")
        again = [status(client) for client in (other, acme.client)]

    assert charged == [200, 429, 429]
    assert away == [200] * 6
    assert again == [200, 429]
    assert sorted(events()) == ["redis_away", "redis_away", "redis_back", "redis_back"]
    acme.close()
    other.close()


def test_answers_tell_the_state_of_a_shared_bucket_and_nothing_while_redis_is_away(
    limited: Tenant, redis: RedisServer, events: Callable[[], list[str]]
) -> None:
    def told(query: str) -> tuple[int | None, bool]:
        """Return what the answer says is left, and whether its headers say so too."""
        answer = limited.client.post(query)
        throttle = answer.json()["extensions"]["cost"].get("throttle")
        return throttle and throttle["available"], "ratelimit" in answer.headers

    assert [told(QUERY), told("{ nothing }")] == [(10, True)] * 2
    refunded, _ = told("{ tags { id } }")
    assert refunded in {10, 11}

    with redis.halted():
        assert [told(query) for query in (FREE, QUERY, "{ nothing }")] == [(None, False)] * 3

    until(lambda: events() == ["redis_away", "redis_back"], "Redis is back")
    assert told("{ nothing }")[1]


def test_a_redis_that_hangs_is_waited_for_once_and_logged_once(
    limited: Tenant, redis: RedisServer, events: Callable[[], list[str]]
) -> None:
    assert [status(limited.client), status(limited.client)] == [200, 429]
    usual = median(seconds(limited.client, FREE) for _ in range(9))

    with redis.halted():
        first = seconds(limited.client)
        later = [seconds(limited.client, query) for query in (QUERY, REFUNDED) * 10]
        # Longer than a command may take, so that all waits for Redis have ended.
        time.sleep(COMMAND_SECONDS + 0.5)
        later += [seconds(limited.client) for _ in range(5)]
        assert events() == ["redis_away"]

    until(lambda: status(limited.client) == 429, "operations are charged again")
    assert events() == ["redis_away", "redis_back"]
    assert first < COMMAND_SECONDS
    assert median(later) < usual + PATIENCE_SECONDS


def test_no_request_waits_longer_than_50_ms_for_a_redis_that_hangs(
    limited: Tenant, redis: RedisServer, events: Callable[[], list[str]]
) -> None:
    usual = min(seconds(limited.client, FREE) for _ in range(20))

    def longest_wait() -> float:
        """Halt Redis, and return how much longer than usual the slowest request takes."""
        before = len(events())
        with redis.halted():
            # The first request notices it.
            slowest = max(seconds(limited.client, query) for query in (FREE, QUERY, REFUNDED) * 5)
        until(lambda: events()[before:][-1:] == ["redis_back"], "Redis is back")
        return slowest - usual

    assert any(longest_wait() <= LONGEST_WAIT_SECONDS for _ in range(TRIALS))


def test_many_at_once_wait_for_a_redis_that_hangs_no_longer_than_one(
    gateway: MakeGateway, sqlite_url: str, redis: RedisServer, events: Callable[[], list[str]]
) -> None:
    acme = gateway(sqlite_url, redis_url=redis.url, waiting_limit=200)
    token = acme.client.http.headers["authorization"].removeprefix("Bearer ")
    with ThreadPoolExecutor(160) as pool, ExitStack() as stack:
        clients = [stack.enter_context(closing(GraphQLClient(acme.base_url, token))) for _ in range(16)] * 10

        def slowest() -> float:
            """Send 160 requests at once, and return how long the slowest takes."""
            return max(pool.map(seconds, clients, [FREE] * 160))

        def longest_wait() -> float:
            """Halt Redis, and return how much longer than just before the slowest request takes."""
            usual = min(slowest() for _ in range(3))
            # On an overloaded machine even a healthy Redis may be late.
            until(lambda: events().count("redis_away") == events().count("redis_back"), "Redis is used")
            before = len(events())
            with redis.halted():
                halted = slowest()
                assert events()[before:] == ["redis_away"]
            until(lambda: events()[before:] == ["redis_away", "redis_back"], "Redis is back")
            return halted - usual

        assert any(longest_wait() <= LONGEST_WAIT_SECONDS for _ in range(TRIALS))


def test_refunds_to_a_redis_that_hangs_delay_no_answer(
    limited: Tenant, redis: RedisServer, events: Callable[[], list[str]]
) -> None:
    usual = median(seconds(limited.client, "{ tags { id } }") for _ in range(5))

    with redis.halted():
        durations = [seconds(limited.client, "{ tags { id } }") for _ in range(11)]

    assert median(durations) < usual + PATIENCE_SECONDS
    until(lambda: events() == ["redis_away", "redis_back"], "Redis is back")


def test_refunds_can_be_spent_again(limited: Tenant) -> None:
    for _ in range(20):
        assert limited.client.post("{ tags { id } }").status_code == 200
        time.sleep(0.05)


def test_a_redis_that_is_slow_is_away_until_it_is_fast_again(
    limited: Tenant, redis: RedisServer, events: Callable[[], list[str]]
) -> None:
    assert [status(limited.client), status(limited.client)] == [200, 429]

    # All clients are answered late, as by a wire that is overloaded.
    redis.command("CLIENT", "PAUSE", "1500", "ALL")
    until(lambda: status(limited.client) == 200, "Redis is not used")
    assert events() == ["redis_away"]

    until(lambda: status(limited.client) == 429, "operations are charged again")
    assert events() == ["redis_away", "redis_back"]
