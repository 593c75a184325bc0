"""Tokens, their scopes, and what each scope allows (contract, section 1)."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

import stores
from conftest import MakeServer, MakeTenant
from customergraph.domain.principal import Scope
from customergraph.settings import Settings
from customergraph.store import access
from customergraph.store.database import Database, embedded_path
from factories import Tenant
from graphql_client import GraphQLClient
from mutations import ARGUMENTS, CREATE, on_customer
from statements import recorded, recorded_look_ups

QUERY = {"query": "{ project { slug } }"}


def send(tenant: Tenant, authorization: str | None, **body: Any) -> httpx.Response:
    headers = {} if authorization is None else {"Authorization": authorization}
    return httpx.post(f"{tenant.base_url}/graphql", json=body or QUERY, headers=headers)


def assert_unauthenticated(response: httpx.Response) -> None:
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert [error["extensions"] for error in response.json()["errors"]] == [{"code": "UNAUTHENTICATED"}]
    assert "data" not in response.json()


def stored_token(tenant: Tenant, token: str) -> dict[str, Any]:
    """Return the row of a token."""
    columns = "sha256 prefix name scopes project_id revoked_at last_used_at".split()
    rows = stores.rows(
        tenant.database_url,
        f"SELECT {', '.join(columns)} FROM token WHERE prefix = :prefix",  # noqa: S608 - ours
        prefix=token[: access.PREFIX_LENGTH],
    )
    return dict(zip(columns, rows[0], strict=True))


def last_used_at(tenant: Tenant, token: str) -> str | None:
    time_stamp: str | None = stored_token(tenant, token)["last_used_at"]
    return time_stamp


def wait_for_last_use(tenant: Tenant, token: str) -> str:
    """Wait for `last_used_at`, which is written after the answer."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if (time_stamp := last_used_at(tenant, token)) is not None:
            return time_stamp
        time.sleep(0.01)
    raise AssertionError("the last use of the token was not written")


def client_without(tenant: Tenant, scope: Scope) -> GraphQLClient:
    return tenant.client_with(*(other for other in Scope if other is not scope))


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_mutation_without_its_scope_is_forbidden_and_changes_nothing(acme: Tenant, name: str) -> None:
    scope = Scope.DELETE if name == "deleteCustomer" else Scope.WRITE
    id_ = acme.add_customer(notes="old")
    acme.add_messages({"customer_id": id_})
    acme.tag(id_, *acme.add_tags("vip"))
    client = client_without(acme, scope)
    before = acme.rows()
    # An unknown customer answers the same: a token without the scope learns nothing.
    answers = [client.answer(on_customer(name), id=argument) for argument in (id_, id_ + 1, "x")]
    assert not any("data" in answer for answer in answers)
    assert [[error["extensions"]["code"] for error in answer["errors"]] for answer in answers] == [["FORBIDDEN"]] * 3
    assert all(scope in answer["errors"][0]["message"] for answer in answers)
    assert acme.rows() == before


def test_creating_without_the_scope_is_forbidden_and_adds_nothing(acme: Tenant) -> None:
    for values in ({"firstName": "Ada"}, {"firstName": ""}):
        assert client_without(acme, Scope.WRITE).code(CREATE, input=values) == "FORBIDDEN"
    assert acme.rows()["customer"] == []


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_forbidden_mutation_runs_no_statement_but_the_look_up_of_the_token(acme: Tenant, name: str) -> None:
    client = acme.client_with(Scope.READ)
    with recorded() as statements:
        assert client.code(on_customer(name), id=acme.project_id) == "FORBIDDEN"
    assert statements == []


def test_a_query_without_the_scope_runs_no_statement_but_the_look_up_of_the_token(acme: Tenant) -> None:
    acme.add_histories(1)
    client = client_without(acme, Scope.READ)
    for query in (
        QUERY["query"],
        "{ customers { totalCount } tags { slug } }",
        "{ __typename }",
        "{ __schema { queryType { name } } }",
    ):
        with recorded() as statements:
            answer = client.answer(query)
        assert answer.get("data") is None
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
        assert statements == []


def test_the_scope_of_a_mutation_covers_its_payload(acme: Tenant) -> None:
    id_ = acme.add_histories(1)[0]
    selection = "customer { name location { slug } messages { nodes { customer { tags { slug } } } } }"
    payload = acme.client_with(Scope.WRITE).data(on_customer("archiveCustomer", selection), id=id_)
    assert len(payload["archiveCustomer"]["customer"]["messages"]["nodes"]) == 3


