"""Automatic persisted queries, as Apollo's protocol has them: a client sends a hash, and the text only if it must."""

from hashlib import sha256
from typing import Any

import httpx
import pytest

from conftest import MakeTenant
from customergraph.domain.principal import Scope
from factories import Tenant
from graphql_client import GraphQLClient

QUERY = "query Q($slug: Boolean = true) { project { name slug @include(if: $slug) } }"
NOT_FOUND = {"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}
# The usual way in, and Starlette's.
PATHS = ["/graphql", "/graphql/"]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The URL of an embedded store: the engine makes no difference to documents."""
    return sqlite_url


@pytest.fixture(params=PATHS)
def path(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def hashed(text: str, **more: Any) -> dict[str, Any]:
    """Return the parameters of a request that sends a hash alone."""
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha256(text.encode()).hexdigest()}}, **more}


def by_get(client: GraphQLClient, text: str, **parameters: str) -> httpx.Response:
    hash_ = sha256(text.encode()).hexdigest()
    extensions = f'{{"persistedQuery":{{"version":1,"sha256Hash":"{hash_}"}}}}'
    return client.http.get("/graphql", params={"extensions": extensions, **parameters})


def send(client: GraphQLClient, body: dict[str, Any], path: str = "/graphql") -> httpx.Response:
    return client.http.post(path, json=body)


def errors(response: httpx.Response) -> Any:
    return response.json().get("errors")


def code(response: httpx.Response) -> Any:
    return errors(response)[0]["extensions"]["code"]


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
def test_an_unknown_hash_is_answered_as_clients_expect(client: GraphQLClient, path: str, accept: str) -> None:
    client.http.headers["accept"] = accept

    for response in (send(client, hashed(QUERY), path), by_get(client, QUERY)):
        assert (response.status_code, errors(response)) == (200, [NOT_FOUND])
        assert response.headers["cache-control"] == "no-store"


def test_a_document_that_came_with_its_hash_is_known_by_it(client: GraphQLClient, path: str) -> None:
    first = send(client, hashed(QUERY, query=QUERY), path)

    by_post = send(client, hashed(QUERY, variables={"slug": False}), path)

    assert first.json()["data"] == {"project": {"name": "Acme", "slug": "acme"}}
    assert by_post.json()["data"] == {"project": {"name": "Acme"}}
    assert by_get(client, QUERY, operationName="Q").json()["data"] == first.json()["data"]


def test_a_document_can_be_sent_by_get(client: GraphQLClient) -> None:
    by_get(client, QUERY, query=QUERY)

    assert by_get(client, QUERY).json()["data"]["project"]["slug"] == "acme"


def test_a_wrong_hash_is_refused_and_nothing_is_kept(client: GraphQLClient, path: str) -> None:
    other = "{ project { name } }"

    refused = send(client, hashed(other, query=QUERY), path)

    assert (refused.status_code, code(refused)) == (400, "PERSISTED_QUERY_HASH_MISMATCH")
    assert errors(refused)[0]["message"].startswith("provided sha does not match query")
    assert [errors(send(client, hashed(text), path)) for text in (other, QUERY)] == [[NOT_FOUND]] * 2


@pytest.mark.parametrize(
    "text", ["{ project { nothing } }", "{ project {", "mutation { archiveCustomer(id: 1) { userErrors { code } } }"]
)
def test_a_document_that_may_not_run_is_not_kept(acme: Tenant, text: str) -> None:
    reader = acme.client_with(Scope.READ)

    assert errors(send(reader, hashed(text, query=text)))

    assert errors(send(reader, hashed(text))) == [NOT_FOUND]


def test_another_project_does_not_learn_what_a_project_sends(make_tenant: MakeTenant) -> None:
    acme, globex = make_tenant("acme"), make_tenant("globex")
    send(acme.client, hashed(QUERY, query=QUERY))

    assert errors(send(globex.client, hashed(QUERY))) == [NOT_FOUND]
    assert errors(send(acme.client_with(Scope.READ), hashed(QUERY))) is None


def test_a_mutation_is_run_by_its_hash_but_not_by_get(client: GraphQLClient) -> None:
    text = "mutation M($id: ID!) { archiveCustomer(id: $id) { userErrors { code } } }"
    send(client, hashed(text, query=text, variables={"id": "999"}))

    again = send(client, hashed(text, variables={"id": "999"}))
    refused = by_get(client, text, variables='{"id":"999"}')

    assert again.json()["data"]["archiveCustomer"]["userErrors"] == [{"code": "NOT_FOUND"}]
    assert (refused.status_code, code(refused)) == (405, "BAD_REQUEST")


def test_another_version_of_the_protocol_is_not_supported(client: GraphQLClient, path: str) -> None:
    body = hashed(QUERY, query=QUERY)
    body["extensions"]["persistedQuery"]["version"] = 2

    refused = send(client, body, path)

    assert (refused.status_code, code(refused)) == (200, "PERSISTED_QUERY_NOT_SUPPORTED")
    # Apollo Client compares it.
    assert errors(refused)[0]["message"] == "PersistedQueryNotSupported"


@pytest.mark.parametrize("persisted", [7, [], {}, {"version": 1}, {"version": 1, "sha256Hash": 7}], ids=str)
def test_what_is_no_hash_is_no_request(client: GraphQLClient, path: str, persisted: Any) -> None:
    refused = send(client, {"query": QUERY, "extensions": {"persistedQuery": persisted}}, path)

    assert (refused.status_code, code(refused)) == (400, "BAD_REQUEST")


def test_without_a_token_a_hash_is_not_looked_for(client: GraphQLClient, url: str, path: str) -> None:
    send(client, hashed(QUERY, query=QUERY))
    anonymous = GraphQLClient(url, None)

    refused = send(anonymous, hashed(QUERY), path)

    assert (refused.status_code, code(refused)) == (401, "UNAUTHENTICATED")
    anonymous.close()


def test_the_draft_s_parameter_names_a_document_too(client: GraphQLClient, path: str) -> None:
    send(client, hashed(QUERY, query=QUERY), path)
    id_ = f"sha256:{sha256(QUERY.encode()).hexdigest()}"

    assert send(client, {"documentId": id_}, path).json()["data"]["project"]["slug"] == "acme"
    assert client.http.get("/graphql", params={"documentId": id_}).json()["data"]["project"]["slug"] == "acme"
    assert errors(send(client, {"documentId": "sha256:0"}, path)) == [NOT_FOUND]
    for body in ({"documentId": 7}, {"documentId": id_, "query": QUERY}):
        assert send(client, body, path).status_code == 400


def test_a_project_that_sends_too_many_documents_pushes_out_its_own_alone(make_tenant: MakeTenant) -> None:
    acme, globex = make_tenant("acme"), make_tenant("globex")
    send(globex.client, hashed(QUERY, query=QUERY))
    texts = [f"{{ project {{ slug }} }} #{number:0>90000}" for number in range(95)]

    for text in texts:
        assert errors(send(acme.client, hashed(text, query=text))) is None

    assert errors(send(acme.client, hashed(texts[0]))) == [NOT_FOUND]
    assert errors(send(acme.client, hashed(texts[-1]))) is None
    assert errors(send(globex.client, hashed(QUERY))) is None
