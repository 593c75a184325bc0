"""A visit of the gateway's pages with Debian's Chromium, which reaches no other origin."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import ConsoleMessage, Error, Locator, Page, Route, expect, sync_playwright

CACHE = Path(__file__).parents[2] / ".test-cache"
ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()
TIMEOUT = 20_000
LAPTOP = (1280, 720)

# Answers a request to another origin, and returns whether it did.
Elsewhere = Callable[[Route], bool]


def chromium() -> str:
    """Return the browser's path; skip the test where there is no browser."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("Chromium is missing: install it with `apt-get install chromium`")
    return path


class Visit:
    """A page, its requests to other origins than the gateway's, and the errors and warnings of the browser."""

    def __init__(self, page: Page, url: str, elsewhere: Elsewhere | None = None) -> None:
        self.page = page
        self.url = url
        self.foreign_requests: list[str] = []
        self.complaints: list[str] = []
        self._elsewhere = elsewhere
        page.set_default_timeout(TIMEOUT)
        expect.set_options(timeout=TIMEOUT)
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.route("**/*", self._answer)

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _answer(self, route: Route) -> None:
        if route.request.url.startswith((f"{self.url}/", "data:")):
            route.continue_()
        elif self._elsewhere is None or not self._elsewhere(route):
            self.foreign_requests.append(route.request.url)
            route.abort()

    def open(self, path: str = "/graphql") -> None:
        """Open GraphiQL's page, and wait until GraphiQL is shown."""
        self.page.goto(self.url + path)
        expect(self.page.locator(".graphiql-execute-button")).to_be_visible()

    @property
    def answer(self) -> Locator:
        return self.page.locator(".result-window")

    @property
    def query(self) -> Locator:
        return self.page.locator(".graphiql-query-editor .CodeMirror")

    @property
    def token(self) -> Locator:
        return self.page.get_by_label("Token", exact=True)

    @property
    def status(self) -> Locator:
        """What the bar says of the token."""
        return self.page.get_by_role("status")

    @property
    def tabs(self) -> Locator:
        return self.page.get_by_label("Select active operation").get_by_role("listitem")

    def use(self, token: str) -> None:
        self.token.fill(token)
        self.token.press("Enter")

    def run(self) -> None:
        self.page.locator(".graphiql-execute-button").click()

    def write(self, editor: Locator, text: str) -> None:
        """Replace the text of an editor, as pasting does."""
        editor.click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(text)

    def choose_example(self, title: str) -> None:
        self.page.get_by_role("button", name="Examples").click()
        self.page.get_by_role("menuitem", name=title).click()

    def open_documentation(self) -> Locator:
        """Open the documentation, and wait until the schema is read."""
        self.page.get_by_label("Show Documentation Explorer").click()
        expect(self.page.get_by_text("Root Types")).to_be_visible()
        return self.page.get_by_label("Documentation Explorer", exact=True)

    def shows(self, *texts: str) -> None:
        """Wait until the answer contains each of the texts."""
        for text in texts:
            expect(self.answer).to_contain_text(text)

    def storage(self) -> str:
        """Return everything that the page stores in the browser, when GraphiQL has written what it delays."""
        self.page.wait_for_timeout(1_000)
        return str(self.page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])"))

    def picture(self, name: str) -> None:
        """Take a screenshot, to look at after the test."""
        self.page.screenshot(path=CACHE / "screenshots" / f"{name}.png")


@contextmanager
def visit(
    url: str, *, elsewhere: Elsewhere | None = None, dark: bool = False, bypass_csp: bool = False
) -> Iterator[Visit]:
    """Start a browser; at the end, the page must have sent no request to another origin that `elsewhere` refuses.

    `bypass_csp` lets a test add a script of its own, which the page's policy forbids.
    """
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        except Error as error:
            pytest.fail(f"Chromium does not start: {error}")
        width, height = LAPTOP
        with browser:
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if dark else "light",
                bypass_csp=bypass_csp,
            )
            visited = Visit(context.new_page(), url, elsewhere)
            yield visited
            assert visited.foreign_requests == [], "the page sent requests to other origins"
