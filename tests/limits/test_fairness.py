"""One token never starves another: turns, connections and places to wait are dealt out by token."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import httpx
import pytest

from commands.command import until
from conftest import MakeServer
from customergraph.domain.principal import Scope
from customergraph.settings import Settings
from factories import Tenant
from faults.expectations import COUNT
from faults.sessions import Session
from graphql_client import GraphQLClient

# Waits for the lock on customers, and does not.
WAITS = COUNT
SMALL = "{ project { slug } }"
LOCK = "LOCK TABLE customer"
# What is promised is 0.3 s, on a machine that does nothing else.
LONGEST_SECONDS = 1.5


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(60) as pool:
        yield pool


@pytest.fixture
def somebody(postgresql_url: str) -> Iterator[Session]:
    with Session(postgresql_url) as session:
        yield session


@pytest.fixture
def tenants() -> Iterator[list[Tenant]]:
    made: list[Tenant] = []
    yield made
    for tenant in made:
        tenant.close()


def tenant(serve: MakeServer, tenants: list[Tenant], settings: Settings) -> Tenant:
    tenants.append(Tenant(serve(settings), settings.database_url, "acme"))
    return tenants[-1]


def seconds(client: GraphQLClient, query: str = SMALL) -> float:
    """Send a query that must be answered; returns how long it took."""
    started = time.monotonic()
    client.data(query)
    return time.monotonic() - started


def code(response: httpx.Response) -> str:
    """Return the code of the first error; `done` where there is none."""
    errors = response.json().get("errors")
    return str(errors[0]["extensions"]["code"]) if errors else "done"


@pytest.mark.parametrize("same_project", [True, False])
def test_a_token_whose_statements_all_wait_keeps_no_other_waiting(
    serve: MakeServer,
    tenants: list[Tenant],
    postgresql_url: str,
    somebody: Session,
    background: ThreadPoolExecutor,
    *,
    same_project: bool,
) -> None:
    acme = tenant(serve, tenants, Settings(database_url=postgresql_url, pool_timeout=20))
    other = acme.client_with(Scope.READ)
    if not same_project:
        tenants.append(Tenant(acme.base_url, postgresql_url, "globex"))
        other = tenants[-1].client

    with somebody.transaction(LOCK):
        waiting = [background.submit(acme.client.post, WAITS) for _ in range(40)]
        # Half of the ten connections, and no more.
        somebody.until_waiting(5)
        took = [seconds(other) for _ in range(20)]
        assert somebody.waiting() == 5
        assert not any(one.done() for one in waiting)

    assert max(took) < LONGEST_SECONDS
    assert [code(one.result()) for one in waiting] == ["done"] * 40


def test_a_token_whose_counts_keep_the_store_busy_keeps_no_other_waiting(
    serve: MakeServer, tenants: list[Tenant], database_url: str, background: ThreadPoolExecutor
) -> None:
    acme = tenant(serve, tenants, Settings(database_url=database_url, bucket_size=10**9))
    acme.add_customers(*({} for _ in range(2_000)))
    other = acme.client_with(Scope.READ)
    thirty = "{ " + " ".join(f'a{number}: customers(q: "#{number}") {{ totalCount }}' for number in range(30)) + " }"
    ended = Event()

    def repeat() -> None:
        while not ended.is_set():
            acme.client.post(thirty)

    busy = [background.submit(repeat) for _ in range(20)]
    try:
        time.sleep(0.5)
        took = sorted(seconds(other) for _ in range(50))
    finally:
        ended.set()

    for one in busy:
        one.result()
    assert took[len(took) * 95 // 100] < LONGEST_SECONDS


def test_in_a_full_waiting_room_the_token_that_has_most_waiting_loses_its_newest(
    serve: MakeServer, tenants: list[Tenant], postgresql_url: str, somebody: Session, background: ThreadPoolExecutor
) -> None:
    settings = Settings(database_url=postgresql_url, running_limit=2, waiting_limit=4, pool_timeout=20)
    acme = tenant(serve, tenants, settings)
    others = [acme.client_with(Scope.READ) for _ in range(3)]
    refused: list[str] = []

    def send(client: GraphQLClient, name: str) -> Future[str]:
        def send() -> str:
            answer = code(client.post(WAITS))
            if answer == "OVERLOADED":
                refused.append(name)
            return answer

        future = background.submit(send)
        # They come one after another.
        time.sleep(0.3)
        return future

    with somebody.transaction(LOCK):
        futures = [send(acme.client, f"acme {number}") for number in range(6)]
        assert refused == []
        # The seventh of the token with most waiting is its newest.
        futures.append(send(acme.client, "acme 6"))
        until(lambda: refused == ["acme 6"], "the newest is refused")
        futures += [send(client, f"other {number}") for number, client in enumerate(others[:2])]
        until(lambda: refused == ["acme 6", "acme 5", "acme 4"], "each newest is refused in its turn")

    assert [future.result() for future in futures] == ["done"] * 4 + ["OVERLOADED"] * 3 + ["done"] * 2


def test_requests_with_bad_tokens_keep_no_other_waiting(
    serve: MakeServer, tenants: list[Tenant], database_url: str, background: ThreadPoolExecutor
) -> None:
    acme = tenant(serve, tenants, Settings(database_url=database_url))
    ended = Event()
    seconds(acme.client)

    def repeat(number: int) -> None:
        with httpx.Client(base_url=acme.base_url, headers={"Authorization": f"Bearer cg_{number}"}) as http:
            while not ended.is_set():
                assert code(http.post("/graphql", json={"query": SMALL})) == "UNAUTHENTICATED"

    busy = [background.submit(repeat, number) for number in range(20)]
    try:
        time.sleep(0.3)
        took = sorted(seconds(acme.client) for _ in range(30))
    finally:
        ended.set()

    for one in busy:
        one.result()
    assert took[len(took) * 9 // 10] < LONGEST_SECONDS
