"""The page of a package without a bundle: GraphiQL comes from a CDN, and runs only if its hash is right."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from browser import npm
from browser.visit import visit
from commands.command import answers, until
from conftest import free_port
from customergraph.domain.principal import Scope
from customergraph.web.graphiql import CDN, SCRIPTS, STYLES
from factories import Tenant

pytestmark = pytest.mark.slow

PACKAGE = Path(__file__).parents[2] / "src" / "customergraph"


@pytest.fixture(scope="session")
def packages() -> Path:
    """A folder with the CDN's files under the CDN's paths."""
    return npm.packages(sorted({path.partition("/")[0] for path in (*STYLES, *SCRIPTS)}))


@pytest.fixture
def url(tmp_path: Path, sqlite_url: str) -> Iterator[str]:
    """The address of a gateway whose package has no bundle."""
    shutil.copytree(PACKAGE, tmp_path / "customergraph", ignore=shutil.ignore_patterns("bundle", "__pycache__"))
    port = free_port()
    words = [sys.executable, "-m", "customergraph", "serve", "--port", str(port), "--database-url", sqlite_url]
    with subprocess.Popen(words, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)}) as process:
        address = f"http://127.0.0.1:{port}"
        until(lambda: answers(address), f"{address} lives")
        yield address
        process.terminate()


class Mirror:
    """Answers for the CDN with the files of the npm packages."""

    def __init__(self, packages: Path, spoiled: str | None = None) -> None:
        self._packages = packages
        self._spoiled = spoiled

    def __call__(self, route: Route) -> bool:
        path = route.request.url.removeprefix(f"{CDN}/")
        if path not in STYLES and path not in SCRIPTS:
            return False
        content = (self._packages / path).read_bytes()
        kind = "text/css" if path in STYLES else "text/javascript"
        # Without this header, the browser would refuse the file before it compares the hash.
        cors = {"Access-Control-Allow-Origin": "*"}
        spoiled = b"\n" if path == self._spoiled else b""
        route.fulfill(body=content + spoiled, content_type=f"{kind}; charset=utf-8", headers=cors)
        return True


def test_without_a_bundle_the_page_runs_queries_with_a_typed_token(url: str, sqlite_url: str, packages: Path) -> None:
    tenant = Tenant(url, sqlite_url, "acme")
    tenant.add_histories(2)
    token = tenant.token_with(Scope.READ)
    tenant.close()
    with visit(url, elsewhere=Mirror(packages)) as visited:
        visited.open()
        visited.shows("UNAUTHENTICATED", "Authorization: Bearer <token>")
        headers = visited.page.locator('[aria-label="Headers"] .CodeMirror').locator("visible=true")
        visited.write(headers, json.dumps({"Authorization": f"Bearer {token}"}))
        expect(visited.answer).not_to_contain_text("UNAUTHENTICATED")
        visited.run()

        visited.shows('"totalCount": 2', '"displayName": "Place-')
        assert token not in visited.storage()


def test_changed_files_from_the_cdn_do_not_run(url: str, packages: Path) -> None:
    with visit(url, elsewhere=Mirror(packages, spoiled="graphiql@3.8.3/graphiql.min.js")) as visited:
        visited.page.goto(f"{url}/graphql")

        expect(visited.page.locator("#graphiql")).to_contain_text("GraphiQL could not be loaded")
        assert visited.page.evaluate("typeof GraphiQL") == "undefined"
        (complaint,) = visited.complaints
        assert "integrity" in complaint
        assert "graphiql.min.js" in complaint
