"""`demo` and `serve` as processes."""

import asyncio
import json
import signal
import socket
import subprocess
import time
from datetime import timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest

import stores
from commands.command import PATIENCE_SECONDS, Command, answer, store_rows, token_in, until
from commands.conftest import MakeCommand
from conftest import free_port
from customergraph import demo
from customergraph.domain import timestamps
from customergraph.domain.principal import Scope
from customergraph.store import access
from processes import signal_all, workers_of

pytestmark = pytest.mark.slow

HOURS_12 = timedelta(hours=12)
COUNT = "{ customers(first: 1) { totalCount nodes { name } } }"
TABLES = {
    "location": "id",
    "tag": "id",
    "customer": "id",
    "customer_tag": "customer_id, tag_id",
    "message": "id",
    "review": "id",
    "charge": "id",
}


def printed(process: subprocess.Popen[str]) -> str:
    """Return what a demo prints before it serves."""
    assert process.stdout is not None
    lines: list[str] = []
    while not lines or "--json" not in lines[-1]:
        lines.append(process.stdout.readline())
        assert lines[-1], lines
    return "".join(lines)


def embedded_url(command: Command, name: str) -> str:
    return f"sqlite+aiosqlite:///{command.folder / name}"


def with_token(command: Command) -> str:
    """Make a project; returns a token that reads it."""
    command.inside.succeed("project", "create", "acme", "--name", "Acme")
    return command.inside.succeed("token", "create", "--project", "acme", "--name", "test").strip()


def stopped(process: subprocess.Popen[str]) -> int:
    process.terminate()
    process.communicate(timeout=20)
    return process.returncode


def test_the_demo_serves_the_same_file_again_with_a_new_token(new_embedded: Command) -> None:
    port = free_port()
    first = new_embedded.start("demo", "--customers", 40, "--port", port)
    text = printed(first)
    old = token_in(text)
    assert f"http://127.0.0.1:{port}/graphql" in text
    before = answer(port, old, COUNT)
    assert before["customers"]["totalCount"] > 0
    stopped(first)

    second = new_embedded.start("demo", "--port", port)
    new = token_in(printed(second))

    assert new != old
    assert answer(port, new, COUNT) == before
    with pytest.raises(AssertionError, match="UNAUTHENTICATED"):
        answer(port, old, COUNT)
    assert store_rows(embedded_url(new_embedded, "demo.db"), "SELECT count(*) FROM customer") == [40]
    assert sorted(path.name for path in new_embedded.folder.glob("demo.db.*")) == []


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--customers", "50"], "customergraph: demo.db has 5 customers, not 50: remove it or choose another --path\n"),
        (["--customers", "5"], ""),
        ([], ""),
    ],
)
def test_the_demo_says_that_its_file_has_another_size(new_embedded: Command, options: list[str], line: str) -> None:
    asyncio.run(demo.open_store(new_embedded.folder / "demo.db", 5, lambda _count: None))

    process = new_embedded.start("demo", *options, "--port", free_port())
    printed(process)

    assert new_embedded.stderr().partition("{")[0] == line


def test_the_demos_token_expires_and_earlier_ones_are_revoked(tmp_path: Path) -> None:
    path, url = tmp_path / "demo.db", f"sqlite+aiosqlite:///{tmp_path / 'demo.db'}"
    first = asyncio.run(demo.open_store(path, 5, lambda _count: None))
    as_before = [("demo", set(Scope), None), ("demo (2)", set(Scope), None)]
    users = [
        ("demo", {Scope.READ}, None),
        ("mine", set(Scope), None),
        ("demo", set(Scope), timestamps.now() + HOURS_12),
    ]
    for name, scopes, expires_at in as_before + users:
        create = partial(access.create_token, slug=demo.SLUG, name=name, scopes=scopes, expires_at=expires_at)
        stores.on_database(url, create)
        # An older version made tokens with equal names.
        stores.execute(url, "UPDATE token SET owns_name = FALSE")

    second = asyncio.run(demo.open_store(path, 5, lambda _count: None))

    prefixes = [secret[: access.PREFIX_LENGTH] for secret in (first, second)]
    rows = store_rows(url, "SELECT prefix, name, expires_at, revoked_at FROM token ORDER BY id")
    assert [row[0] for row in (rows[0], rows[-1])] == prefixes
    assert [row[3] is not None for row in rows] == [True, True, True, False, False, False, False]
    seconds = "SELECT (julianday(expires_at) - julianday(created_at)) * 24 FROM token WHERE prefix LIKE 'cg_demo%'"
    assert [round(hours, 2) for hours in store_rows(url, seconds)] == [12, 12]


