"""A request is answered the same by the lean way in and by Starlette's application, which takes all that is unusual."""

import gzip
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.types import Scope

from conftest import MakeServer
from customergraph.settings import Settings
from customergraph.web import head
from factories import Tenant

QUERY = "{ customers(first: 100) { nodes { id name email messages { nodes { id status } } } } }"
BODIES = [
    {"query": QUERY},
    {"query": "query Q($id: ID!) { customer(id: $id) { name } }", "variables": {"id": "1"}},
    {"query": "query Q($id: ID!) { customer(id: $id) { name } }", "variables": {"id": [1]}},
    {"query": "{ customers(first: 0) { nodes { id } } }"},
    {"query": "{ unknown }"},
    {"query": "{"},
    {"query": ""},
    {"query": QUERY, "variables": []},
    {"query": QUERY, "operationName": "None"},
    {"query": "mutation { archiveCustomer(id: 999) { userErrors { code } } }"},
    [],
    "text",
]
HEADERS: list[dict[str, str]] = [
    {},
    {"accept": "*/*"},
    {"accept": "application/graphql-response+json"},
    {"accept": "application/graphql-response+json; charset=utf-8, application/json;q=0.9"},
    {"accept": "text/plain"},
    {"accept": "x" * 3_000},
    {"accept-encoding": "gzip, deflate, br"},
    {"accept-encoding": "gzip;q=0"},
    {"accept-encoding": "identity;q=0"},
    {"accept-encoding": "gzip, identity;q=0"},
    {"content-type": "application/json; charset=UTF-8"},
    {"content-type": "text/plain"},
    {"content-encoding": "gzip"},
    {"authorization": "Bearer cg_unknown"},
    {"authorization": "cg_unknown"},
    {"authorization": "Basic x"},
    {"x-request-id": "mine-1"},
    {"x-request-id": "not well formed"},
    {"host": "elsewhere.example"},
]
_VARYING = {"date", "x-request-id"}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The URL of an embedded store: the engine makes no difference to HTTP."""
    return sqlite_url


@pytest.fixture
def by_entrance(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each request was a usual one, in their order."""
    usual: list[bool] = []
    read_head = head.usual

    def record(scope: Scope, *arguments: Any) -> Any:
        values = read_head(scope, *arguments)
        usual.append(values is not None)
        return values

    monkeypatch.setattr(head, "usual", record)
    return usual


@pytest.fixture
def limited(serve: MakeServer, database_url: str) -> Iterator[Tenant]:
    """A project on a gateway that takes small bodies, with a list whose answer is compressed."""
    # The bucket is full again for the second request.
    settings = Settings(database_url=database_url, body_limit=2_000, bucket_refill=10**12)
    tenant = Tenant(serve(settings), database_url, "acme")
    tenant.add_histories(20, each=1)
    yield tenant
    tenant.close()


def compare(tenant: Tenant, body: Any, headers: dict[str, str]) -> httpx.Response:
    """Assert that the request is answered alike in both ways; returns the answer."""
    url = f"{tenant.base_url}/graphql"
    own = {"authorization": tenant.client.http.headers["authorization"], "accept-encoding": "identity"}
    usual = httpx.post(url, json=body, headers={**own, **headers})
    # At this path Starlette's application answers.
    other = httpx.post(f"{url}/", json=body, headers={**own, **headers})
    assert (usual.status_code, _stable(usual)) == (other.status_code, _stable(other))
    assert usual.content == other.content
    assert len(usual.headers["x-request-id"]) == len(other.headers["x-request-id"])
    return usual


def _stable(response: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name not in _VARYING}


@pytest.mark.parametrize("body", BODIES, ids=str)
def test_each_body_is_answered_alike(limited: Tenant, by_entrance: list[bool], body: Any) -> None:
    compare(limited, body, {})

    assert by_entrance == [True]


@pytest.mark.parametrize("headers", HEADERS, ids=lambda headers: str(headers)[:60])
def test_each_head_is_answered_alike(limited: Tenant, headers: dict[str, str]) -> None:
    compare(limited, {"query": QUERY}, headers)


def test_usual_heads_enter_at_once(limited: Tenant, by_entrance: list[bool]) -> None:
    for headers in HEADERS[:4] + HEADERS[6:8]:
        compare(limited, {"query": QUERY}, headers)

    assert by_entrance == [True] * 6


def test_a_body_over_its_limit_is_refused_alike(limited: Tenant) -> None:
    answer = compare(limited, {"query": QUERY, "variables": {"x": "x" * 3_000}}, {})

    assert answer.status_code == 413


def test_an_answer_that_is_large_enough_is_compressed(limited: Tenant, by_entrance: list[bool]) -> None:
    answer = compare(limited, {"query": QUERY}, {"accept-encoding": "gzip"})

    assert by_entrance == [True]
    assert answer.headers["content-encoding"] == "gzip"
    with httpx.stream(
        "POST",
        f"{limited.base_url}/graphql",
        json={"query": QUERY},
        headers={"authorization": limited.client.http.headers["authorization"], "accept-encoding": "gzip"},
    ) as stream:
        assert gzip.decompress(b"".join(stream.iter_raw())) == answer.content


def test_an_own_request_id_is_answered(limited: Tenant, by_entrance: list[bool]) -> None:
    answer = compare(limited, {"query": QUERY}, {"x-request-id": "mine-1"})

    assert by_entrance == [True]
    assert answer.headers["x-request-id"] == "mine-1"
