"""What axe finds on the pages: nothing serious, in light and in dark."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from browser import npm
from browser.conftest import Arrive

pytestmark = pytest.mark.slow

AXE = "axe-core@4.14.1"
SERIOUS = {"serious", "critical"}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The URL of an embedded store alone: the page does not know which it is."""
    return sqlite_url


@pytest.fixture(scope="session")
def axe() -> str:
    """The text of axe's script."""
    return (npm.packages([AXE]) / AXE / "axe.min.js").read_text("utf-8")


# Runs axe when the page has been the same for half a second: axe fails on what is taken away meanwhile.
RUN = """
new Promise((still) => {
  let timer = setTimeout(still, 500);
  new MutationObserver(() => { clearTimeout(timer); timer = setTimeout(still, 500); })
    .observe(document, { childList: true, subtree: true });
}).then(() => axe.run()).then(({ violations }) =>
  violations.map(({ id, impact, nodes }) => [id, impact, nodes.map((node) => node.html.slice(0, 200))]))
"""


def serious(page: Page) -> list[Any]:
    """Return what axe finds serious or critical on the page as it stands."""
    return [one for one in page.evaluate(RUN) if one[1] in SERIOUS]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious_in_graphiql(shown_url: str, axe: str, arrive: Arrive, *, dark: bool) -> None:
    visited = arrive(shown_url, dark=dark, bypass_csp=True)
    visited.open()
    visited.page.add_script_tag(content=axe)
    visited.run()
    visited.shows('"totalCount": 2')
    found = {"answer": serious(visited.page)}

    visited.open_documentation()
    visited.picture(f"documentation-{'dark' if dark else 'light'}")
    found["documentation"] = serious(visited.page)
    visited.page.get_by_label("Show History").click()
    found["history"] = serious(visited.page)
    visited.page.get_by_label("Show Query builder").click()
    expect(visited.page.locator('[data-field-name="customers"]')).to_be_visible()
    visited.picture(f"query-builder-{'dark' if dark else 'light'}")
    found["query builder"] = serious(visited.page)
    visited.page.get_by_role("button", name="Examples").click()
    visited.picture(f"examples-{'dark' if dark else 'light'}")
    found["examples"] = serious(visited.page)
    visited.page.keyboard.press("Escape")
    visited.page.get_by_label("Open settings dialog").click()
    found["settings"] = serious(visited.page)

    assert [(view, one) for view, ones in found.items() for one in ones] == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious_in_the_page_at_the_root(url: str, axe: str, arrive: Arrive, *, dark: bool) -> None:
    visited = arrive(url, dark=dark, bypass_csp=True)
    visited.page.goto(f"{url}/")
    visited.page.add_script_tag(content=axe)

    assert serious(visited.page) == []
    visited.picture(f"root-{'dark' if dark else 'light'}")


def test_fields_of_the_query_builder_are_ticked_by_the_keyboard(shown_url: str, arrive: Arrive) -> None:
    visited = arrive(shown_url)
    visited.open()
    visited.write(visited.query, "query Ticked { project { __typename } }")
    visited.page.get_by_label("Show Query builder").click()

    field = visited.page.locator('[data-field-name="timezone"]')
    field.focus()
    visited.page.keyboard.press("Space")

    expect(visited.query).to_contain_text("timezone")
