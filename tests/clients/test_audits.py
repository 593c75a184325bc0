"""The GraphQL-over-HTTP specification, as the audits of the npm package graphql-http judge it."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import MakeServer
from customergraph.domain.principal import Scope
from customergraph.settings import Settings
from factories import Tenant

PACKAGES = ("graphql-http@1.23.1", "graphql@16.15.0")
AUDITS = 61
SCRIPT = Path(__file__).with_name("audits.mjs")


def program(name: str) -> str:
    """Give the path of a program of Node.js; skips the test where it is missing."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is missing, which runs the audits: `apt-get install nodejs npm` brings it")
    return found


@pytest.fixture(scope="session")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script beside the packages that it imports."""
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
        pytest.skip(f"npm could not bring {' and '.join(PACKAGES)}: is the registry reached?")
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
    came = json.loads(run.stdout)
    assert [(one["name"], one["status"], one["reason"]) for one in came if one["status"] != "ok"] == []
    assert len({one["id"] for one in came}) == AUDITS
