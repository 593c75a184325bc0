"""Headers of every response, and what scripts of other origins may send and read."""

from pathlib import Path

import httpx
import pytest

import stores
from commands.command import Command
from conftest import MakeServer
from customergraph.settings import Settings
from factories import Tenant

ORIGIN = "https://dashboard.example.com"
USUAL = (
    "authorization content-type x-request-id apollographql-client-name apollographql-client-version"
    " apollo-require-preflight x-apollo-operation-name traceparent tracestate baggage sentry-trace x-requested-with"
).split()
HTML = {"accept": "text/html"}
NEVER_SENT = {
    "https://dashboard.example.com/": "https://dashboard.example.com",
    "https://Dashboard.example.com": "https://dashboard.example.com",
    "HTTPS://dashboard.example.com": "https://dashboard.example.com",
    "https://dashboard.example.com/app": "https://dashboard.example.com",
    "https://dashboard.example.com?x": "https://dashboard.example.com",
    "https://dashboard.example.com:443": "https://dashboard.example.com",
    "http://dashboard.example.com:080": "http://dashboard.example.com",
    "https://user@dashboard.example.com": "https://dashboard.example.com",
    "https://bücher.example": "https://xn--bcher-kva.example",
    "dashboard.example.com": "https://dashboard.example",
    "null": "https://dashboard.example",
    "*": "https://dashboard.example",
    "https://dashboard.example.com:99999": "https://dashboard.example",
}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The URL of an embedded store: the engine makes no difference to headers."""
    return sqlite_url


@pytest.fixture
def embedded(tmp_path: Path, sqlite_url: str) -> Command:
    """The command on an embedded store."""
    return Command(tmp_path, sqlite_url)


def preflight(url: str, *headers: str) -> httpx.Response:
    requested = {"access-control-request-method": "POST", "access-control-request-headers": ",".join(headers)}
    return httpx.options(f"{url}/graphql", headers={"origin": ORIGIN, **requested})


def test_common_clients_headers_are_allowed_to_other_origins(serve: MakeServer, database_url: str) -> None:
    url = serve(Settings(database_url=database_url, cors_origins=(ORIGIN,)))

    assert [name for name in USUAL if preflight(url, name).status_code != 200] == []
    assert preflight(url, *USUAL).status_code == 200
    assert preflight(url, "x-tenant").status_code == 400


def test_the_setting_adds_to_the_allowed_headers(serve: MakeServer, database_url: str) -> None:
    settings = Settings(database_url=database_url, cors_origins=(ORIGIN,), cors_headers="X-Tenant, x-b3")  # type: ignore[arg-type]

    assert preflight(serve(settings), "x-tenant", "x-b3", "authorization").status_code == 200


def test_other_origins_may_read_errors_too(serve: MakeServer, database_url: str) -> None:
    url = serve(Settings(database_url=database_url, cors_origins=(ORIGIN,)))
    tenant = Tenant(url, database_url, "acme")
    stores.execute(database_url, "ALTER TABLE token RENAME TO elsewhere")
    http, headers = tenant.client.http, {"origin": ORIGIN}

    answers = [
        http.post("/graphql", content=b"{", headers=headers),
        http.post("/graphql", json={"query": "{ project { slug } }"}, headers=headers),
        http.get("/nothing", headers=headers),
        http.delete("/graphql", headers=headers),
        http.get("/graphql", headers={**headers, "host": "evil.example"}),
        http.get("/graphql", headers={**headers, "accept-encoding": "*;q=0"}),
    ]

    assert {answer.headers.get("access-control-allow-origin") for answer in answers} == {ORIGIN}
    assert [answer.status_code for answer in answers] == [500, 500, 404, 405, 421, 406]
    tenant.close()


def test_every_response_forbids_content_sniffing(url: str, acme: Tenant) -> None:
    http = acme.client.http
    answers = [
        acme.client.post("{ project { slug } }"),
        acme.client.post("{ nothing }"),
        httpx.get(f"{url}/graphql", headers=HTML),
        http.get("/graphql/", headers=HTML),
        http.get("/static/cdn.css"),
        http.get("/static/missing.js"),
        http.get("/healthz"),
        http.get("/readyz"),
        http.get("/nothing"),
        http.options("/graphql"),
        preflight(url, "authorization"),
    ]

    assert {answer.headers.get("x-content-type-options") for answer in answers} == {"nosniff"}


def test_nothing_is_redirected(acme: Tenant) -> None:
    paths = ("/graphql/", "/healthz/", "/readyz/", "/static", "/static/", "/graphql//", "/nothing/")

    answers = [acme.client.http.get(path, headers=HTML) for path in paths]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 404, 404, 404, 404]
    assert not [answer for answer in answers if "location" in answer.headers]
    assert "GraphiQL" in answers[0].text


@pytest.mark.parametrize("origin", NEVER_SENT)
def test_an_origin_that_no_browser_sends_stops_the_start(embedded: Command, origin: str) -> None:
    line = embedded.inside.refusal("serve", env={"CUSTOMERGRAPH_CORS_ORIGINS": f"{ORIGIN},{origin}"})

    assert line.startswith("setting CUSTOMERGRAPH_CORS_ORIGINS: ")
    assert NEVER_SENT[origin] in line


@pytest.mark.parametrize(
    ("setting", "value"),
    [("HOSTS", "http://gateway.example"), ("HOSTS", "gateway.example:80"), ("HOSTS", "*"), ("CORS_HEADERS", "a b"),
     ("CORS_HEADERS", "*"), ("KEEP_ALIVE", "0"), ("HEAD_LIMIT", "-1")],
)  # fmt: skip
def test_a_setting_that_does_not_fit_stops_the_start(embedded: Command, setting: str, value: str) -> None:
    line = embedded.inside.refusal("serve", env={f"CUSTOMERGRAPH_{setting}": value})

    assert line.startswith(f"setting CUSTOMERGRAPH_{setting}: ")