def test_deleting_needs_only_the_scope_delete(acme: Tenant) -> None:
    id_ = acme.add_customer()
    payload = acme.client_with(Scope.DELETE).data(on_customer("deleteCustomer"), id=id_)
    assert payload["deleteCustomer"]["userErrors"] == []
    assert acme.rows()["customer"] == []


def test_reading_needs_only_the_scope_read(acme: Tenant) -> None:
    assert acme.client_with(Scope.READ).data(QUERY["query"]) == {"project": {"slug": "acme"}}


def test_a_token_without_any_scope_may_do_nothing(acme: Tenant) -> None:
    id_ = acme.add_customer()
    client = acme.client_with()
    assert client.code(QUERY["query"]) == "FORBIDDEN"
    for name in ARGUMENTS:
        assert client.code(on_customer(name), id=id_) == "FORBIDDEN"
    assert len(acme.rows()["customer"]) == 1


def test_a_token_reads_only_its_project(acme: Tenant, make_tenant: MakeTenant) -> None:
    other = make_tenant("other")
    assert acme.client.data(QUERY["query"]) == {"project": {"slug": "acme"}}
    assert other.client.data(QUERY["query"]) == {"project": {"slug": "other"}}


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_scheme_is_read_in_any_case(acme: Tenant, scheme: str) -> None:
    assert send(acme, f"{scheme} {acme.token_with(Scope.READ)}").json()["data"]["project"]["slug"] == "acme"


def test_a_missing_or_unknown_token_is_refused(acme: Tenant) -> None:
    token = acme.token_with(Scope.READ)
    digest = sha256(token.encode()).hexdigest()
    for authorization in (
        None,
        "",
        "Bearer",
        token,
        f"Basic {token}",
        f"Token {token}",
        f"Bearer {token}x",
        f"Bearer {token[:-1]}",
        f"Bearer {token.upper()}",
        f"Bearer {token} {token}",
        f"Bearer {digest}",
        f"Bearer {token[:12]}",
        "Bearer \xe9",
        "Bearer %",
        "Bearer ' OR 1=1 --",
    ):
        headers = [] if authorization is None else [(b"Authorization", authorization.encode("latin-1"))]
        assert_unauthenticated(httpx.post(f"{acme.base_url}/graphql", json=QUERY, headers=headers))


def test_an_unknown_token_is_refused_before_anything_is_read_of_the_body(acme: Tenant) -> None:
    for body in ({"query": "{"}, {"query": ""}, {"nothing": 1}):
        assert_unauthenticated(send(acme, "Bearer unknown", **body))


