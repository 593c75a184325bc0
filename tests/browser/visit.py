"""A visit of GraphiQL's page: Debian's Chromium, and a CDN that serves the files of the npm packages."""

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
    """Return the browser's path; skip the test where there is no browser."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("Chromium is missing: install it with `apt-get install chromium`")
    return path


def npm_packages() -> Path:
    """Return a folder with the CDN's files under the CDN's paths; npm fills it once."""
    folder = CACHE / "npm"
    folder.mkdir(parents=True, exist_ok=True)
    for package in sorted({path.partition("/")[0] for path in (*STYLES, *SCRIPTS)}):
        if not (folder / package).exists():
            _fetch(package, folder / package)
    return folder


def _fetch(package: str, target: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is missing, and the files of GraphiQL come from it: install it with `apt-get install npm`")
    with TemporaryDirectory(dir=target.parent) as unfinished:
        packed = subprocess.run([npm, "pack", "--silent", package], cwd=unfinished, check=False, timeout=300)
        if packed.returncode:
            pytest.skip(f"npm could not download {package}: is its registry reachable?")
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
    """A page, its requests to other hosts than the gateway and the CDN, and the errors and warnings of the browser."""

    def __init__(self, page: Page, packages: Path, url: str) -> None:
        self.page = page
        self.url = url
        self.foreign_requests: list[str] = []
        self.complaints: list[str] = []
        self._packages = packages
        self._spoiled: str | None = None
        page.set_default_timeout(TIMEOUT)
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.route("**/*", self._answer)

    def spoil(self, path: str) -> None:
        """Change the content that the CDN serves for a path from now on."""
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
            self.foreign_requests.append(address)
            route.abort()

    def _answer_as_cdn(self, route: Route, path: str) -> None:
        if path not in STYLES and path not in SCRIPTS:
            self.foreign_requests.append(path)
            route.abort()
            return
        content = (self._packages / path).read_bytes()
        kind = "text/css" if path in STYLES else "text/javascript"
        # Without this header, the browser would refuse the file before it compares the hash.
        cors = {"Access-Control-Allow-Origin": "*"}
        spoiled = b"\n" if path == self._spoiled else b""
        route.fulfill(body=content + spoiled, content_type=f"{kind}; charset=utf-8", headers=cors)

    def open(self) -> None:
        """Open the page, and wait until GraphiQL is shown."""
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
        """Replace the text of an editor, as pasting does."""
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
        """Wait until the answer contains each of the texts."""
        for text in texts:
            expect(self.answer).to_contain_text(text, timeout=TIMEOUT)

    def storage(self) -> str:
        """Return everything that the page stores in the browser."""
        return str(self.page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])"))


@contextmanager
def visit(url: str, packages: Path) -> Iterator[Visit]:
    """Start a browser; at the end, the page must have sent no request to another host."""
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        except Error as error:
            pytest.fail(f"Chromium does not start: {error}")
        with browser:
            visited = Visit(browser.new_page(viewport={"width": 1280, "height": 800}), packages, url)
            yield visited
            assert visited.foreign_requests == [], "the page sent requests to other hosts than the gateway and the CDN"
