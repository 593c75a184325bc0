"""Introspection: for clients with a token, and for all clients where a setting opens it."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from graphql import build_client_schema, get_introspection_query, print_schema

from conftest import MakeServer
from customergraph.schema.schema import executable
from customergraph.settings import Settings
from factories import Tenant
from graphql_client import GraphQLClient
from statements import recorded

TYPES = "{ __schema { types { name } } }"
# The largest introspection query that tools send; the one of GraphiQL is smaller.
WHOLE = get_introspection_query(
    descriptions=True,
    specified_by_url=True,
    directive_is_repeatable=True,
    schema_description=True,
    input_value_deprecation=True,
)
OF_THE_SCHEMA = (
    TYPES,
    WHOLE,
    "{ __typename }",
    '{ __type(name: "Customer") { name fields { name } } }',
    "query A { slug: __typename ...F } fragment F on Query { ... { __schema { queryType { name } } } }",
)
OF_A_PROJECT = (
    "{ project { slug } }",
    "{ __typename project { slug } }",
    "{ __schema: project { slug } }",
    "{ __typename ...F } fragment F on Query { project { slug } }",
    "{ ...__schema } fragment __schema on Query { project { slug } }",
    "{ ... { ... on Query { ...A } } } fragment A on Query { __typename ...B } fragment B on Query { tags { slug } }",
    "{ __schema { types { name } } project @skip(if: true) { slug } }",
    "query($no: Boolean = false) { __typename tags @include(if: $no) { slug } }",
    '{ __typename node(id: "x") { id } }',
)
MUTATION = "mutation { __typename deleteCustomer(id: %d) { __typename } }"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The URL of an embedded store alone: these requests never reach the store."""
    return sqlite_url


@pytest.fixture
def opened_url(serve: MakeServer, database_url: str) -> str:
    """The address of a gateway with open introspection."""
    return serve(Settings(database_url=database_url, open_introspection=True))


@pytest.fixture
def anonymous(opened_url: str) -> Iterator[GraphQLClient]:
    """A client without a token, of a gateway with open introspection."""
    client = GraphQLClient(opened_url, None)
    yield client
    client.close()


def is_unauthenticated(response: httpx.Response) -> bool:
    (error,) = response.json()["errors"]
    assert (response.status_code, error["extensions"]) == (401, {"code": "UNAUTHENTICATED"})
    assert response.headers["www-authenticate"] == "Bearer"
    return "data" not in response.json()


def test_without_a_token_the_schema_is_hidden(url: str) -> None:
    for query in (*OF_THE_SCHEMA, *OF_A_PROJECT):
        assert is_unauthenticated(httpx.post(f"{url}/graphql", json={"query": query}))


def test_where_it_is_open_the_schema_is_shown_without_a_token_and_without_sql(anonymous: GraphQLClient) -> None:
    with recorded() as statements:
        for query in OF_THE_SCHEMA:
            by_post = anonymous.post(query)
            by_get = anonymous.http.get("/graphql", params={"query": query})

            assert (by_post.status_code, by_get.status_code) == (200, 200)
            assert by_post.json()["data"] == by_get.json()["data"] == anonymous.data(query)

    assert statements == []


def test_where_it_is_open_graphiql_needs_no_token(anonymous: GraphQLClient) -> None:
    # Its headers editor begins with the scheme alone.
    for authorization in ("Bearer", "bearer", ""):
        response = anonymous.http.post("/graphql", json={"query": WHOLE}, headers={"authorization": authorization})

        assert response.json()["data"]["__schema"]["types"]


def test_where_it_is_open_other_fields_still_need_a_token(anonymous: GraphQLClient) -> None:
    with recorded() as statements:
        for query in OF_A_PROJECT:
            assert is_unauthenticated(anonymous.post(query))
            assert is_unauthenticated(anonymous.http.get("/graphql", params={"query": query}))

    assert statements == []


