"""The pages behind nginx, which serves the gateway below a prefix and takes the prefix away."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from browser.conftest import Arrive
from commands.command import until
from conftest import free_port

pytestmark = pytest.mark.slow

PREFIX = "/tools/crm"
SITE = """
daemon off; pid {folder}/pid; error_log stderr; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location {prefix}/ {{ proxy_pass {url}/; proxy_set_header Host $host; }}
  }}
}}
"""


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The URL of an embedded store alone: the proxy does not know which it is."""
    return sqlite_url


@pytest.fixture
def proxied(url: str, token: str, tmp_path: Path) -> Iterator[str]:  # noqa: ARG001 - made before the browser starts
    """The address of nginx."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        pytest.skip("nginx is missing: install it with `apt-get install nginx`")
    port = free_port()
    site = tmp_path / "nginx.conf"
    site.write_text(SITE.format(folder=tmp_path, port=port, prefix=PREFIX, url=url), "utf-8")
    with subprocess.Popen([nginx, "-e", "stderr", "-c", site]) as process:
        until((tmp_path / "pid").exists, "nginx listens")
        yield f"http://127.0.0.1:{port}"
        process.terminate()


@pytest.mark.parametrize("path", ["/graphql", "/graphql/"])
def test_graphiql_works_below_a_prefix(proxied: str, token: str, arrive: Arrive, path: str) -> None:
    visited = arrive(proxied)

    visited.open(f"{PREFIX}{path}")
    visited.use(token)
    visited.run()

    visited.shows('"totalCount": 2')
    expect(visited.status).to_contain_text("Acme")
    visited.open_documentation()
    assert visited.complaints == []


def test_the_page_at_the_root_leads_to_graphiql(proxied: str, arrive: Arrive) -> None:
    visited = arrive(proxied)
    visited.page.goto(f"{proxied}{PREFIX}/")

    visited.page.get_by_role("link", name="GraphiQL").click()

    expect(visited.page.locator(".graphiql-execute-button")).to_be_visible()
    assert visited.page.url == f"{proxied}{PREFIX}/graphql"
    assert visited.complaints == []
