"""The counts of facets are the counts of the lists, whatever the other conditions are."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import MakeServer
from customergraph import demo
from customergraph.domain.customer import CustomerDateKey, CustomerFilter
from customergraph.domain.principal import Scope
from customergraph.settings import Settings
from customergraph.store import access
from customergraph.store.database import Database
from graphql_client import GraphQLClient, cost
from statements import recorded

pytestmark = pytest.mark.slow

CONDITIONS = """q: $q, tagSlugs: $tagSlugs, locationSlug: $locationSlug, includeArchived: $includeArchived,
    dateKey: $dateKey, dateFrom: $dateFrom, dateTo: $dateTo, email: $email"""
LISTS = " ".join(f"{one}: customers(filter: {one}, first: 1, {CONDITIONS}) {{ totalCount }}" for one in CustomerFilter)
COUNTS = f"""
query Counts($filter: CustomerFilter, $q: String, $email: String, $tagSlugs: [String!], $locationSlug: String,
             $includeArchived: Boolean, $dateKey: CustomerDateKey, $dateFrom: Date, $dateTo: Date) {{
  customers(filter: $filter, first: 1, {CONDITIONS}) {{ facetCounts {{ facet count }} }} {LISTS}
}}
"""
PROJECT = "{ tags { slug } locations { slug } customers(first: 100) { nodes { email } } }"


@pytest.fixture
def client(serve: MakeServer, database_url: str) -> Iterator[GraphQLClient]:
    """A client of a believable project, which may ask for as much as it likes."""

    async def fill() -> str:
        database = Database(database_url)
        await demo.fill(database, 150)
        secret = await access.create_token(database, demo.SLUG, "counts", set(Scope), None)
        await database.close()
        return secret

    secret = asyncio.run(fill())
    client = GraphQLClient(serve(Settings(database_url=database_url, bucket_size=10**9)), secret)
    yield client
    client.close()


def other_conditions(client: GraphQLClient) -> st.SearchStrategy[dict[str, Any]]:
    project = client.data(PROJECT)
    tags = [tag["slug"] for tag in project["tags"]]
    return st.fixed_dictionaries(
        {},
        optional={
            "filter": st.sampled_from(CustomerFilter),
            "q": st.sampled_from(["a", "an", "example", "zzz", "ma er"]),
            "email": st.sampled_from([node["email"] for node in project["customers"]["nodes"]]),
            "tagSlugs": st.lists(st.sampled_from([*tags, "unknown"]), max_size=2),
            "locationSlug": st.sampled_from([one["slug"] for one in project["locations"]]),
            "includeArchived": st.booleans(),
            "dateKey": st.sampled_from(CustomerDateKey),
            "dateFrom": st.sampled_from(["2023-01-01", "2024-06-01", "2025-06-01"]),
            "dateTo": st.sampled_from(["2025-06-01", "2026-12-31"]),
        },
    )


def test_each_facets_count_is_the_count_of_its_list(client: GraphQLClient) -> None:
    @settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(other_conditions(client))
    def check(conditions: dict[str, Any]) -> None:
        answer = client.data(COUNTS, **conditions)

        counted = {one["facet"]: one["count"] for one in answer.pop("customers")["facetCounts"]}
        assert list(counted) == list(CustomerFilter)
        assert counted == {facet: answer[facet]["totalCount"] for facet in CustomerFilter}

    check()


def test_facet_counts_are_one_statement_and_cost_500(client: GraphQLClient) -> None:
    with recorded() as statements:
        answer = client.answer("{ customers(first: 3) { nodes { id } totalCount facetCounts { facet count } } }")

    assert len(statements) <= 3
    assert cost(answer)["requested"] == cost(answer)["actual"] == 603