def test_where_it_is_open_only_the_operation_that_runs_is_checked(anonymous: GraphQLClient) -> None:
    document = "query Open { __typename } query Closed { project { slug } }"

    assert anonymous.post(document, operationName="Open").json()["data"] == {"__typename": "Query"}
    assert is_unauthenticated(anonymous.post(document, operationName="Closed"))
    assert anonymous.post(document).json()["errors"][0]["extensions"]["code"] == "OPERATION_RESOLUTION_FAILURE"


def test_where_it_is_open_mutations_still_need_a_token(acme: Tenant, anonymous: GraphQLClient) -> None:
    id_ = acme.add_customer()

    assert is_unauthenticated(anonymous.post(MUTATION % id_))

    assert len(acme.rows()["customer"]) == 1


def test_where_it_is_open_a_bad_token_is_still_refused(anonymous: GraphQLClient) -> None:
    for bad in ("Bearer x", "Basic eDp5", "x", "Bearer cg_unknown", "Bearer\tx", "Token"):
        for query in (TYPES, OF_A_PROJECT[0]):
            response = anonymous.http.post("/graphql", json={"query": query}, headers={"authorization": bad})

            assert is_unauthenticated(response), bad


def test_where_it_is_open_a_token_reads_its_project(acme: Tenant, anonymous: GraphQLClient) -> None:
    anonymous.http.headers["authorization"] = acme.client.http.headers["authorization"]

    assert anonymous.data("{ __typename project { slug } }") == {"__typename": "Query", "project": {"slug": "acme"}}


def test_the_whole_schema_fits_within_the_default_limits_and_is_the_schema(client: GraphQLClient) -> None:
    answer: dict[str, Any] = client.answer(WHOLE)

    assert "errors" not in answer
    assert print_schema(build_client_schema(answer["data"])) == print_schema(executable)
    assert answer["extensions"]["cost"]["requested"] <= answer["extensions"]["cost"]["limit"] / 2


def test_the_schema_may_be_read_again_and_again(serve: MakeServer, acme: Tenant, database_url: str) -> None:
    # A bucket that is hardly larger than the cost of the query, and is hardly refilled.
    requested = acme.client.answer(WHOLE)["extensions"]["cost"]["requested"]
    narrow = GraphQLClient(
        serve(Settings(database_url=database_url, bucket_size=requested + 5_000, bucket_refill=1)),
        acme.client.http.headers["authorization"].removeprefix("Bearer "),
    )

    answers = [narrow.post(WHOLE).status_code for _ in range(4)]

    narrow.close()
    assert answers == [200] * 4


def test_directives_have_only_the_locations_of_the_specification(client: GraphQLClient) -> None:
    directives = client.data("{ __schema { directives { name locations } } }")["__schema"]["directives"]

    # Clients cannot read a schema with a location that they do not know.
    assert {directive["name"]: directive["locations"] for directive in directives} == {
        "include": ["FIELD", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"],
        "skip": ["FIELD", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"],
        "deprecated": ["FIELD_DEFINITION", "ARGUMENT_DEFINITION", "INPUT_FIELD_DEFINITION", "ENUM_VALUE"],
        "specifiedBy": ["SCALAR"],
        "oneOf": ["INPUT_OBJECT"],
    }


def test_every_custom_scalar_names_its_specification(client: GraphQLClient) -> None:
    types = client.data("{ __schema { types { name kind specifiedByURL } } }")["__schema"]["types"]

    urls = {type_["name"]: type_["specifiedByURL"] for type_ in types if type_["kind"] == "SCALAR"}
    assert {name: url for name, url in urls.items() if url} == {
        "BigInt": "https://www.rfc-editor.org/rfc/rfc8259#section-6",
        "Date": "https://www.rfc-editor.org/rfc/rfc3339#section-5.6",
        "DateTime": "https://www.rfc-editor.org/rfc/rfc3339#section-5.6",
        "UUID": "https://www.rfc-editor.org/rfc/rfc9562",
    }
    assert {name for name, url in urls.items() if not url} == {"Boolean", "Float", "ID", "Int", "String"}