def test_a_token_works_until_it_expires(acme: Tenant) -> None:
    expired = acme.token_with(Scope.READ, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert_unauthenticated(send(acme, f"Bearer {expired}"))
    valid = acme.token_with(Scope.READ, expires_at=datetime.now(UTC) + timedelta(hours=1))
    assert send(acme, f"Bearer {valid}").status_code == 200


@pytest.mark.slow
def test_revoking_takes_effect_within_five_seconds(acme: Tenant) -> None:
    valid, revoked = acme.token_with(Scope.READ), acme.token_with(Scope.READ)
    assert send(acme, f"Bearer {revoked}").status_code == 200
    acme.revoke(revoked)
    since = time.monotonic()
    while send(acme, f"Bearer {revoked}").status_code == 200 and time.monotonic() < since + 10:
        time.sleep(0.05)
    assert time.monotonic() - since < 5
    assert_unauthenticated(send(acme, f"Bearer {revoked}"))
    assert send(acme, f"Bearer {valid}").status_code == 200


def test_a_token_expires_at_its_second_although_it_is_remembered(acme: Tenant) -> None:
    expires_at = datetime.now(UTC) + timedelta(seconds=2)
    token = acme.token_with(Scope.READ, expires_at=expires_at)
    while datetime.now(UTC) < expires_at - timedelta(seconds=0.3):
        assert send(acme, f"Bearer {token}").status_code == 200
    time.sleep(max(0.0, (expires_at - datetime.now(UTC)).total_seconds()))
    assert_unauthenticated(send(acme, f"Bearer {token}"))


def test_a_valid_token_is_looked_up_once_in_four_seconds_and_an_unknown_one_each_time(acme: Tenant) -> None:
    token = acme.token_with(Scope.READ)
    with recorded_look_ups() as look_ups:
        for _ in range(3):
            assert send(acme, f"Bearer {token}").status_code == 200
    assert len(look_ups) == 1
    with recorded_look_ups() as look_ups:
        for _ in range(3):
            assert_unauthenticated(send(acme, "Bearer cg_unknown"))
    assert len(look_ups) == 3


def test_a_new_token_works_although_its_secret_was_refused_before(acme: Tenant) -> None:
    token = acme.token_with(Scope.READ)
    sha256 = stored_token(acme, token)["sha256"]
    stores.execute(acme.database_url, f"UPDATE token SET sha256 = 'x' WHERE sha256 = '{sha256}'")  # noqa: S608 - ours
    assert_unauthenticated(send(acme, f"Bearer {token}"))
    stores.execute(acme.database_url, f"UPDATE token SET sha256 = '{sha256}' WHERE sha256 = 'x'")  # noqa: S608 - ours
    assert send(acme, f"Bearer {token}").status_code == 200


def test_revoking_again_keeps_the_first_time(acme: Tenant) -> None:
    token = acme.token_with(Scope.READ)

    acme.revoke(token)
    first = stored_token(acme, token)["revoked_at"]
    acme.revoke(token)
    assert first is not None
    assert stored_token(acme, token)["revoked_at"] == first


def test_the_answer_does_not_tell_whether_a_token_is_unknown_expired_or_revoked(acme: Tenant) -> None:
    expired = acme.token_with(Scope.READ, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    revoked = acme.token_with(Scope.READ)
    acme.revoke(revoked)
    answers = {send(acme, f"Bearer {token}").content for token in (expired, revoked, "cg_unknown")}
    assert len(answers) == 1


def test_the_last_use_of_a_token_is_written_after_the_answer_and_at_most_once_a_minute(acme: Tenant) -> None:
    token = acme.token_with(Scope.READ)
    before = datetime.now(UTC)
    # Another transaction holds the row, so that the last use cannot be written: the answer does not wait for it.
    with stores.holding(acme.database_url, "UPDATE token SET scopes = scopes"):
        started = time.monotonic()
        assert send(acme, f"Bearer {token}").status_code == 200
        assert time.monotonic() - started < 2
        assert last_used_at(acme, token) is None
    last_use = wait_for_last_use(acme, token)
    assert before <= datetime.fromisoformat(last_use) <= datetime.now(UTC)
    for _ in range(3):
        assert send(acme, f"Bearer {token}").status_code == 200
    assert last_used_at(acme, token) == last_use


def test_the_last_use_is_written_again_after_a_minute(acme: Tenant) -> None:
    token = acme.token_with(Scope.READ)
    long_ago = "2026-01-01T00:00:00.000000Z"
    assert stores.execute(acme.database_url, f"UPDATE token SET last_used_at = '{long_ago}'")  # noqa: S608 - ours
    send(acme, f"Bearer {token}")
    deadline = time.monotonic() + 5
    while last_used_at(acme, token) == long_ago and time.monotonic() < deadline:
        time.sleep(0.01)
    assert last_used_at(acme, token) != long_ago


def test_an_unavailable_store_is_no_error_when_the_last_use_is_written(tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"no database" * 1000)

    async def record() -> None:
        database = Database(f"sqlite+aiosqlite:///{broken}")
        assert not await database.answers()
        await access.record_use(database, 1)
        await database.close()

    asyncio.run(record())


def test_the_last_use_of_a_refused_token_is_not_written(acme: Tenant) -> None:
    token = acme.token_with(Scope.READ)
    acme.revoke(token)
    valid = acme.token_with(Scope.READ)
    send(acme, f"Bearer {token}")
    send(acme, f"Bearer {valid}")
    wait_for_last_use(acme, valid)
    assert last_used_at(acme, token) is None


def test_the_store_keeps_the_hash_of_a_secret_and_never_the_secret(acme: Tenant) -> None:
    token = acme.token_with(Scope.READ, Scope.DELETE)
    row = stored_token(acme, token)
    assert row["sha256"] == sha256(token.encode()).hexdigest()
    assert (row["scopes"], row["project_id"]) == ("read delete", acme.project_id)
    assert len(token) - len(row["prefix"]) >= 32
    assert token not in repr(stores.rows(acme.database_url, "SELECT * FROM token"))


def test_no_file_of_the_embedded_store_holds_a_secret(sqlite_url: str, serve: MakeServer) -> None:
    tenant = Tenant(serve(Settings(database_url=sqlite_url)), sqlite_url, "acme")
    token = tenant.token_with(Scope.READ)
    assert send(tenant, f"Bearer {token}").status_code == 200
    tenant.close()
    path = embedded_path(sqlite_url)
    assert path
    assert b"acme" in b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    for file in path.parent.glob(f"{path.name}*"):
        assert token.encode() not in file.read_bytes()
