"""How many statements a query takes: what can be read at once is read at once, and the rest level by level."""

from collections.abc import Iterator

import pytest

import stores
from conftest import MakeServer
from customergraph.settings import Settings
from customergraph.store.linked import MAX_BATCHES
from factories import Tenant
from graphql_client import GraphQLClient
from statements import recorded

NESTED = """{
  customers(first: 50) {
    totalCount
    nodes {
      name location { name } tags { slug }
      messages(first: 2) { totalCount nodes { status customer { name } } }
      reviews(first: 2) { nodes { score location { slug } } }
    }
  }
}"""
# Each list has arguments of its own, and so a statement of its own.
WIDE = " ".join(f"m{number}: messages(first: {number}) {{ nodes {{ id }} }}" for number in range(1, MAX_BATCHES + 6))


@pytest.fixture
def filled(acme: Tenant) -> Tenant:
    acme.add_histories(12, each=3)
    return acme


@pytest.fixture
def general(filled: Tenant, serve: MakeServer, database_url: str) -> Iterator[GraphQLClient]:
    """A client of a gateway without compiled plans."""
    token = filled.client.http.headers["authorization"].removeprefix("Bearer ")
    client = GraphQLClient(serve(Settings(database_url=database_url, compiled_plans=False)), token)
    yield client
    client.close()


def is_postgresql(url: str) -> bool:
    return stores.engine_of(url) == "postgresql"


def test_a_nested_query_is_one_statement_on_postgresql_and_one_for_each_list_on_sqlite(
    filled: Tenant, general: GraphQLClient, database_url: str
) -> None:
    nested = NESTED.replace("location { slug }", "").replace("customer { name }", "")

    with recorded() as statements:
        answer = filled.client.data(nested)

    assert len(statements) == (1 if is_postgresql(database_url) else 7), statements
    assert answer == general.data(nested)


def test_places_that_share_a_loader_share_its_statement(
    filled: Tenant, general: GraphQLClient, database_url: str
) -> None:
    with recorded() as statements:
        answer = filled.client.data(NESTED)

    # The locations of customers are read before those of their reviews.
    assert len(statements) <= (3 if is_postgresql(database_url) else 9), statements
    assert answer == general.data(NESTED)


def test_many_single_rows_are_one_statement(filled: Tenant) -> None:
    ids = [node["id"] for node in filled.client.data("{ customers { nodes { id } } }")["customers"]["nodes"]]
    rows = " ".join(f'c{number}: customer(id: "{id_}") {{ id }}' for number, id_ in enumerate(ids))

    with recorded() as statements:
        answer = filled.client.data(f"{{ {rows} }}")

    assert [row["id"] for row in answer.values()] == ids
    assert len(statements) == 1


def test_a_statement_of_postgresql_reads_a_bounded_number_of_lists(
    filled: Tenant, general: GraphQLClient, database_url: str
) -> None:
    query = f"{{ customers {{ nodes {{ {WIDE} }} }} }}"

    with recorded() as statements:
        answer = filled.client.data(query)

    assert len(statements) == (3 if is_postgresql(database_url) else MAX_BATCHES + 6)
    assert answer == general.data(query)


def test_a_search_is_planned_for_its_words_and_what_is_below_follows(filled: Tenant, general: GraphQLClient) -> None:
    query = '{ customers(q: "example") { totalCount nodes { name messages(first: 1) { nodes { id } } } } }'

    assert filled.client.data(query) == general.data(query)


def test_nothing_is_read_for_an_id_that_nobody_can_have(filled: Tenant) -> None:
    with recorded() as statements:
        answer = filled.client.data('{ customer(id: "no id") { name messages { nodes { id } } } }')

    assert answer == {"customer": None}
    assert statements == []
