"""`demo` and `serve` as processes."""

import json
import signal
import socket
import subprocess

import httpx
import pytest

from commands.command import Command, answer, free_port, store_rows, token_in

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
    """Give what a demo prints before it serves."""
    assert process.stdout is not None
    lines: list[str] = []
    while not lines or "--json" not in lines[-1]:
        lines.append(process.stdout.readline())
        assert lines[-1], lines
    return "".join(lines)


def stopped(process: subprocess.Popen[str]) -> int:
    process.terminate()
    process.communicate(timeout=20)
    return process.returncode


def test_the_demo_serves_the_same_file_again_with_a_new_token(new_store: Command) -> None:
    port = free_port()
    first = new_store.start("demo", "--customers", 40, "--port", port)
    text = printed(first)
    old = token_in(text)
    assert f"http://127.0.0.1:{port}/graphql" in text
    was = answer(port, old, COUNT)
    assert was["customers"]["totalCount"] > 0
    stopped(first)

    second = new_store.start("demo", "--port", port)
    new = token_in(printed(second))

    assert new != old
    assert answer(port, new, COUNT) == answer(port, old, COUNT) == was
    assert store_rows(new_store.folder / "demo.db", "SELECT count(*) FROM customer") == [40]
    assert sorted(path.name for path in new_store.folder.glob("demo.db.*")) == []


def test_two_demos_hold_equal_data(new_store: Command) -> None:
    for name in ("one.db", "two.db"):
        process = new_store.start("demo", "--customers", 30, "--port", free_port(), "--path", name)
        printed(process)
        process.kill()
        process.wait(20)

    for table, order in TABLES.items():
        one, two = (
            store_rows(new_store.folder / name, f"SELECT * FROM {table} ORDER BY {order}")  # noqa: S608
            for name in ("one.db", "two.db")
        )
        assert one == two
        assert one, f"the demo has no {table}"


def test_a_file_that_the_demo_did_not_make_is_refused_and_left_alone(command: Command) -> None:
    before = command.store.read_bytes()
    text = command.file("notes.txt", "notes")

    for path in (command.store, text, command.folder, command.folder / "missing" / "demo.db"):
        command.inside.refusal("demo", "--path", path)

    assert command.store.read_bytes() == before
    assert text.read_text() == "notes"


@pytest.mark.parametrize("workers", [1, 2])
def test_the_gateway_answers_until_it_is_told_to_end(command: Command, workers: int) -> None:
    command.inside.done("project", "create", "acme", "--name", "Acme")
    token = command.inside.done("token", "create", "--project", "acme", "--name", "test").strip()
    port = free_port()

    process = command.start("serve", "--port", port, "--workers", workers)

    assert answer(port, token, COUNT) == {"customers": {"totalCount": 0, "nodes": []}}
    assert stopped(process) in {0, -signal.SIGTERM}
    assert "Traceback" not in command.stderr()
    assert not list(command.folder.glob("store.db-*")), "the store was not closed"


def test_logs_are_json_lines_without_what_a_query_asked_for(command: Command) -> None:
    command.inside.done("project", "create", "acme", "--name", "Acme")
    token = command.inside.done("token", "create", "--project", "acme", "--name", "test").strip()
    port = free_port()
    process = command.start("serve", "--port", port)
    answer(port, token, COUNT)

    secret = {"query": '{ customers(email: "ann@example.com") { totalCount } }'}
    httpx.get(f"http://127.0.0.1:{port}/graphql", params=secret, headers={"Authorization": f"Bearer {token}"})
    stopped(process)

    lines = [json.loads(line) for line in command.stderr().splitlines()]
    assert any('"GET /graphql HTTP/1.1" 200' in line["event"] for line in lines), lines
    assert "ann" not in command.stderr()


@pytest.mark.parametrize("command", ["demo", "serve"])
def test_a_port_that_is_taken_is_told_in_one_line(new_store: Command, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = new_store.run(command, "--port", taken.getsockname()[1])

    assert ran.returncode == 1
    assert ran.stdout == ""
    assert ran.stderr.startswith("customergraph: cannot listen on 127.0.0.1, port ")
    assert ran.stderr.count("\n") == 1
    assert not (new_store.folder / "demo.db").exists()
