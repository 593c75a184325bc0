"""The example page `/dashboard` in a browser: it shows a project, changes customers, and follows the feed."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import expect

from browser.conftest import Arrive
from browser.test_accessibility import axe, serious
from browser.visit import Visit
from conftest import RunningServer
from customergraph import demo
from customergraph.domain.principal import Scope
from customergraph.settings import Settings
from customergraph.store import access
from customergraph.store.database import Database
from customergraph.web.app import create_app
from graphql_client import GraphQLClient
from mutations import CREATE
from stores import on_database

pytestmark = pytest.mark.slow

__all__ = ["axe"]
PHONE = {"width": 390, "height": 844}


async def _filled(database: Database) -> str:
    await demo.fill(database, 60)
    return await access.create_token(database, demo.SLUG, "dashboard", set(Scope), None)


@pytest.fixture
def demo_token(sqlite_url: str) -> str:
    return on_database(sqlite_url, _filled)


@pytest.fixture
def served(sqlite_url: str, demo_token: str) -> Iterator[str]:
    settings = Settings(database_url=sqlite_url, dashboard=True)
    server = RunningServer(settings)
    server.config.app = partial(create_app, settings, shown_token=demo_token)
    with server:
        yield server.url


@pytest.fixture
def dashboard(served: str, arrive: Arrive) -> Visit:
    visited: Visit = arrive(served)
    visited.page.goto(f"{served}/dashboard")
    expect(visited.page.locator("#rows tr")).to_have_count(20)
    return visited


def test_the_home_page_is_one_request_and_says_what_it_costs(dashboard: Visit, served: str, demo_token: str) -> None:
    page = dashboard.page
    client = GraphQLClient(served, demo_token)
    count = client.data("{ customers { totalCount } }")["customers"]["totalCount"]
    client.close()

    expect(page.get_by_role("heading", name="Harbor Dental")).to_be_visible()
    expect(page.locator("#tiles div", has_text="Customers").locator("dd")).to_have_text(str(count))
    expect(page.get_by_role("img")).to_have_count(3)
    expect(page.locator("#home .operation summary")).to_contain_text("cost ")
    dashboard.picture("dashboard")
    page.locator("#home .operation summary").click()
    expect(page.locator("#home .operation pre")).to_contain_text("facetCounts { facet count }")
    assert dashboard.complaints == []


def test_customers_are_searched_sorted_filtered_and_paged(dashboard: Visit) -> None:
    page = dashboard.page

    newest, back = page.locator("#rows tr button").first.inner_text(), page.get_by_role("button", name="Previous page")
    expect(back).to_be_disabled()
    page.get_by_role("button", name="Next page").click()
    expect(back).to_be_enabled()
    expect(page.locator("#rows tr button").first).not_to_have_text(newest)
    back.click()
    expect(page.locator("#rows tr button").first).to_have_text(newest)
    page.get_by_role("button", name="Name", exact=True).click()
    expect(page.locator('th[aria-sort="ascending"]')).to_have_text("Name")
    page.locator("#facets button", has_text="Archived").click()
    expect(page.locator('#facets [aria-pressed="true"]')).to_contain_text("Archived")
    expect(page.locator("#rows tr").first).to_contain_text("(archived)")
    page.locator('#facets [aria-pressed="true"]').click()
    expect(page.locator("#rows")).not_to_contain_text("(archived)")
    name = page.locator("#rows tr button").first.inner_text()
    page.get_by_label("Search").fill(name)
    expect(page.locator("#rows tr").first.locator("button")).to_have_text(name)
    assert dashboard.complaints == []


def test_a_customer_is_archived_brought_back_and_corrected(dashboard: Visit) -> None:
    page = dashboard.page
    name = page.locator("#rows tr button").first.inner_text()

    page.locator("#rows tr button").first.click()
    expect(page.get_by_role("button", name="Save")).to_be_visible()
    dashboard.picture("dashboard-drawer")
    page.get_by_role("button", name="Archive", exact=True).click()
    expect(page.locator("#toast")).to_contain_text(f"Archive: {name}")
    expect(page.locator("#rows").get_by_role("button", name=name)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#rows").get_by_role("button", name=name)).to_have_count(1)

    page.locator("#rows").get_by_role("button", name=name).click()
    page.get_by_label("Email").fill("nobody")
    page.get_by_label("First name").fill(" ")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#error-email")).to_contain_text("is not an email address")
    expect(page.locator("#error-firstName")).to_contain_text("must not be blank")
    page.get_by_label("Email").fill("new@example.com")
    page.get_by_label("First name").fill("Zoe")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#drawer-title")).to_contain_text("Zoe")
    page.keyboard.press("Escape")
    expect(page.locator("#rows")).to_contain_text("new@example.com")
    assert dashboard.complaints == []


def test_what_others_change_is_shown_at_once(dashboard: Visit, served: str, demo_token: str) -> None:
    client = GraphQLClient(served, demo_token)
    client.data(CREATE, input={"firstName": "Quinlan", "lastName": "New"})
    client.close()

    expect(dashboard.page.locator("#changes li").first).to_contain_text("Customer · created · Quinlan New")
    expect(dashboard.page.locator("#rows tr").first).to_contain_text("Quinlan New")
    expect(dashboard.page.locator("#live .operation summary")).to_contain_text("cost 2 of 200 for the last event")
    expect(dashboard.page.locator("#live .operation pre")).to_contain_text("subscription Changes($after: String)")
    assert dashboard.complaints == []


def test_a_token_that_is_refused_is_asked_for_again(sqlite_url: str, demo_token: str, arrive: Arrive) -> None:
    with RunningServer(Settings(database_url=sqlite_url, dashboard=True)) as server:
        page = arrive(server.url).page
        page.goto(f"{server.url}/dashboard")

        for token, notice in (("cg_unknown", "token"), (demo_token, "")):
            page.get_by_label("Token").fill(token)
            page.get_by_role("button", name="Use").click()
            expect(page.locator("#notice")).to_contain_text(notice)

        expect(page.locator("#rows tr")).to_have_count(20)
        expect(page.get_by_label("Token")).to_be_hidden()


def test_the_operation_of_a_panel_opens_in_graphiql(dashboard: Visit) -> None:
    dashboard.page.locator("#customers .operation summary").click()
    with dashboard.page.context.expect_page() as opened:
        dashboard.page.locator("#customers .operation a").click()

    expect(opened.value.locator(".graphiql-query-editor")).to_contain_text("query Customers")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious(served: str, axe: str, arrive: Arrive, *, dark: bool) -> None:
    visited: Visit = arrive(served, dark=dark, bypass_csp=True)
    visited.page.goto(f"{served}/dashboard")
    expect(visited.page.locator("#rows tr")).to_have_count(20)
    visited.page.add_script_tag(content=axe)
    visited.picture(f"dashboard-{'dark' if dark else 'light'}")
    found = serious(visited.page)

    visited.page.locator("#rows tr button").first.click()
    expect(visited.page.get_by_role("button", name="Save")).to_be_visible()

    assert (found, serious(visited.page)) == ([], [])


def test_a_phone_shows_it_without_scrolling_sideways(dashboard: Visit) -> None:
    dashboard.page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    dashboard.picture("dashboard-phone")

    assert dashboard.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_page_is_served_where_a_setting_says_so(url: str) -> None:
    client = GraphQLClient(url, None)
    assert client.http.get("/dashboard").status_code == 404
    client.close()


def test_the_page_is_small(dashboard: Visit) -> None:  # noqa: ARG001 - it is served
    folder = Path(__file__).parents[2] / "src/customergraph/web"
    files = [*folder.glob("static/dashboard.*"), folder / "templates/dashboard.html"]

    assert sum(len(path.read_text("utf-8").splitlines()) for path in files) < 1_000
