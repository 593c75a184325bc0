"""The GraphQL-over-HTTP specification, checked by the audits of the npm package graphql-http."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from clients.npm_packages import program
from conftest import MakeServer
from customergraph.domain.principal import Scope
from customergraph.settings import Settings
from factories import Tenant

PACKAGES = ("graphql-http@1.23.1", "graphql@16.15.0")
AUDITS = 61
SCRIPT = Path(__file__).with_name("audits.mjs")


@pytest.fixture(scope="session")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script, in a folder with the packages that it imports."""
    folder = tmp_path_factory.mktemp("audits")
    quiet = ("--silent", "--no-audit", "--no-fund", "--ignore-scripts")
    installed = subprocess.run(
        [program("npm"), "install", *quiet, *PACKAGES],
        cwd=folder,
        check=False,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )
    if installed.returncode:
        pytest.skip(f"npm could not install {' and '.join(PACKAGES)}: is its registry reachable?")
    return Path(shutil.copy(SCRIPT, folder))


def test_every_audit_of_must_should_and_may_passes(script: Path, serve: MakeServer, sqlite_url: str) -> None:
    url = serve(Settings(database_url=sqlite_url))
    tenant = Tenant(url, sqlite_url, "acme")

    run = subprocess.run(
        [program("node"), script, f"{url}/graphql", tenant.token_with(Scope.READ)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    tenant.close()
    assert run.returncode == 0, run.stderr
    audits = json.loads(run.stdout)
    failed = [(audit["name"], audit["status"], audit["reason"]) for audit in audits if audit["status"] != "ok"]
    assert failed == []
    assert len({audit["id"] for audit in audits}) == AUDITS
