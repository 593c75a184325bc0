"""GraphiQL as a user sees it: the page of the application in a real browser."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import expect

from browser.visit import CACHE, Visit, npm_packages, visit
from conftest import RunningServer
from customergraph.domain.principal import Scope
from customergraph.settings import Settings
from customergraph.web.app import create_app
from factories import Tenant

pytestmark = pytest.mark.slow

Open = Callable[[str], Visit]

NESTED_QUERY = "query Typed { customers(first: 1) { nodes { firstName messages { nodes { channel } } } } }"


@pytest.fixture(scope="session")
def packages() -> Path:
    return npm_packages()


@pytest.fixture
def token(acme: Tenant) -> str:
    """A token for a project with a customer that has a history."""
    acme.add_histories(2)
    return acme.token_with(*Scope)


@pytest.fixture
def arrive(packages: Path) -> Iterator[Open]:
    """Starts a browser for an address.

    Fixtures that need the store come first: Playwright holds the thread's event loop until the test ends.
    """
    with ExitStack() as stack:
        yield lambda url: stack.enter_context(visit(url, packages))


@pytest.fixture
def filled_url(database_url: str, token: str) -> Iterator[str]:
    """The address of a gateway that shows a token, as `customergraph demo` does."""
    settings = Settings(database_url=database_url)
    server = RunningServer(settings)
    server.config.app = partial(create_app, settings, shown_token=token)
    with server:
        yield server.url


@pytest.fixture
def filled(filled_url: str, arrive: Open) -> Visit:
    """The open page of a gateway that shows a token."""
    visited = arrive(filled_url)
    visited.open()
    return visited


@pytest.fixture
def bare(url: str, token: str, arrive: Open) -> Visit:  # noqa: ARG001 - the token is made before the browser starts
    """The open page of a gateway that shows no token."""
    visited = arrive(url)
    visited.open()
    return visited


def test_the_page_opens_with_a_query_that_returns_nested_lists(filled: Visit) -> None:
    filled.run()

    filled.shows('"totalCount": 2', '"displayName": "Place-', '"template": "REQUEST"')
    filled.page.screenshot(path=_picture("first-query"))
    assert filled.complaints == []


def test_a_typed_query_returns_nested_lists(filled: Visit) -> None:
    filled.write_query(NESTED_QUERY)
    filled.run()

    filled.shows('"firstName": "Customer ', '"channel": "EMAIL"')
    assert filled.complaints == []


def test_the_documentation_of_customer_is_a_click_away(filled: Visit) -> None:
    filled.until_schema_is_read()
    explorer = filled.page.get_by_label("Documentation Explorer", exact=True)
    explorer.get_by_role("link", name="Customer", exact=True).click()

    expect(explorer).to_contain_text("whom the business may ask for a review")
    expect(explorer).to_contain_text("The customer's messages, newest first.")
    filled.page.screenshot(path=_picture("documentation"))
    assert filled.complaints == []


def test_a_token_is_in_no_storage_and_back_after_a_reload(filled: Visit, token: str) -> None:
    filled.run()
    filled.shows('"totalCount": 2')
    # GraphiQL writes to the storage up to half a second after the last change.
    filled.page.wait_for_timeout(1_000)

    stored = filled.storage()
    assert "FirstCustomers" in stored
    assert token not in stored
    filled.page.reload()
    expect(filled.headers).to_contain_text(token)


def test_a_new_tab_has_the_token_too(filled: Visit, token: str) -> None:
    filled.page.get_by_label("Add tab").click()

    expect(filled.page.get_by_role("tab")).to_have_count(2)
    expect(filled.headers).to_contain_text(token)
    filled.run()
    filled.shows('"totalCount": 2')


def test_without_a_token_the_page_says_what_to_send(bare: Visit) -> None:
    bare.shows("UNAUTHENTICATED", "Authorization: Bearer <token>")
    expect(bare.headers).to_contain_text('"Authorization": "Bearer "')
    bare.page.screenshot(path=_picture("without-token"))


def test_a_typed_token_loads_the_schema_and_runs_queries(bare: Visit, token: str) -> None:
    bare.shows("UNAUTHENTICATED")

    bare.write(bare.headers, json.dumps({"Authorization": f"Bearer {token}"}))

    bare.until_schema_is_read()
    expect(bare.answer).not_to_contain_text("UNAUTHENTICATED")
    bare.run()
    bare.shows('"totalCount": 2', '"displayName": "Place-')
    bare.page.wait_for_timeout(1_000)
    assert token not in bare.storage()


def test_changed_files_from_the_cdn_do_not_run(url: str, arrive: Open) -> None:
    visited = arrive(url)
    visited.spoil("graphiql@3.8.3/graphiql.min.js")

    visited.page.goto(f"{url}/graphql")

    expect(visited.page.locator("#graphiql")).to_contain_text("GraphiQL could not be loaded")
    assert visited.page.evaluate("typeof GraphiQL") == "undefined"
    (complaint,) = visited.complaints
    assert "integrity" in complaint
    assert "graphiql.min.js" in complaint
    visited.page.screenshot(path=_picture("refused"))


def _picture(name: str) -> Path:
    """Return the path of a screenshot, to look at after the test."""
    return CACHE / "screenshots" / f"graphiql-{name}.png"
