"""The npm packages of the clients, in the versions of package-lock.json, and scripts that run with them."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
CACHE = ROOT / ".test-cache"
MANIFESTS = ("package.json", "package-lock.json")


def program(name: str) -> str:
    """Return the path of a program of Node.js; skip the test where it is missing."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is missing, and this test needs it: `apt-get install nodejs npm` brings it")
    return path


def workplace(folder: Path) -> Path:
    """Make a copy of the clients in a folder, with their packages and the schema where they expect them."""
    program("node")
    clients = folder / "tests/clients"
    shutil.copytree(FOLDER, clients, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    shutil.copy(ROOT / "schema.graphql", folder)
    (clients / "node_modules").symlink_to(_node_modules())
    return clients


def _node_modules() -> Path:
    """Return the folder of the installed packages; npm fills it once for each lock file."""
    contents = b"".join((FOLDER / name).read_bytes() for name in MANIFESTS)
    folder = CACHE / f"clients-{hashlib.sha256(contents).hexdigest()[:12]}"
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "clients.lock").open("w") as lock:
        # Other workers of pytest wait until the packages are there.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _install(folder)
    return folder / "node_modules"


def _install(folder: Path) -> None:
    unfinished = folder.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    for name in MANIFESTS:
        shutil.copy(FOLDER / name, unfinished)
    quiet = ("--silent", "--no-audit", "--no-fund", "--ignore-scripts")
    installed = subprocess.run([program("npm"), "ci", *quiet], cwd=unfinished, check=False, timeout=600)
    if installed.returncode:
        pytest.skip("npm could not install the clients' packages: is its registry reachable?")
    unfinished.rename(folder)


def run(folder: Path, *command: str | Path, **variables: str) -> str:
    """Run a program in a folder; return what it prints. Warnings are errors."""
    ran = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout + ran.stderr
    return ran.stdout
