"""Whose token it is: `GET /graphql/token`."""

import re
from datetime import timedelta

import httpx

from conftest import MakeServer
from customergraph.domain import timestamps
from customergraph.domain.principal import Scope
from customergraph.settings import Settings
from factories import Tenant


def get(url: str, token: str | None = None) -> httpx.Response:
    return httpx.get(f"{url}/graphql/token", headers={"authorization": f"Bearer {token}"} if token else {})


def test_the_answer_names_the_project_and_the_scopes(url: str, acme: Tenant) -> None:
    token = acme.token_with(Scope.WRITE, Scope.READ)

    response = get(url, token)

    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    body = response.json()
    assert body.pop("name").startswith("test ")
    assert body == {
        "prefix": token[:12],
        "scopes": ["read", "write"],
        "expiresAt": None,
        "project": {"name": "Acme", "slug": "acme", "timezone": "UTC"},
    }


def test_the_answer_has_the_end_of_the_token(url: str, acme: Tenant) -> None:
    token = acme.token_with(Scope.READ, expires_at=timestamps.now() + timedelta(days=1))

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", get(url, token).json()["expiresAt"])


def test_a_token_needs_no_scope_for_it(url: str, acme: Tenant) -> None:
    assert get(url, acme.token_with(Scope.DELETE)).json()["scopes"] == ["delete"]


def test_without_a_valid_token_the_answer_is_the_usual_error(url: str, acme: Tenant) -> None:
    revoked = acme.token_with(Scope.READ)
    acme.revoke(revoked)

    for response in (get(url), get(url, "cg_unknown"), get(url, revoked)):
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"
        assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def test_it_is_charged_to_the_tokens_bucket(serve: MakeServer, sqlite_url: str) -> None:
    url = serve(Settings(database_url=sqlite_url, bucket_size=2, cost_limit=2, bucket_refill=1))
    tenant = Tenant(url, sqlite_url, "acme")
    token = tenant.token_with(Scope.READ)

    statuses = [get(url, token).status_code for _ in range(4)]

    tenant.close()
    assert statuses[:2] == [200, 200]
    assert 429 in statuses[2:]
