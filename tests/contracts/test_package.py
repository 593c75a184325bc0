"""The wheel and the sdist: GraphiQL's bundle is in both of them, with the licences of what it contains."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
STATIC = "customergraph/web/static"
BUNDLED = {"licenses.txt", "made-of.txt", "page.css", "page.js"}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the package is built of, with the bundle that the last `uv sync` has made."""
    if not (ROOT / "src" / STATIC / "bundle").is_dir():
        pytest.skip("the bundle is missing: install Node.js with npm, and then this package again")
    folder = tmp_path / "checkout"
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, folder)
    return folder


def build_without_npm(folder: Path, target: str) -> tuple[Path, str]:
    """Build a wheel or an sdist where there is no npm; returns its path, and what the build said."""
    words = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", "made"]
    env = {**os.environ, "PATH": str(folder)}
    built = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (path,) = (folder / "made").glob("*.whl" if target == "wheel" else "*.tar.gz")
    return path, built.stdout + built.stderr


def bundled(wheel: Path) -> set[str]:
    """Return the names of the bundle's files in a wheel, without their hashes."""
    names = zipfile.ZipFile(wheel).namelist()
    found = [name.removeprefix(f"{STATIC}/bundle/") for name in names if name.startswith(f"{STATIC}/bundle/")]
    return {re.sub(r"-\w{8}\.", ".", name) for name in found}


def test_a_wheel_of_the_sdist_has_the_bundle_and_needs_no_npm(checkout: Path, tmp_path: Path) -> None:
    sdist, _ = build_without_npm(checkout, "sdist")
    with tarfile.open(sdist) as files:
        files.extractall(tmp_path, filter="data")

    wheel, said = build_without_npm(tmp_path / sdist.name.removesuffix(".tar.gz"), "wheel")

    assert bundled(wheel) == BUNDLED, said
    assert not [name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("graphiql/")]


def test_the_licences_of_what_is_bundled_are_in_the_wheel(checkout: Path) -> None:
    wheel, _ = build_without_npm(checkout, "wheel")

    licences = zipfile.ZipFile(wheel).read(f"{STATIC}/bundle/licenses.txt").decode()

    entries = re.findall(r"^(\S+) \d+\.\d+\.\d+\S*: (\S+)", licences, re.MULTILINE)
    assert {"react", "react-dom", "graphiql", "graphql", "codemirror"} <= {name for name, _ in entries}
    assert {licence for _, licence in entries} <= {"MIT", "ISC", "0BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0"}
    assert licences.count("Permission is hereby granted") > len(entries) / 2


def test_without_npm_changed_sources_leave_the_wheel_without_a_bundle(checkout: Path) -> None:
    with (checkout / "src/graphiql/page.css").open("a") as file:
        file.write("/* changed */")

    wheel, said = build_without_npm(checkout, "wheel")

    assert bundled(wheel) == set()
    assert "GraphiQL was not bundled, and will be taken from a CDN" in said