def test_the_demos_page_is_shown_under_names_of_this_machine_alone(new_embedded: Command) -> None:
    port = free_port()
    token = token_in(printed(new_embedded.start("demo", "--customers", 5, "--port", port)))
    answer(port, token, COUNT)

    def page(host: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{port}/graphql", headers={"accept": "text/html", "host": host})

    assert token in page(f"localhost:{port}").text
    assert (page("evil.example").status_code, token in page("evil.example").text) == (421, False)


def test_two_demos_hold_equal_data(new_embedded: Command) -> None:
    for name in ("one.db", "two.db"):
        process = new_embedded.start("demo", "--customers", 30, "--port", free_port(), "--path", name)
        printed(process)
        process.kill()
        process.wait(20)

    for table, order in TABLES.items():
        one, two = (
            store_rows(embedded_url(new_embedded, name), f"SELECT * FROM {table} ORDER BY {order}")  # noqa: S608
            for name in ("one.db", "two.db")
        )
        assert one == two
        assert one, f"the demo has no {table}"


def test_a_file_that_the_demo_did_not_make_is_refused_and_left_alone(embedded: Command) -> None:
    store = embedded.folder / "store.db"
    before = store.read_bytes()
    text = embedded.file("notes.txt", "notes")

    for path in (store, text, embedded.folder, embedded.folder / "missing" / "demo.db"):
        embedded.inside.refusal("demo", "--path", path)

    assert store.read_bytes() == before
    assert text.read_text() == "notes"


@pytest.mark.parametrize("workers", [1, 2])
def test_the_gateway_answers_until_it_is_told_to_end(command: Command, workers: int) -> None:
    token = with_token(command)
    port = free_port()

    process = command.start("serve", "--port", port, "--workers", workers)

    assert answer(port, token, COUNT) == {"customers": {"totalCount": 0, "nodes": []}}
    assert stopped(process) == 0
    assert "Traceback" not in command.stderr()
    assert not list(command.folder.glob("store.db-*")), "the store was not closed"
    until(lambda: stores.sessions(command.store_url) == 0, "the store is closed")


def test_a_revoked_token_is_refused_by_every_worker(on_store: MakeCommand, postgresql_url: str) -> None:
    command = on_store(postgresql_url)
    token, port = with_token(command), free_port()
    process = command.start("serve", "--port", port, "--workers", 2)
    until(lambda: command.stderr().count("Application startup complete") == 2, "both workers serve")
    assert statuses(process, port, token) == [200, 200]

    command.inside.succeed("token", "revoke", token[: access.PREFIX_LENGTH])

    # The contract's five seconds.
    time.sleep(5)
    assert statuses(process, port, token) == [401, 401]


def statuses(process: subprocess.Popen[str], port: int, token: str) -> list[int]:
    """Return the status of each worker's answer, while the other workers are stopped."""
    codes = []
    for running in (workers := workers_of(process.pid)):
        others = [worker for worker in workers if worker != running]
        signal_all(others, signal.SIGSTOP)
        try:
            codes.append(posted(port, token).status_code)
        finally:
            signal_all(others, signal.SIGCONT)
    return codes


def posted(port: int, token: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.post(
        f"http://127.0.0.1:{port}/graphql", json={"query": COUNT}, headers=headers, timeout=PATIENCE_SECONDS
    )


def test_logs_are_json_lines_without_what_a_query_asked_for(embedded: Command) -> None:
    token = with_token(embedded)
    port = free_port()
    process = embedded.start("serve", "--port", port)
    answer(port, token, COUNT)

    secret = {"query": '{ customers(email: "ann@example.com") { totalCount } }'}
    httpx.get(f"http://127.0.0.1:{port}/a%0A%E2%80%A8b")
    httpx.get(f"http://127.0.0.1:{port}/graphql", params=secret, headers={"Authorization": f"Bearer {token}"})
    stopped(process)

    lines = [json.loads(line) for line in embedded.stderr().splitlines()]
    requests = [(line["method"], line["path"], line["status"]) for line in lines if line["event"] == "request"]
    assert ("GET", "/a%0A%E2%80%A8b", 404) in requests, lines
    assert "ann" not in embedded.stderr()


@pytest.mark.parametrize("command", ["demo", "serve"])
def test_a_port_that_is_taken_is_told_in_one_line(new_embedded: Command, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ran = new_embedded.run(command, "--port", listener.getsockname()[1])

    assert ran.returncode == 1
    assert ran.stdout == ""
    assert ran.stderr.startswith("customergraph: cannot listen on 127.0.0.1, port ")
    assert ran.stderr.count("\n") == 1
    assert not (new_embedded.folder / "demo.db").exists()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_service_manager_is_told_when_it_serves_and_when_it_stops(embedded: Command, workers: int) -> None:
    port = free_port()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(embedded.folder / "manager"))
        manager.settimeout(PATIENCE_SECONDS)
        embedded.env["NOTIFY_SOCKET"] = str(embedded.folder / "manager")
        process = embedded.start("serve", "--port", port, "--workers", workers)

        assert manager.recv(100) == b"READY=1"
        assert httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
        process.terminate()
        assert manager.recv(100) == b"STOPPING=1"
        assert stopped(process) == 0
