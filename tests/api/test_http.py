"""GraphQL over HTTP: responses to well-formed and malformed requests."""

import gzip
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest

import stores
from conftest import MakeServer
from customergraph.settings import Settings
from factories import Tenant
from graphql_client import GraphQLClient
from statements import recorded

PROJECT = "{ project { slug } }"


def refusal(response: httpx.Response) -> tuple[int, str]:
    """Return the status and the code of a response that has only errors."""
    answer = response.json()
    assert "data" not in answer
    error = answer["errors"][0]
    assert error["message"]
    assert "Traceback" not in response.text
    return response.status_code, error["extensions"]["code"]


def test_a_query_is_answered_as_json(acme: Tenant, client: GraphQLClient) -> None:
    response = client.post(PROJECT)

    assert acme.slug == "acme"
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.content.startswith(b'{"data":{"project":{"slug":"acme"}},"extensions":')


def test_the_media_type_of_the_specification_is_used_where_it_is_accepted(client: GraphQLClient) -> None:
    client.http.headers["accept"] = "application/graphql-response+json, application/json;q=0.9"

    fine, broken = client.post(PROJECT), client.post("{ nothing }")

    assert fine.headers["content-type"] == "application/graphql-response+json"
    assert (fine.status_code, broken.status_code) == (200, 400)


def test_queries_may_come_by_get(client: GraphQLClient) -> None:
    query = "query Q($id: ID!) { customer(id: $id) { id } project { slug } }"

    response = client.http.get("/graphql", params={"query": query, "variables": '{"id": 1}', "operationName": "Q"})

    assert response.json()["data"] == {"customer": None, "project": {"slug": "acme"}}


def test_mutations_by_get_are_refused(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer()
    mutation = f"mutation {{ deleteCustomer(id: {id_}) {{ deletedCustomerId }} }}"

    response = client.http.get("/graphql", params={"query": mutation})

    assert refusal(response) == (405, "BAD_REQUEST")
    assert response.headers["allow"] == "POST"
    assert client.data("query Q($id: ID!) { customer(id: $id) { id } }", id=id_)["customer"]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"not json", b"null", b"true", b"1", b'"query"', b"[]", b'[{"query": "{ project { slug } }"}]',
        b"{}", b'{"query": null}', b'{"query": ""}', b'{"query": 7}', b'{"query": "{a}", "variables": []}',
        b'{"query": "{a}", "variables": "x"}', b'{"query": "{a}", "operationName": 1}', b'\xff\xfe{\x00"\x00',
        b'{"query": "\xff"}', b'{"query": "\\ud800"}', b'{"query": NaN}', b"[" * 5000, b"1" * 100_000,
        gzip.compress(b'{"query": "{ project { slug } }"}', mtime=0),
    ],
)  # fmt: skip
def test_a_body_that_is_no_graphql_request_is_refused(client: GraphQLClient, body: bytes) -> None:
    response = client.http.post("/graphql", content=body, headers={"content-type": "application/json"})

    assert refusal(response) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx",
     "application/json; charset=utf-16", "application/json; charset=not-utf-8", "application/json; charset=",
     "application/json; charset=utf-8-sig", "application/json; charset=utf-8; charset=latin-1"],
)  # fmt: skip
def test_another_content_type_is_refused(client: GraphQLClient, content_type: str) -> None:
    body = b'{"query": "{ project { slug } }"}'

    response = client.http.post("/graphql", content=body, headers={"content-type": content_type})

    assert refusal(response) == (415, "BAD_REQUEST")


@pytest.mark.parametrize("parameter", ["charset=UTF-8", "charset=utf8", 'Charset="Utf-8"', 'charset="UTF8"', "x=y"])
def test_json_in_utf_8_may_say_so(client: GraphQLClient, parameter: str) -> None:
    body = '{"query": "{ project { slug } } # é"}'.encode()

    response = client.http.post("/graphql", content=body, headers={"content-type": f"Application/JSON; {parameter}"})

    assert response.json()["data"] == {"project": {"slug": "acme"}}


