"""What answers tell of the limits: the state of the token's bucket, and what an operation would cost."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from conftest import MakeServer
from customergraph.domain.principal import Scope
from customergraph.settings import Settings
from factories import Tenant
from graphql_client import GraphQLClient, cost
from statements import recorded

QUERY = "query Q($first: Int) { customers(first: $first) { nodes { id messages(first: 2) { nodes { id } } } } }"
ARCHIVE = "mutation { archiveCustomer(id: 1) { customer { id } } }"
CREATE = 'mutation { createCustomer(input: { firstName: "Ann", email: "ann@example.com" }) { customer { id } } }'
PATHS = ["/graphql", "/graphql/"]
ORIGIN = "https://dashboard.example.com"
SIZE = 10_000


@pytest.fixture
def acme(serve: MakeServer, database_url: str) -> Iterator[Tenant]:
    """A project with 3 customers, whose buckets are hardly refilled."""
    settings = Settings(
        database_url=database_url, cost_limit=SIZE, bucket_size=SIZE, bucket_refill=1, cors_origins=(ORIGIN,)
    )
    tenant = Tenant(serve(settings), database_url, "acme")
    tenant.add_customers(*({} for _ in range(3)))
    yield tenant
    tenant.close()


@pytest.fixture(params=PATHS)
def path(request: pytest.FixtureRequest) -> str:
    """The usual way in, and Starlette's."""
    return str(request.param)


def send(client: GraphQLClient, path: str, query: str, **more: Any) -> httpx.Response:
    return client.http.post(path, json={"query": query, **more})


def throttle(response: httpx.Response) -> dict[str, int]:
    told: dict[str, int] = response.json()["extensions"]["cost"]["throttle"]
    return told


def rate_limit(response: httpx.Response) -> tuple[int, int]:
    """Return what is left and the effective window, as the header has them."""
    told = re.fullmatch(r'"objects";r=(\d+);t=(\d+)', response.headers["ratelimit"])
    assert told, response.headers
    return int(told[1]), int(told[2])


def explained(client: GraphQLClient, path: str, query: str, **more: Any) -> Any:
    return send(client, path, query, extensions={"explain": True}, **more).json()


def test_an_answer_tells_what_is_left_in_the_bucket(acme: Tenant, path: str) -> None:
    first = send(acme.client, path, QUERY, variables={"first": 100})
    second = send(acme.client, path, QUERY, variables={"first": 100})

    # 300 were requested, and 3 returned: the rest is given back.
    assert throttle(first) == {"capacity": SIZE, "refillPerSecond": 1, "available": SIZE - 3}
    assert SIZE - 6 <= throttle(second)["available"] < SIZE - 3
    assert first.headers["ratelimit-policy"] == f'"objects";q={SIZE};qu="objects";w={SIZE}'
    # The bucket is full again after 3 seconds.
    assert rate_limit(first) == (SIZE - 3, 3)


@pytest.mark.parametrize(
    "query", ["{", "{ nothing }", "{ a: __typename b: customers(first: 0) { nodes { id } } }", ARCHIVE], ids=str
)
def test_a_refusal_of_a_known_token_tells_it_too(acme: Tenant, path: str, query: str) -> None:
    reader = acme.client_with(Scope.READ)

    refused = send(reader, path, query)

    assert refused.json()["errors"]
    assert throttle(refused)["available"] == rate_limit(refused)[0] > SIZE - 3


def test_a_throttled_client_learns_when_to_come_again(acme: Tenant, path: str) -> None:
    expensive = "{ " + " ".join(f"a{n}: customers(first: 100) {{ nodes {{ id }} }}" for n in range(30)) + " }"
    acme.add_customers(*({} for _ in range(100)))
    answers = [send(acme.client, path, expensive) for _ in range(4)]

    refused = answers[-1]
    left, window = rate_limit(refused)

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert left == throttle(refused)["available"] < 3_000
    assert str(window) == refused.headers["retry-after"]


def test_without_a_token_nothing_is_told_of_any_bucket(acme: Tenant, path: str) -> None:
    stranger = GraphQLClient(acme.base_url, "cg_unknown")

    refused = send(stranger, path, QUERY)

    assert "throttle" not in refused.json()["extensions"]["cost"]
    assert "ratelimit" not in refused.headers
    assert "ratelimit-policy" not in refused.headers
    stranger.close()


def test_scripts_of_other_origins_may_read_the_headers(acme: Tenant) -> None:
    answer = acme.client.http.post("/graphql", json={"query": QUERY}, headers={"origin": ORIGIN})

    exposed = answer.headers["access-control-expose-headers"].lower().split(", ")
    assert {"ratelimit", "ratelimit-policy", "retry-after"} <= set(exposed)
    assert "ratelimit" in answer.headers


def test_an_explained_query_is_neither_run_nor_charged(acme: Tenant, path: str) -> None:
    with recorded() as statements:
        answer = explained(acme.client, path, QUERY, variables={"first": 100})

    assert answer["data"] is None
    assert cost(answer) == {"requested": 300, "actual": 0, "limit": SIZE}
    assert answer["extensions"]["cost"]["throttle"]["available"] == SIZE
    assert "customer" not in "".join(statements)


def test_an_explained_query_tells_how_many_statements_it_takes(acme: Tenant, path: str) -> None:
    # As many as a query with parents takes.
    acme.add_histories(3, each=1)
    with recorded() as statements:
        send(acme.client, path, QUERY, variables={"first": 100})

    answer = explained(acme.client, path, QUERY, variables={"first": 100})

    assert answer["extensions"]["explain"] == {"statements": len(statements)}


def test_an_explained_mutation_changes_nothing(acme: Tenant, path: str) -> None:
    before = acme.rows()

    answer = explained(acme.client, path, CREATE)

    assert (answer["data"], answer["extensions"]["explain"]) == (None, {"statements": None})
    assert cost(answer) == {"requested": 12, "actual": 0, "limit": SIZE}
    assert acme.rows() == before


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (ARCHIVE, "FORBIDDEN"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ customers(first: 500) { nodes { id } } }", "BAD_USER_INPUT"),
        ("{ customers(first: 100) { nodes { messages(first: 100) { nodes { id } } } } }", "LIMIT_EXCEEDED"),
    ],
)
def test_an_explained_operation_is_judged_as_one_that_runs(acme: Tenant, path: str, query: str, code: str) -> None:
    answer = explained(acme.client_with(Scope.READ), path, query)

    assert [error["extensions"]["code"] for error in answer["errors"]] == [code]
    assert answer.get("data") is None


@pytest.mark.parametrize("explain", [None, 1, "true", {}], ids=str)
def test_to_explain_is_true_or_false(acme: Tenant, path: str, explain: Any) -> None:
    refused = send(acme.client, path, QUERY, extensions={"explain": explain})

    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")
    assert send(acme.client, path, QUERY, extensions={"explain": False}).json()["data"]
