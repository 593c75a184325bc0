"""The Dockerfile that `customergraph operate` writes. Without Docker: its commands are run by hand, in a folder."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from commands.command import PATIENCE_SECONDS, Command, until
from conftest import free_port

ROOT = Path(__file__).parents[2]
LINES = [
    line.split(" ", 1)
    for line in (ROOT / "src/customergraph/operate/Dockerfile").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]
BUILD_SECONDS = 600
IMAGE = "/opt/customergraph"


def arguments(instruction: str) -> list[str]:
    """Return what follows each use of an instruction."""
    return [rest for name, rest in LINES if name == instruction]


def test_the_image_runs_as_a_user_that_is_not_root_and_checks_readiness() -> None:
    assert {name for name, _ in LINES} <= {
        *"FROM WORKDIR RUN COPY ENV USER VOLUME EXPOSE STOPSIGNAL HEALTHCHECK ENTRYPOINT CMD".split()
    }
    assert len(arguments("FROM")) == 2
    assert all(re.fullmatch(r"[1-9]\d+", user) for user in arguments("USER"))
    assert LINES.index(["USER", *arguments("USER")]) < LINES.index(["ENTRYPOINT", *arguments("ENTRYPOINT")])
    assert json.loads(arguments("ENTRYPOINT")[0]) + json.loads(arguments("CMD")[0]) == ["customergraph", "serve"]
    assert arguments("STOPSIGNAL") == ["SIGTERM"]


def test_what_the_image_copies_is_there() -> None:
    copied = [source for rest in arguments("COPY") if "--from" not in rest for source in rest.split()[:-1]]

    assert copied
    assert [source for source in copied if not (ROOT / source).exists()] == []


def built(folder: Path) -> Path:
    """Run the first stage's last command over what it copies; returns the folder of the programs."""
    for rest in arguments("COPY"):
        for source in rest.split()[:-1] if "--from" not in rest else []:
            copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
            copy(ROOT / source, folder / Path(source).name)
    (build,) = (rest for rest in arguments("RUN") if rest.startswith("uv sync"))
    env = {"UV_PROJECT_ENVIRONMENT": str(folder / "image"), "UV_PYTHON": sys.executable}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    ran = subprocess.run(
        build.replace("--no-cache", "").split(),
        cwd=folder,
        env={**os.environ, "PATH": path} | env,
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return folder / "image/bin"


@pytest.mark.slow
def test_the_built_program_serves_as_process_1_and_stops_at_sigterm(embedded: Command) -> None:
    folder = embedded.folder / "build"
    folder.mkdir()
    programs, port = built(folder), free_port()
    env = embedded.env | {"CUSTOMERGRAPH_HOST": "0.0.0.0", "CUSTOMERGRAPH_PORT": str(port)}  # noqa: S104
    words = [str(programs / "customergraph"), *json.loads(arguments("CMD")[0])]

    isolated = [*"unshare --map-root-user --pid --fork --mount-proc".split(), *words]
    process = subprocess.Popen(isolated, env=env, cwd=embedded.folder)
    try:
        until(lambda: answers(port), "it serves")
        check = json.loads(arguments("HEALTHCHECK")[0].partition(" CMD ")[2])
        health = subprocess.run([programs / check[0], *check[1:]], env=env, check=False)
        (first,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii").split()
        os.kill(int(first), signal.SIGTERM)
        code = process.wait(PATIENCE_SECONDS)
    finally:
        process.kill()

    assert (health.returncode, code) == (0, 0)


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
