"""The pages for browsers: which are given, and under which policy."""

import re

import httpx
import pytest

from conftest import MakeServer
from customergraph.settings import Settings

HTML = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PAGES = ("/", "/graphql", "/graphql/")


@pytest.fixture
def url(serve: MakeServer, sqlite_url: str) -> str:
    return serve(Settings(database_url=sqlite_url))


def get(url: str, path: str, accept: str | None = None) -> httpx.Response:
    return httpx.get(f"{url}{path}", headers={"accept": accept} if accept else HTML)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_no_inline_code_and_stands_in_no_frame(url: str, path: str) -> None:
    page = get(url, path)

    policy = page.headers["content-security-policy"].split("; ")
    assert page.status_code == 200
    assert {"default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"} < set(policy)
    assert "unsafe" not in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["cache-control"] == "no-store"
    assert not re.search(r"<script(?![^>]* src=)|<style|style=|\son\w+=", page.text)


@pytest.mark.parametrize("path", PAGES)
def test_the_addresses_of_a_page_are_relative_and_lead_somewhere(url: str, path: str) -> None:
    page = get(url, path)

    addresses = re.findall(r'(?:href|src)="([^"]*)"', page.text)
    own = [address for address in addresses if not address.startswith("https://unpkg.com/")]
    assert own
    assert not [address for address in own if address.startswith(("/", "http"))]
    assert {get(url, str(httpx.URL(path).join(address))).status_code for address in own} == {200}


def test_the_root_says_what_this_is_and_links_to_graphiql_health_and_readme(url: str) -> None:
    page = get(url, "/")

    assert "customergraph" in page.text
    assert re.findall(r'<li><a href="(\w+)">', page.text) == ["graphql", "readme", "healthz", "readyz"]
    assert get(url, "/readme").text.startswith("# customergraph\n")


@pytest.mark.parametrize(
    "accept", ["*/*", "application/json", "application/json, text/html;q=0.9", "text/html;q=0, */*", "x," * 2_000]
)
def test_who_wants_no_page_gets_json(url: str, accept: str) -> None:
    answers = {path: get(url, path, accept) for path in PAGES}

    assert {path: answer.status_code for path, answer in answers.items()} == {
        "/": 404,
        "/graphql": 401,
        "/graphql/": 401,
    }
    assert {answer.headers["content-type"] for answer in answers.values()} == {"application/json"}
    assert {"Accept"} <= set(answers["/graphql"].headers["vary"].split(", "))


def test_where_graphiql_is_off_the_root_does_not_link_to_it(serve: MakeServer, sqlite_url: str) -> None:
    page = get(serve(Settings(database_url=sqlite_url, graphiql=False)), "/")

    assert re.findall(r'<li><a href="(\w+)">', page.text) == ["readme", "healthz", "readyz"]


def test_a_forwarded_prefix_changes_no_page(url: str) -> None:
    headers = {**HTML, "x-forwarded-prefix": "//evil.example", "x-forwarded-host": "evil.example"}

    for path in PAGES:
        assert httpx.get(f"{url}{path}", headers=headers).text == get(url, path).text
