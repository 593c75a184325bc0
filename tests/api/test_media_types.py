"""Media types of requests and responses (GraphQL over HTTP; RFC 9110, section 12)."""

from typing import Any

import httpx
import pytest

from customergraph.web.media_types import GRAPHQL_JSON, JSON, LONGEST_ACCEPT
from factories import Tenant
from graphql_client import GraphQLClient

PROJECT = "{ project { slug } }"
CHOSEN = {
    "": JSON,
    ",": JSON,
    "*/*": JSON,
    "application/*": JSON,
    "application/json": JSON,
    "APPLICATION/JSON": JSON,
    "application/json; charset=utf-8": JSON,
    "application/graphql-response+json": GRAPHQL_JSON,
    "Application/GraphQL-Response+JSON;q=0.1": GRAPHQL_JSON,
    # By order.
    "application/json, application/graphql-response+json": JSON,
    "application/graphql-response+json, application/json": GRAPHQL_JSON,
    "application/graphql-response+json, */*": GRAPHQL_JSON,
    "text/html, application/graphql-response+json, application/json": GRAPHQL_JSON,
    # By weight, which goes before order.
    "application/graphql-response+json;q=0.5, application/json": JSON,
    "application/json;q=0.5, application/graphql-response+json": GRAPHQL_JSON,
    "application/json ; q=0.8 , application/graphql-response+json ; q=0.9": GRAPHQL_JSON,
    "application/json;q=0.001, text/html": JSON,
    "application/graphql-response+json;Q=0.2, application/json;Q=0.3": JSON,
    # The most specific range applies to a type, wherever it stands.
    "*/*, application/json;q=0": GRAPHQL_JSON,
    "application/*;q=0.1, application/json;q=0, */*": GRAPHQL_JSON,
    "application/json;q=0.5, */*": GRAPHQL_JSON,
    "*/*;q=0.1, application/graphql-response+json;q=0.05": JSON,
    # A range with an invalid weight is ignored.
    "application/graphql-response+json;q=much, application/json;q=0.1": JSON,
    "application/graphql-response+json;q=nan, application/json;q=0.1": JSON,
    # The headers of urql, of Apollo, and of a browser's fetch.
    "application/graphql-response+json, application/graphql+json, application/json, text/event-stream,"
    " multipart/mixed": GRAPHQL_JSON,
    "multipart/mixed;deferSpec=20220824, application/graphql-response+json, application/json;q=0.9": GRAPHQL_JSON,
    "application/json, text/plain, */*": JSON,
}
NOT_ACCEPTABLE = (
    "text/plain",
    "text/*",
    "application/xml, text/event-stream;q=0",
    "application/json;q=0",
    "*/*;q=0",
    "application/*;q=0, text/xml",
    "*/*, application/*;q=0",
    "application/graphql+json",
    "json",
)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The URL of an embedded store alone: these tests are about HTTP."""
    return sqlite_url


def code(response: httpx.Response) -> str:
    code: str = response.json()["errors"][0]["extensions"]["code"]
    return code


def test_the_media_type_is_chosen_by_the_weight_and_the_order_of_accept(client: GraphQLClient) -> None:
    query = {"query": PROJECT}

    answers = {accept: client.http.post("/graphql", json=query, headers={"accept": accept}) for accept in CHOSEN}

    assert {accept: answer.headers["content-type"] for accept, answer in answers.items()} == CHOSEN
    assert {answer.status_code for answer in answers.values()} == {200}


def test_a_client_that_accepts_neither_media_type_is_refused(client: GraphQLClient) -> None:
    parameters = {"query": PROJECT}
    for accept in NOT_ACCEPTABLE:
        for response in (
            client.http.get("/graphql", params=parameters, headers={"accept": accept}),
            client.http.post("/graphql", json=parameters, headers={"accept": accept}),
        ):
            assert (accept, response.status_code, code(response)) == (accept, 406, "BAD_REQUEST")
            assert response.headers["content-type"] == JSON


def test_several_accept_headers_are_one_list(client: GraphQLClient) -> None:
    for lines in (("text/html", GRAPHQL_JSON), (f"{JSON};q=0.5", GRAPHQL_JSON), (GRAPHQL_JSON, JSON)):
        headers = [("accept", line) for line in lines]
        response = client.http.post("/graphql", json={"query": PROJECT}, headers=headers)

        assert (response.status_code, response.headers["content-type"]) == (200, GRAPHQL_JSON)


def test_an_accept_header_is_read_up_to_its_limit(client: GraphQLClient) -> None:
    longest = f"{GRAPHQL_JSON}{',text/html' * 1_000}"[:LONGEST_ACCEPT]

    fits, too_long = (
        client.http.post("/graphql", json={"query": PROJECT}, headers={"accept": accept})
        for accept in (longest, f"{longest}x")
    )

    assert (fits.status_code, fits.headers["content-type"]) == (200, GRAPHQL_JSON)
    assert (too_long.status_code, too_long.headers["content-type"]) == (431, JSON)
    assert "2,000" in too_long.json()["errors"][0]["message"]


OF_THE_DOCUMENT: dict[str, dict[str, Any]] = {
    "GRAPHQL_PARSE_FAILED": {"query": "{"},
    "GRAPHQL_VALIDATION_FAILED": {"query": "{ nothing }"},
    "BAD_USER_INPUT": {"query": "query($id: ID!) { customer(id: $id) { id } }"},
    "OPERATION_RESOLUTION_FAILURE": {"query": PROJECT, "operationName": "Other"},
    "LIMIT_EXCEEDED": {"query": "{" + "a " * 5_000 + "}"},
}


def test_a_refused_document_is_400_in_the_media_type_of_graphql(client: GraphQLClient) -> None:
    for refused, parameters in OF_THE_DOCUMENT.items():
        old, new = (
            client.http.post("/graphql", json=parameters, headers={"accept": accept}) for accept in (JSON, GRAPHQL_JSON)
        )

        assert (old.status_code, code(old)) == (200, refused)
        assert (new.status_code, code(new)) == (400, refused)
        assert old.content == new.content


def test_what_http_refuses_has_one_status_in_both_media_types(client: GraphQLClient) -> None:
    for accept in (JSON, GRAPHQL_JSON):
        client.http.headers["accept"] = accept
        answers = {
            400: client.http.post("/graphql", json=[]),
            401: client.http.post("/graphql", json={"query": PROJECT}, headers={"authorization": "Bearer x"}),
            404: client.http.post("/other", json={"query": PROJECT}),
            405: client.http.put("/graphql", json={"query": PROJECT}),
            413: client.http.post("/graphql", json={"query": "x" * 2_000_000}),
            415: client.http.post("/graphql", content=PROJECT, headers={"content-type": "application/graphql"}),
        }

        assert [answer.status_code for answer in answers.values()] == list(answers)
        assert {answer.headers["content-type"] for answer in answers.values()} == {accept}
        assert set(answers[405].headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}


def test_a_field_that_fails_is_200_in_both_media_types(client: GraphQLClient) -> None:
    for accept in (JSON, GRAPHQL_JSON):
        client.http.headers["accept"] = accept
        response = client.post("{ customers(first: 0) { totalCount } }")

        assert (response.status_code, response.json()["data"], code(response)) == (200, None, "BAD_USER_INPUT")


def test_head_returns_the_headers_of_get(client: GraphQLClient) -> None:
    parameters = {"query": PROJECT}

    get, head = client.http.get("/graphql", params=parameters), client.http.head("/graphql", params=parameters)

    differing = ("x-request-id", "date")
    assert head.content == b""
    assert head.status_code == get.status_code == 200
    assert [pair for pair in head.headers.items() if pair[0] not in differing] == [
        pair for pair in get.headers.items() if pair[0] not in differing
    ]


def test_mutations_run_only_as_json_by_post(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer()
    mutation = f"mutation {{ deleteCustomer(id: {id_}) {{ deletedCustomerId }} }}"
    form = {"query": mutation}
    spread: dict[str, Any] = {"operations": (None, f'{{"query": "{mutation}"}}'), "map": (None, "{}"), "0": ("a", b"a")}

    answers = {
        "by HEAD": client.http.head("/graphql", params=form),
        "by GET, with a body": client.http.request("GET", "/graphql", params=form, json=form),
        "in the address of a POST": client.http.post("/graphql", params=form, json={}),
        "urlencoded": client.http.post("/graphql", data=form),
        "multipart": client.http.post("/graphql", files=spread),
        "as plain text": client.http.post("/graphql", content=mutation, headers={"content-type": "text/plain"}),
        "as GraphQL": client.http.post("/graphql", content=mutation, headers={"content-type": "application/graphql"}),
        "in a batch": client.http.post("/graphql", json=[form, form]),
        "by PUT": client.http.put("/graphql", json=form),
    }

    assert {name: answer.status_code for name, answer in answers.items()} == {
        "by HEAD": 405,
        "by GET, with a body": 405,
        "in the address of a POST": 400,
        "urlencoded": 415,
        "multipart": 415,
        "as plain text": 415,
        "as GraphQL": 415,
        "in a batch": 400,
        "by PUT": 405,
    }
    assert client.data("query Q($id: ID!) { customer(id: $id) { databaseId } }", id=id_)["customer"]


NO_REQUESTS: tuple[dict[str, str], ...] = (
    {},
    {"query": ""},
    {"query": " "},
    {"query": PROJECT, "variables": "{"},
    {"query": PROJECT, "variables": "[]"},
    {"query": PROJECT, "variables": "NaN"},
    {"query": PROJECT, "variables": "1" * 5_000},
    {"query": PROJECT, "variables": "[" * 5_000},
    {"query": PROJECT, "extensions": "x"},
    {"query": PROJECT, "extensions": "[]"},
)


def test_a_url_that_is_no_graphql_request_is_refused(client: GraphQLClient) -> None:
    for parameters in NO_REQUESTS:
        response = client.http.get("/graphql", params=parameters)

        assert (response.status_code, code(response)) == (400, "BAD_REQUEST"), parameters


def test_a_charset_and_a_content_type_are_read_in_any_case(client: GraphQLClient) -> None:
    body = b'{"query": "{ project { slug } }"}'
    for content_type in ("Application/JSON", 'application/json;charset="UTF-8"', "application/json ;charset=utf-8"):
        response = client.http.post("/graphql", content=body, headers={"content-type": content_type})

        assert response.json()["data"] == {"project": {"slug": "acme"}}


def test_an_encoded_body_is_refused_unread(client: GraphQLClient) -> None:
    for encoding in ("gzip", "deflate", "br", "zstd", "identity, gzip", "aes128gcm"):
        headers = {"content-encoding": encoding, "content-type": JSON}
        response = client.http.post("/graphql", content=b'{"query": "{ project { slug } }"}', headers=headers)

        assert (response.status_code, code(response)) == (415, "BAD_REQUEST"), encoding


def test_no_cache_stores_an_answer(client: GraphQLClient) -> None:
    for authorization in (client.http.headers["authorization"], "Bearer x"):
        client.http.headers["authorization"] = authorization
        response = client.http.get("/graphql", params={"query": PROJECT})

        assert response.headers["cache-control"] == "no-store"
        assert "Accept" in response.headers["vary"].split(", ")
