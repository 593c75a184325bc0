"""Hatch's build hook: before the package is built, GraphiQL's page is bundled into it from npm packages.

npm checks each package against the hash in package-lock.json. Where the bundle cannot be made, the
package has none, and the gateway serves a page that takes GraphiQL from a CDN.
"""

import shutil
import subprocess
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = Path(__file__).parent
STATIC = SOURCES.parent / "customergraph" / "web" / "static"
BUNDLE = STATIC / "bundle"
# Names what the bundle was made of.
STAMP = BUNDLE / "made-of.txt"
# The page's first query is served too, with the page that needs no bundle.
FIRST_QUERY = STATIC / "first-query.graphql"

# Where there is no network, it gives up soon.
_NPM_CI = (
    "npm ci --ignore-scripts --no-audit --no-fund --prefer-offline --loglevel=error"
    " --fetch-retries=1 --fetch-retry-mintimeout=1000"
).split()
_TIMEOUT = 600


class GraphiQLBundle(BuildHookInterface[BuilderConfig]):
    """Makes the bundle, unless there is one of the same sources: a wheel that is built of an sdist needs no npm."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's own
        stamp = _hash_of_sources()
        if STAMP.is_file() and STAMP.read_text("utf-8") == stamp:
            return
        shutil.rmtree(BUNDLE, ignore_errors=True)
        try:
            _bundle(stamp)
        except (OSError, subprocess.SubprocessError) as error:
            self.app.display_warning(f"GraphiQL was not bundled, and will be taken from a CDN: {error}")


def _hash_of_sources() -> str:
    sources = sorted(path for path in SOURCES.rglob("*") if path.is_file() and path.suffix != ".pyc")
    digest = sha256()
    for path in (*sources, FIRST_QUERY):
        digest.update(path.relative_to(SOURCES.parent).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest() + "\n"


def _bundle(stamp: str) -> None:
    with TemporaryDirectory() as temporary:
        packages, made = Path(temporary, "packages"), Path(temporary, "made")
        packages.mkdir()
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCES / name, packages)
        for command in (_NPM_CI, ["node", str(SOURCES / "bundle.mjs"), str(made)]):
            subprocess.run(command, cwd=packages, check=True, timeout=_TIMEOUT, stdin=subprocess.DEVNULL)  # noqa: S603 - fixed words
        shutil.copytree(made, BUNDLE, dirs_exist_ok=True)
    # Last: what has no stamp is made again.
    STAMP.write_text(stamp, "utf-8")
