"""Answers with thousands of objects are encoded in chunks, and equal the small answers put together."""

import asyncio
from typing import Any

import pytest
from graphql import OperationType

from customergraph.execution.compiled import CompiledPlan
from customergraph.gateway.gateway import Gateway
from customergraph.settings import Settings
from customergraph.web.encoding import SINGLE_CHUNK_OBJECTS
from factories import Tenant

CUSTOMERS = 80
EACH = 20
NESTED = """query($first: Int!, $after: String) {
  customers(first: $first, after: $after) {
    nodes { name archivedAt tags { slug } location { name }
            messages(first: 20) { nodes { id scheduledAt status } pageInfo { hasNextPage } }
            reviews(first: 20) { edges { cursor node { uuid score } } }
            charges(first: 20) { nodes { amount chargedAt } } }
    pageInfo { endCursor }
  }
}"""


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The URL of an embedded store: the engine makes no difference to encoding."""
    return sqlite_url


def pages(acme: Tenant, size: int) -> list[Any]:
    """Return all customers, read in pages of that size."""
    nodes: list[Any] = []
    after = None
    while len(nodes) < CUSTOMERS:
        page = acme.client.data(NESTED, first=size, after=after)["customers"]
        nodes += page["nodes"]
        after = page["pageInfo"]["endCursor"]
    return nodes


def test_a_large_answer_equals_small_ones_put_together(acme: Tenant) -> None:
    acme.add_histories(CUSTOMERS, each=EACH)

    large = acme.client.post(NESTED, {"first": CUSTOMERS})

    assert large.json()["extensions"]["cost"]["actual"] > SINGLE_CHUNK_OBJECTS
    assert large.json()["data"]["customers"]["nodes"] == pages(acme, 7)


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_large_answer_has_the_same_headers_as_a_small_one(acme: Tenant, encoding: str) -> None:
    acme.add_histories(CUSTOMERS, each=EACH)
    acme.client.http.headers["accept-encoding"] = encoding

    small, large = (acme.client.post(NESTED, {"first": first}) for first in (1, CUSTOMERS))

    names = ("content-type", "content-encoding", "cache-control", "vary")
    assert [large.headers.get(name) for name in names] == [small.headers.get(name) for name in names]
    if encoding == "identity":
        assert int(large.headers["content-length"]) == len(large.content)


@pytest.mark.parametrize("compiled_plans", [True, False])
def test_the_setting_chooses_the_way_of_executing(sqlite_url: str, *, compiled_plans: bool) -> None:
    async def plan() -> CompiledPlan | None:
        gateway = Gateway.of(Settings(database_url=sqlite_url, compiled_plans=compiled_plans))
        document = await gateway.documents.read("{ project { name } }", None)
        await gateway.close()
        return document.prepare(None, None, {OperationType.QUERY}).planned.compiled

    assert isinstance(asyncio.run(plan()), CompiledPlan) is compiled_plans
