"""The id of a request: in every response, and in the log of its errors."""

import logging
from typing import Any

import httpx
import pytest

import stores
from conftest import MakeServer
from customergraph.settings import Settings
from factories import Tenant
from graphql_client import GraphQLClient

HEADER = "x-request-id"
PROJECT = {"query": "{ project { slug } }"}
ORIGIN = "https://dashboard.example.com"
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "x-request-id"}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The URL of an embedded store alone: these tests are about HTTP."""
    return sqlite_url


@pytest.fixture
def url(serve: MakeServer, database_url: str) -> str:
    return serve(Settings(database_url=database_url, cors_origins=(ORIGIN,)))


def faults(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Return the logged faults; nothing else was logged as an error."""
    logged: list[dict[str, Any]] = []
    for record in caplog.records:
        if record.levelno >= logging.ERROR:
            assert isinstance(record.msg, dict), record.getMessage()
            logged.append(record.msg)
    return logged


def test_a_well_formed_id_of_the_client_is_used(client: GraphQLClient) -> None:
    for id_ in ("a", "7", "d9b2d63d-a233-4123-847a-7e2a1d4a3c5e", "A.b_c:d-1", "x" * 128):
        response = client.http.post("/graphql", json=PROJECT, headers={HEADER: id_})

        assert response.headers.get_list(HEADER) == [id_]


def test_a_malformed_id_is_replaced_by_a_generated_one(client: GraphQLClient) -> None:
    generated = set()
    malformed = ("", "x" * 129, "x" * 60_000, "a b", "a,b", "<script>", 'a"b', "a\\nb", "%0d%0a", "é", "a\tb", "{}")
    for client_id in malformed:
        response = client.http.post("/graphql", json=PROJECT, headers={HEADER.encode(): client_id.encode()})
        (id_,) = response.headers.get_list(HEADER)
        assert len(id_) == 32
        assert id_.isalnum()
        generated.add(id_)

    assert len(generated) == len(malformed)


def test_every_answer_carries_its_id(client: GraphQLClient) -> None:
    http, bad_token = client.http, {"authorization": "Bearer x"}
    http.headers[HEADER] = "mine"

    answers = {
        "an operation": (200, http.post("/graphql", json=PROJECT)),
        "no operation": (400, http.post("/graphql", json=[])),
        "no token": (401, http.post("/graphql", json=PROJECT, headers=bad_token)),
        "an unknown address": (404, http.get("/nothing")),
        "another method": (405, http.delete("/graphql")),
        "no media type": (406, http.post("/graphql", json=PROJECT, headers={"accept": "image/png"})),
        "a large body": (413, http.post("/graphql", json={"query": "x" * 1_048_576})),
        "another content type": (415, http.post("/graphql", content="{}")),
        "a long header": (431, http.post("/graphql", json=PROJECT, headers={"accept": "x," * 2_000})),
        "healthz": (200, http.get("/healthz")),
        "readyz": (200, http.get("/readyz")),
        "GraphiQL": (200, http.get("/graphql", headers={"accept": "text/html"})),
        "GraphiQL's code": (200, http.get("/static/cdn.js")),
        "a preflight": (200, http.options("/graphql", headers={"origin": ORIGIN, **PREFLIGHT})),
        "a preflight of another origin": (
            400,
            http.options("/graphql", headers={"origin": "https://x.org", **PREFLIGHT}),
        ),
    }

    assert {name: (answer.status_code, answer.headers.get_list(HEADER)) for name, (_, answer) in answers.items()} == {
        name: (status, ["mine"]) for name, (status, _) in answers.items()
    }


def test_scripts_of_an_allowed_origin_may_send_and_read_the_id(client: GraphQLClient) -> None:
    preflight = client.http.options("/graphql", headers={"origin": ORIGIN, **PREFLIGHT})
    response = client.http.post("/graphql", json=PROJECT, headers={"origin": ORIGIN})

    assert "x-request-id" in preflight.headers["access-control-allow-headers"].lower()
    assert "x-request-id" in response.headers["access-control-expose-headers"].lower()


FIELD = {"query": "{ customers { nodes { reviews { nodes { id } } } } }"}


@pytest.mark.parametrize(("table", "status"), [("review", 200), ("token", 500)])
def test_a_fault_names_the_id_of_its_request_and_is_logged_once_under_it(
    acme: Tenant, client: GraphQLClient, caplog: pytest.LogCaptureFixture, table: str, status: int
) -> None:
    acme.add_histories(1)
    stores.execute(acme.database_url, f"ALTER TABLE {table} RENAME TO elsewhere")

    response = client.http.post("/graphql", json=FIELD, headers={HEADER: "mine-1", "origin": ORIGIN})

    (error,) = response.json()["errors"]
    assert (response.status_code, response.headers[HEADER]) == (status, "mine-1")
    assert error["extensions"] == {"code": "INTERNAL_SERVER_ERROR", "id": "mine-1"}
    assert "mine-1" in error["message"]
    assert "table" not in response.text
    assert response.headers["access-control-allow-origin"] == ORIGIN
    (fault,) = faults(caplog)
    assert (fault["fault_id"], fault["request_id"]) == ("mine-1", "mine-1")
    assert f"no such table: {table}" in fault["exception"]


def test_a_fault_without_a_client_id_names_the_generated_one(
    acme: Tenant, client: GraphQLClient, caplog: pytest.LogCaptureFixture
) -> None:
    stores.execute(acme.database_url, "ALTER TABLE token RENAME TO elsewhere")

    response: httpx.Response = client.http.get("/graphql", params=PROJECT)

    id_ = response.headers[HEADER]
    assert response.json()["errors"][0]["extensions"]["id"] == id_
    assert [fault["fault_id"] for fault in faults(caplog)] == [id_]
