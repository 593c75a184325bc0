"""The command as a process of its own, and imports without one."""

import csv
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import replace
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch

import httpx
import pytest

import stores
from customergraph.cli import main
from customergraph.errors import CommandRefused
from customergraph.importing import importer
from customergraph.importing.files import Format
from customergraph.importing.importer import Manner, Progress, Source
from customergraph.importing.kinds import IMPORT_KINDS, ImportKindName
from customergraph.importing.rejects import Rejects
from customergraph.saving.kinds import OnKnown
from customergraph.store import access

PATIENCE_SECONDS = 30
# How long several processes may take to import what they need, on a machine that does other things besides.
START_SECONDS = 120


def store_rows(url: str, sql: str) -> list[Any]:
    """Return the rows of a query on a store; a row of one column is its value."""
    return [row[0] if len(row) == 1 else row for row in stores.rows(url, sql)]


def until(condition: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.02)


def reject_rows(path: Path) -> list[tuple[str, str, str]]:
    """Return the line, column and reason of each row of a rejects file."""
    return [(line, column, reason) for line, column, reason, *_ in whole_reject_rows(path)[1:]]


def whole_reject_rows(path: Path) -> list[list[str]]:
    """Return the rows of a rejects file, with its header, and with the rejected rows' own columns."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        usual = csv.field_size_limit(2**31 - 1)
        rows = list(csv.reader(file))
        csv.field_size_limit(usual)
    assert rows[0][:3] == ["line", "column", "reason"]
    return rows


def _passing(own: socket.socket) -> list[str]:
    """Return words that run what follows with a socket as its file 3, as sd_listen_fds(3) describes it."""
    number = own.fileno()
    return ["bash", "-c", f'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@" 3<&{number} {number}<&-']


class Command:
    """Runs `customergraph` in a folder, on a store of its own."""

    def __init__(self, folder: Path, store_url: str) -> None:
        self.folder = folder
        self.store_url = store_url
        inherited = {name: value for name, value in os.environ.items() if "CUSTOMERGRAPH" not in name}
        self.env = {**inherited, "CUSTOMERGRAPH_DATABASE_URL": store_url}
        self._started: list[subprocess.Popen[str]] = []

    def run(
        self, *arguments: object, stdin: str = "", env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return self.execute(self.words(*arguments), stdin=stdin, env=env)

    def execute(
        self, words: list[str], *, stdin: str | None = None, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run any program, such as a shell, in the folder and the environment of the command.

        Without a text for it, standard input is a device that is empty.
        """
        return subprocess.run(
            words,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            env=self.env | (env or {}),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS * 6,
            check=False,
        )

    def succeed(self, *arguments: object, stdin: str = "") -> str:
        """Run a command that must succeed; returns its standard output."""
        result = self.run(*arguments, stdin=stdin)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def refusal(self, *arguments: object, env: dict[str, str] | None = None) -> str:
        """Run a command that must fail; returns the reason, which is one line."""
        result = self.run(*arguments, env=env)
        assert (result.returncode, result.stdout) == (1, ""), result.stderr
        assert result.stderr.startswith("customergraph: "), result.stderr
        assert result.stderr.count("\n") == 1, result.stderr
        return result.stderr.removeprefix("customergraph: ").strip()

    def start(
        self, *arguments: object, stdin: int | None = None, passed: socket.socket | None = None
    ) -> subprocess.Popen[str]:
        """Start a process, which may be passed a socket as systemd does it."""
        with (self.folder / "stderr.txt").open("a") as stderr:
            process = subprocess.Popen(
                [*(_passing(passed) if passed else ()), *self.words(*arguments)],
                env=self.env,
                cwd=self.folder,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=stderr,
                pass_fds=[passed.fileno()] if passed else [],
                text=True,
            )
        self._started.append(process)
        return process

    def stderr(self) -> str:
        """Return what the started processes wrote to standard error."""
        return (self.folder / "stderr.txt").read_text()

    def file(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def rows(self, sql: str) -> list[Any]:
        return store_rows(self.store_url, sql)

    def change(self, sql: str) -> None:
        """Change the store without the command."""
        stores.execute(self.store_url, sql)

    def stop(self) -> None:
        for process in self._started:
            process.terminate()
            process.communicate(timeout=PATIENCE_SECONDS)

    @property
    def inside(self) -> "Inside":
        """The same command, run in the process of the test, where the test is not about processes."""
        return Inside(self.folder, self.store_url)

    @staticmethod
    def words(*arguments: object) -> list[str]:
        return [sys.executable, "-m", "customergraph", *map(str, arguments)]


class Inside(Command):
    """Runs the command in the process of the test, which takes less time."""

    def run(
        self, *arguments: object, stdin: str = "", env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        words = ["customergraph", *map(str, arguments)]
        stdout, stderr = StringIO(), StringIO()
        with (
            patch.dict(os.environ, self.env | (env or {}), clear=True),
            patch.object(sys, "argv", words),
            patch.object(sys, "stdin", TextIOWrapper(BytesIO(stdin.encode()))),
            chdir(self.folder),
            redirect_stdout(stdout),
            redirect_stderr(stderr),
        ):
            code = self._exit_code()
        return subprocess.CompletedProcess(words, code, stdout.getvalue(), stderr.getvalue())

    @staticmethod
    def _exit_code() -> int:
        with pytest.raises(SystemExit) as ended:
            main()
        assert isinstance(ended.value.code, int)
        return ended.value.code


def answer(port: int, token: str, query: str) -> Any:
    """Wait until a gateway answers, and return the data of its answer to a query."""
    base = f"http://127.0.0.1:{port}"
    until(lambda: answers(base), f"{base} lives", START_SECONDS)
    response = httpx.post(f"{base}/graphql", json={"query": query}, headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == httpx.codes.OK, response.text
    return response.json()["data"]


def answers(base: str) -> bool:
    """Return whether a gateway answers at this address."""
    try:
        return httpx.get(f"{base}/healthz").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def token_in(text: str) -> str:
    token = re.search(r"cg_[\w-]{43}", text)
    assert token, text
    return token[0]


class Imports:
    """Imports files into the project `acme` of a store, in the process of the test."""

    def __init__(self, store_url: str, folder: Path) -> None:
        self.folder = folder
        self.store_url = store_url
        self._rejects = folder / "rejects.csv"

    def create_project(self) -> Self:
        stores.on_database(self.store_url, lambda database: access.create_project(database, "acme", "Acme", "UTC"))
        return self

    def csv(self, kind: str, *lines: str, **options: Any) -> tuple[int, int, int]:
        """Import lines of CSV; returns how many rows were added, known and rejected. Options are those of `content`."""
        return self.content(kind, "\n".join(lines).encode(), **options)

    def ndjson(self, kind: str, *rows: dict[str, Any], **options: Any) -> tuple[int, int, int]:
        return self.content(kind, "\n".join(map(json.dumps, rows)).encode(), Format.NDJSON, **options)

    def content(
        self,
        kind: str,
        content: bytes,
        format_: Format = Format.CSV,
        *,
        on_known: OnKnown = OnKnown.UPDATE,
        **manner: bool,
    ) -> tuple[int, int, int]:
        path = self.folder / f"{kind}.{format_}"
        path.write_bytes(content)
        with path.open("rb") as file:
            columns = replace(IMPORT_KINDS[ImportKindName(kind)], on_known=on_known)
            source = Source(file, format_, columns, "acme")
            summary = stores.on_database(
                self.store_url,
                lambda database: importer.run(
                    database,
                    source,
                    Rejects(self._rejects),
                    Progress(lambda _count: None, lambda _line: None),
                    Manner(**manner),
                ),
            )
        return summary.added, summary.changed + summary.unchanged, summary.rejected

    def refusal(self, kind: str, *lines: str) -> str:
        """Import lines of CSV that must be refused as a whole; returns the reason."""
        with pytest.raises(CommandRefused) as refused:
            self.csv(kind, *lines)
        return str(refused.value)

    @property
    def rejects(self) -> list[tuple[str, str, str]]:
        return reject_rows(self._rejects) if self._rejects.exists() else []

    def rows(self, sql: str) -> list[Any]:
        return store_rows(self.store_url, sql)

    def change(self, sql: str) -> None:
        """Change the store without an import."""
        stores.execute(self.store_url, sql)
