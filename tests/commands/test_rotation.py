"""A token is rotated: a new one takes its place, and it stays valid for an overlap (contract, `cli.md`)."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import stores
from commands.command import Command, token_in, until
from customergraph.domain.principal import Scope
from customergraph.store import access, rotations
from customergraph.store.database import Database
from factories import Tenant
from graphql_client import GraphQLClient

NOW = "{ project { slug } }"
LONG_AGO = "'2026-01-01T00:00:00.000000Z'"


@pytest.fixture
def inside(acme: Tenant, tmp_path: Path) -> Command:
    return Command(tmp_path, acme.database_url).inside


def is_valid(acme: Tenant, token: str) -> bool:
    client = GraphQLClient(acme.base_url, token)
    try:
        return "errors" not in client.answer(NOW)
    finally:
        client.close()


def tokens(inside: Command) -> dict[str, dict[str, Any]]:
    """Return the tokens of the project by their prefixes."""
    listed = json.loads(inside.succeed("token", "list", "--project", "acme", "--json"))
    return {token["prefix"]: token for token in listed}


def test_the_new_token_is_like_the_old_one_which_stays_valid_for_a_day(acme: Tenant, inside: Command) -> None:
    expires_at = datetime.now(UTC) + timedelta(days=90)
    old = acme.token_with(Scope.READ, Scope.WRITE, expires_at=expires_at)
    prefix = old[: access.PREFIX_LENGTH]

    result = inside.run("token", "rotate", prefix)

    new = token_in(result.stdout)
    assert result.stdout == f"{new}\n"
    assert new not in result.stderr
    before, after = (tokens(inside)[token[:12]] for token in (old, new))
    assert (after["name"], after["scopes"]) == (before["name"], ["read", "write"])
    assert abs(datetime.fromisoformat(after["expires_at"]) - expires_at) < timedelta(minutes=2)
    day = datetime.now(UTC) + timedelta(days=1)
    assert abs(datetime.fromisoformat(before["expires_at"]) - day) < timedelta(minutes=2)
    assert is_valid(acme, old)
    assert is_valid(acme, new)


@pytest.mark.slow
@pytest.mark.parametrize("overlap", ["0", "0s"])
def test_without_an_overlap_the_old_token_ends_at_once(acme: Tenant, inside: Command, overlap: str) -> None:
    old = acme.token_with(Scope.READ)
    assert is_valid(acme, old)

    rotated = inside.succeed("token", "rotate", old[:12], "--overlap", overlap, "--json")

    assert is_valid(acme, json.loads(rotated)["token"])
    until(lambda: not is_valid(acme, old), "the old token is refused")


def test_an_overlap_makes_no_token_live_longer(acme: Tenant, inside: Command) -> None:
    expires_at = (datetime.now(UTC) + timedelta(minutes=5)).replace(microsecond=0)
    old = acme.token_with(Scope.READ, expires_at=expires_at)

    inside.succeed("token", "rotate", old[:12], "--overlap", "7d")

    assert datetime.fromisoformat(tokens(inside)[old[:12]]["expires_at"]) == expires_at


@pytest.mark.parametrize(
    ("column", "value", "state"),
    [
        ("revoked_at", LONG_AGO, "was revoked"),
        ("expires_at", LONG_AGO, "has expired"),
        ("owns_name", "FALSE", "was replaced by another one"),
    ],
)
def test_a_token_that_is_not_valid_any_more_is_not_rotated(
    acme: Tenant, inside: Command, column: str, value: str, state: str
) -> None:
    prefix = acme.token_with(Scope.READ)[:12]
    inside.change(f"UPDATE token SET {column} = {value} WHERE prefix = '{prefix}'")  # noqa: S608 - ours

    refusal = inside.refusal("token", "rotate", prefix)

    assert refusal == (
        f"the token {prefix} {state}, and cannot be rotated: `token list --project SLUG` shows the others"
    )
    assert len(tokens(inside)) == 2


def test_an_unknown_token_is_not_rotated(inside: Command) -> None:
    assert inside.refusal("token", "rotate", "cg_unknown") == (
        "no token has the prefix 'cg_unknown': `token list --project SLUG` shows them"
    )


def test_the_new_token_is_rotated_in_its_turn(acme: Tenant, inside: Command) -> None:
    token = acme.token_with(Scope.READ)
    for _ in range(3):
        token = inside.succeed("token", "rotate", token[:12]).strip()

    assert is_valid(acme, token)
    assert inside.rows("SELECT count(*) FROM token WHERE owns_name = TRUE AND name <> 'test'") == [1]


def test_a_rotation_that_is_interrupted_after_its_last_step_is_undone(acme: Tenant, inside: Command) -> None:
    old = acme.token_with(Scope.READ)
    before = tokens(inside)[old[:12]]

    async def finish_and_undo(database: Database) -> str:
        rotation = await rotations.begin(database, old[:12])
        await rotations.finish(database, rotation, timedelta())
        await rotations.undo(database, rotation)
        return rotation.successor.prefix

    new = stores.on_database(acme.database_url, finish_and_undo)

    after = tokens(inside)
    assert after[old[:12]] == before
    assert after[new]["revoked_at"] is not None
    inside.succeed("token", "rotate", old[:12])


@pytest.mark.slow
def test_the_old_token_stays_as_it_is_where_the_new_one_cannot_be_shown(acme: Tenant, inside: Command) -> None:
    old = acme.token_with(Scope.READ)
    before = tokens(inside)[old[:12]]

    ran = inside.execute(["bash", "-c", '"$@" > /dev/full', "bash", *inside.words("token", "rotate", old[:12])])

    assert ran.returncode == 1
    assert ran.stderr == "customergraph: standard output cannot be written: No space left on device\n"
    after = tokens(inside)
    assert after.pop(old[:12]) == before
    assert sorted(token["revoked_at"] is not None for token in after.values()) == [False, True]
    assert inside.succeed("token", "rotate", old[:12])
