"""Documents that an operator lists are known from the start; by a setting, nothing else is run."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from conftest import MakeServer
from customergraph.settings import Settings
from factories import Tenant

FILE = "query Names {\n  project { name }\n}\n"
APOLLOS = "query Slug { project { slug } }"
RELAYS = "query Zone { project { timezone } }"
UNLISTED = "{ project { uuid } }"
APOLLOS_MANIFEST = {
    "format": "apollo-persisted-query-manifest",
    "version": 1,
    "operations": [{"id": "from-apollo", "name": "Slug", "type": "query", "body": APOLLOS}],
}
# Relay's compiler makes MD5 hashes, graphql-codegen SHA-1 or SHA-256.
RELAYS_ID = "0123456789abcdef0123456789abcdef"
PATHS = ["/graphql", "/graphql/"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a document in each form."""
    documents = tmp_path / "documents"
    (documents / "within").mkdir(parents=True)
    (documents / "within" / "names.graphql").write_text(FILE)
    (documents / "apollo.json").write_text(json.dumps(APOLLOS_MANIFEST))
    (documents / "relay.json").write_text(json.dumps({RELAYS_ID: RELAYS}))
    return documents


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The URL of an embedded store: the engine makes no difference to documents."""
    return sqlite_url


@pytest.fixture
def acme(serve: MakeServer, database_url: str, folder: Path) -> Iterator[Tenant]:
    """A project on a gateway that knows the documents, and runs others too."""
    yield from gateway(serve, Settings(database_url=database_url, documents=str(folder)))


@pytest.fixture
def strict(serve: MakeServer, database_url: str, folder: Path) -> Iterator[Tenant]:
    """A project on a gateway that runs the listed documents alone."""
    settings = Settings(
        database_url=database_url, documents=str(folder), documents_only=True, open_introspection=True, graphiql=False
    )
    yield from gateway(serve, settings)


def gateway(serve: MakeServer, settings: Settings) -> Iterator[Tenant]:
    tenant = Tenant(serve(settings), settings.database_url, "acme")
    yield tenant
    tenant.close()


def send(tenant: Tenant, path: str = "/graphql", **body: Any) -> httpx.Response:
    return tenant.client.http.post(path, json=body)


def persisted(hash_: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": hash_}}


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def project(response: httpx.Response) -> Any:
    assert "errors" not in response.json(), response.text
    return response.json()["data"]["project"]


def code(response: httpx.Response) -> Any:
    return response.json()["errors"][0]["extensions"]["code"]


def test_a_file_is_known_by_the_hash_of_its_text(acme: Tenant) -> None:
    # With the line feed at its end, and without.
    for text in (FILE, FILE.strip()):
        assert project(send(acme, extensions=persisted(digest(text)))) == {"name": "Acme"}
        assert project(send(acme, documentId=f"sha256:{digest(text)}")) == {"name": "Acme"}


def test_the_documents_of_manifests_are_known_by_their_ids(acme: Tenant) -> None:
    assert project(send(acme, documentId="from-apollo")) == {"slug": "acme"}
    assert project(send(acme, extensions=persisted("from-apollo"))) == {"slug": "acme"}
    assert project(send(acme, documentId=RELAYS_ID)) == {"timezone": "UTC"}
    assert project(send(acme, documentId=digest(RELAYS))) == {"timezone": "UTC"}


def test_other_documents_are_run_too(acme: Tenant) -> None:
    assert project(send(acme, query=UNLISTED, extensions=persisted(digest(UNLISTED)))).keys() == {"uuid"}
    assert project(send(acme, extensions=persisted(digest(UNLISTED)))).keys() == {"uuid"}


@pytest.mark.parametrize("path", PATHS)
def test_by_the_setting_no_other_document_is_run(strict: Tenant, path: str) -> None:
    refused = [
        send(strict, path, query=UNLISTED),
        send(strict, path, query="{ __schema { queryType { name } } }"),
        send(strict, path, query=f"{FILE}#"),
        send(strict, path, query="{"),
        send(strict, path, extensions=persisted(digest(UNLISTED))),
        send(strict, path, documentId="unknown"),
        strict.client.http.get(path, params={"query": UNLISTED}),
    ]

    assert {(response.status_code, code(response)) for response in refused} == {(200, "PERSISTED_QUERY_NOT_IN_LIST")}
    assert all(response.json()["extensions"]["cost"]["requested"] == 0 for response in refused)


def test_by_the_setting_no_document_can_be_added(strict: Tenant) -> None:
    sent = send(strict, query=UNLISTED, extensions=persisted(digest(UNLISTED)))

    assert code(sent) == code(send(strict, extensions=persisted(digest(UNLISTED)))) == "PERSISTED_QUERY_NOT_IN_LIST"


def test_by_the_setting_a_listed_document_is_run_by_its_id_and_as_a_text(strict: Tenant) -> None:
    assert project(send(strict, documentId="from-apollo")) == {"slug": "acme"}
    assert project(send(strict, query=APOLLOS)) == {"slug": "acme"}
    assert project(send(strict, query=APOLLOS, extensions=persisted(digest(APOLLOS)))) == {"slug": "acme"}
    assert project(strict.client.http.get("/graphql", params={"documentId": "from-apollo"})) == {"slug": "acme"}


def test_the_status_of_a_refusal_is_that_of_its_media_type(strict: Tenant) -> None:
    strict.client.http.headers["accept"] = "application/graphql-response+json"

    assert send(strict, query=UNLISTED).status_code == 400
