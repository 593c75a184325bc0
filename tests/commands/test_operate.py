"""`operate`: files for systemd, nginx, Docker, Prometheus and Grafana, which agree with the settings."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from commands.command import Command
from commands.nginx import adapted
from customergraph.settings import Settings
from customergraph.web.server import GRACE_SECONDS
from customergraph.web.workers import STOPPED_SECONDS

DEFAULTS = {name: field.default for name, field in Settings.model_fields.items()}
SERVICE, SOCKET = "customergraph.service", "customergraph.socket"
SITE, SUMS = "customergraph.nginx.conf", "SHA256SUMS"


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path, "").inside


@pytest.fixture
def folder(command: Command) -> Path:
    command.succeed("operate", "written")
    return command.folder / "written"


def ran(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run another program in a folder."""
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_all_files_are_written_with_their_digests(folder: Path) -> None:
    checked = ran(folder, "sha256sum", "--check", SUMS)

    assert checked.returncode == 0, checked.stderr
    assert {line.split(":")[0] for line in checked.stdout.splitlines()} == {*contents(folder)} - {SUMS}
    assert {SERVICE, SITE, "Dockerfile"} <= {*contents(folder)}


def test_files_of_an_earlier_version_are_replaced(command: Command, folder: Path) -> None:
    written = contents(folder)
    earlier = ran(folder, "sha256sum", SITE).stdout
    (folder / SITE).write_text("as an earlier version wrote it\n")
    later = ran(folder, "sha256sum", SITE).stdout
    (folder / SUMS).write_text((folder / SUMS).read_text().replace(earlier, later))

    command.succeed("operate", folder)

    assert contents(folder) == written


@pytest.mark.parametrize("name", [SERVICE, SITE, "Dockerfile"])
def test_a_file_that_was_changed_stays_and_so_do_the_others(command: Command, folder: Path, name: str) -> None:
    (folder / name).write_text("adapted\n")
    (folder / SUMS).unlink()
    before = contents(folder)

    reason = command.refusal("operate", folder)

    told = "it was changed, or is not of this command: choose another folder"
    assert reason == f"the file cannot be written to {folder / name}: {told}"
    assert contents(folder) == before


def test_a_list_of_other_digests_stays(command: Command) -> None:
    (command.folder / SUMS).write_text(f"{'0' * 64}  debian.iso\n")

    assert SUMS in command.refusal("operate", command.folder)
    assert [path.name for path in command.folder.iterdir()] == [SUMS]


@pytest.mark.parametrize(
    ("path", "reason"),
    [("missing/folder", "there is no folder missing"), ("file", "file is no folder")],
)
def test_a_place_that_is_none_is_told(command: Command, path: str, reason: str) -> None:
    command.file("file", "text")

    assert reason in command.refusal("operate", path)


def test_the_site_allows_what_the_settings_allow(folder: Path) -> None:
    site = (folder / SITE).read_text()

    def number(directive: str) -> int:
        found = re.search(rf"\b{directive} (?:4 )?(\d+)[sk]?;", site)
        assert found, directive
        return int(found[1])

    assert number("client_max_body_size") == DEFAULTS["body_limit"]
    assert number("large_client_header_buffers") * 1024 == DEFAULTS["head_limit"]
    assert number("client_body_timeout") <= DEFAULTS["body_timeout"]
    assert number("proxy_read_timeout") > 3 * DEFAULTS["deadline"]
    upstream = re.search(r"keepalive_timeout (\d+)s;", site.split("map ")[0])
    assert upstream
    assert int(upstream[1]) < DEFAULTS["keep_alive"]
    assert f"127.0.0.1:{DEFAULTS['port']}" in site


def test_systemd_listens_where_the_site_looks_for_the_gateway(folder: Path) -> None:
    (address,) = re.findall(r"^ListenStream=(.*)$", (folder / SOCKET).read_text(), re.MULTILINE)

    assert f"    server {address};" in (folder / SITE).read_text()
    assert f"Requires={SOCKET}" in (folder / SERVICE).read_text()


def test_the_unit_waits_for_the_longest_stop(folder: Path) -> None:
    found = re.search(r"TimeoutStopSec=(\d+)", (folder / SERVICE).read_text())

    assert found
    assert int(found[1]) > DEFAULTS["drain"] + GRACE_SECONDS + STOPPED_SECONDS + 2


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_accepts_the_units(folder: Path) -> None:
    unit = folder / SERVICE
    programs = {"/opt/customergraph/bin": str(Path(sys.executable).parent)}
    unit.write_text(adapted(unit.read_text(), programs))

    verified = ran(folder, "systemd-analyze", "verify", "--man=no", SERVICE, SOCKET)

    assert (verified.returncode, verified.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_finds_the_unit_little_exposed(folder: Path) -> None:
    rated = ran(folder, *"systemd-analyze security --offline=true --threshold=25 --no-pager".split(), SERVICE)

    # A threshold of 25 is an exposure of 2.5: "OK".
    assert rated.returncode == 0, rated.stdout + rated.stderr
