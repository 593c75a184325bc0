"""The store goes away while a token is rotated."""

from pathlib import Path

import pytest

import stores
from commands.command import Command, token_in
from customergraph.domain.principal import Scope
from factories import Tenant
from faults.wire import Wire, on_port

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("delivered", [False, True])
def test_the_old_token_stays_and_the_new_one_is_named(
    wired: Tenant,
    wire: Wire,
    tmp_path: Path,
    delivered: bool,  # noqa: FBT001 - a parameter of pytest
) -> None:
    prefix = wired.token_with(Scope.READ)[:12]
    columns = "SELECT owns_name, expires_at, revoked_at FROM token WHERE prefix = :prefix"
    before = stores.rows(wired.database_url, columns, prefix=prefix)
    wire.cut_at("UPDATE token", delivered=delivered)

    result = Command(tmp_path, on_port(wired.database_url, wire.port)).inside.run("token", "rotate", prefix)

    new = token_in(result.stdout)[:12]
    assert result.returncode == 1
    assert result.stderr == (
        "customergraph: the command failed, and could not revoke the token that it had made:"
        f" run `customergraph token revoke {new}`\n"
    )
    assert stores.rows(wired.database_url, columns, prefix=prefix) == before
    assert stores.rows(wired.database_url, columns, prefix=new) == [(0, None, None)]
