"""Packages of the npm registry, for the tests that need their files."""

import shutil
import subprocess
import tarfile
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from browser.visit import CACHE


def packages(names: Iterable[str]) -> Path:
    """Return a folder with the files of the packages, each in a folder of its name; npm fills it once."""
    folder = CACHE / "npm"
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        if not (folder / name).exists():
            _fetch(name, folder / name)
    return folder


def _fetch(package: str, target: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(f"npm is missing, and {package} comes from it: install it with `apt-get install npm`")
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