@pytest.mark.parametrize(
    ("query", "more", "code"),
    [
        ("{", {}, "GRAPHQL_PARSE_FAILED"),
        ("{ project { slug } } }", {}, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("{ project { nothing } }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("query Q($id: ID!) { customer(id: $id) { id } }", {}, "BAD_USER_INPUT"),
        ("query Q($id: ID!) { customer(id: $id) { id } }", {"variables": {"id": None}}, "BAD_USER_INPUT"),
        ("query Q($id: ID!) { customer(id: $id) { id } }", {"variables": {"id": 1.5}}, "BAD_USER_INPUT"),
        ("query Q($id: ID!) { customer(id: $id) { id } }", {"variables": {"id": True}}, "BAD_USER_INPUT"),
        ("query Q($id: ID!) { customer(id: $id) { id } }", {"variables": {"id": {}}}, "BAD_USER_INPUT"),
        ("{ customer { id } }", {}, "GRAPHQL_VALIDATION_FAILED"),
        (PROJECT, {"operationName": "Unknown"}, "OPERATION_RESOLUTION_FAILURE"),
        (f"query A {PROJECT} query B {PROJECT}", {}, "OPERATION_RESOLUTION_FAILURE"),
        (f"query A {PROJECT} query B {PROJECT}", {"operationName": "C"}, "OPERATION_RESOLUTION_FAILURE"),
        ("fragment F on Query { project { slug } }", {}, "OPERATION_RESOLUTION_FAILURE"),
        ("subscription { project { slug } }", {}, "BAD_REQUEST"),
    ],
)
def test_an_operation_that_cannot_run_is_refused_with_a_code_and_no_sql(
    client: GraphQLClient, query: str, more: dict[str, Any], code: str
) -> None:
    with recorded() as statements:
        answer = client.post(query, more.get("variables"), **({k: v for k, v in more.items() if k != "variables"}))

    assert refusal(answer)[1] == code
    assert statements == []


def test_one_of_several_operations_is_run_by_its_name(client: GraphQLClient) -> None:
    document = "query A { project { slug } } query B { project { name } }"

    assert client.post(document, operationName="B").json()["data"] == {"project": {"name": "Acme"}}


def test_a_request_without_a_valid_token_is_refused(url: str) -> None:
    for headers in (
        {},
        {"authorization": "Bearer"},
        {"authorization": "Bearer x"},
        {"authorization": "Basic eDp5"},
    ):
        response = httpx.post(f"{url}/graphql", json={"query": PROJECT}, headers=headers)

        assert refusal(response) == (401, "UNAUTHENTICATED")
        assert response.headers["www-authenticate"] == "Bearer"


def test_an_unexpected_error_is_logged_under_an_id_and_the_client_gets_only_the_id(
    acme: Tenant, client: GraphQLClient, caplog: pytest.LogCaptureFixture
) -> None:
    acme.add_histories(1)
    stores.execute(acme.database_url, "ALTER TABLE review RENAME TO elsewhere")

    with caplog.at_level(logging.ERROR):
        answer = client.answer("{ customers { nodes { firstName reviews { nodes { id } } } } }")

    error = answer["errors"][0]
    assert answer["data"] is None
    assert error["extensions"].keys() == {"code", "id"}
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert error["path"] == ["customers", "nodes", 0, "reviews"]
    assert "review" not in error["message"]
    assert error["extensions"]["id"] in caplog.text
    messages = {"sqlite": "no such table: review", "postgresql": 'relation "review" does not exist'}
    assert messages[stores.engine_of(acme.database_url)] in caplog.text


def test_unknown_addresses_and_methods_are_answered_in_json(client: GraphQLClient) -> None:
    assert refusal(client.http.get("/nothing")) == (404, "BAD_REQUEST")
    assert refusal(client.http.delete("/graphql")) == (405, "BAD_REQUEST")


def test_the_process_is_healthy_and_the_store_is_ready(url: str) -> None:
    assert httpx.get(f"{url}/healthz").status_code == 200
    assert httpx.get(f"{url}/readyz").status_code == 200


def test_an_unavailable_store_is_not_ready(serve: MakeServer, tmp_path: Path) -> None:
    address = serve(Settings(database_url=f"sqlite+aiosqlite:///{tmp_path / 'missing' / 'store.db'}"))

    assert httpx.get(f"{address}/healthz").status_code == 200
    assert httpx.get(f"{address}/readyz").status_code == 503
    response = httpx.post(f"{address}/graphql", json={"query": PROJECT}, headers={"authorization": "Bearer x"})
    assert refusal(response) == (503, "STORE_UNAVAILABLE")


def test_responses_over_a_kilobyte_are_compressed_for_clients_that_accept_it(
    acme: Tenant, client: GraphQLClient
) -> None:
    acme.add_customers(*({"first_name": "x" * 100} for _ in range(20)))

    large, small = client.post("{ customers { nodes { name } } }"), client.post(PROJECT)

    assert large.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in small.headers


def test_only_the_origins_of_the_setting_may_read_answers(serve: MakeServer, database_url: str) -> None:
    origin = "https://dashboard.example.com"
    preflight = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }
    closed = serve(Settings(database_url=database_url))
    opened = serve(Settings(database_url=database_url, cors_origins=(origin,)))

    def allowed(url: str, from_origin: str) -> str | None:
        headers: dict[str, str] = dict(
            httpx.options(f"{url}/graphql", headers={"origin": from_origin, **preflight}).headers
        )
        return headers.get("access-control-allow-origin")

    assert allowed(opened, origin) == origin
    assert allowed(opened, "https://evil.example.com") is None
    assert allowed(closed, origin) is None


def test_browsers_get_graphiql_unless_the_setting_forbids_it(serve: MakeServer, database_url: str) -> None:
    html = {"accept": "text/html,application/xhtml+xml"}
    page = httpx.get(f"{serve(Settings(database_url=database_url))}/graphql", headers=html)
    hidden = httpx.get(f"{serve(Settings(database_url=database_url, graphiql=False))}/graphql", headers=html)

    assert page.status_code == 200
    assert "GraphiQL" in page.text
    assert hidden.status_code == 401
