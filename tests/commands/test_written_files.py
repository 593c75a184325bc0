"""Files that commands write: whole or not there, and never over anybody else's."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from commands.command import PATIENCE_SECONDS, Command, reject_rows, until

GOOD, BAD = "slug,name\nvip,VIP\n", "slug,name\nvip,VIP\nnew,\n"
EARLIER = "line,column,reason\n2,slug,must not be blank\n"


def files(folder: Path) -> dict[str, bytes]:
    """Return the contents of all regular files of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def a_link(command: Command) -> Path:
    path = command.folder / "link"
    path.symlink_to("store.db")
    return path


def a_hard_link(command: Command) -> Path:
    path = command.folder / "hard"
    path.hardlink_to(command.folder / "store.db")
    return path


def a_pipe(command: Command) -> Path:
    os.mkfifo(command.folder / "pipe")
    return command.folder / "pipe"


def a_folder(command: Command) -> Path:
    (command.folder / "folder").mkdir()
    return command.folder / "folder"


OTHERS: dict[str, Callable[[Command], Path]] = {
    "the store": lambda command: command.folder / "store.db",
    "the store's log": lambda command: command.folder / "store.db-wal",
    "the store's shared memory": lambda command: command.folder / "store.db-shm",
    "the store's journal": lambda command: command.folder / "store.db-journal",
    "a link to the store": a_link,
    "a hard link to the store": a_hard_link,
    "a text": lambda command: command.file("notes.txt", "line,column,reason,note\nprecious,,,\n"),
    "an empty file": lambda command: command.file("empty.txt", ""),
    "a folder": a_folder,
    "a pipe": a_pipe,
    "a device": lambda _command: Path(os.devnull),
    "a missing folder": lambda command: command.folder / "missing" / "why.csv",
}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("content", [GOOD, BAD], ids=["good", "bad"])
def test_rejects_are_refused_where_something_else_is_before_a_row_is_read(
    embedded_acme: Command, other: str, content: str
) -> None:
    embedded_acme.file("tags.csv", content)
    path = OTHERS[other](embedded_acme)
    before = files(embedded_acme.folder)

    refusal = embedded_acme.inside.refusal("import", "tags", "tags.csv", "--project", "acme", "--rejects", path)

    assert refusal.startswith(f"the rejects cannot be written to {path}: ")
    assert files(embedded_acme.folder) == before
    assert embedded_acme.rows("SELECT count(*) FROM tag") == [0]
    assert Path(os.devnull).is_char_device()


def test_the_default_rejects_file_is_refused_where_another_file_is(embedded_acme: Command) -> None:
    embedded_acme.file("tags.csv", GOOD)
    notes = embedded_acme.file("tags.csv.rejects.csv", "notes\n")

    refusal = embedded_acme.inside.refusal("import", "tags", "tags.csv", "--project", "acme")

    assert refusal.endswith("another file is there: choose another name")
    assert notes.read_text() == "notes\n"


@pytest.mark.parametrize("link", ["itself", "symbolic", "hard"])
def test_the_input_is_not_replaced_by_its_rejects(embedded_acme: Command, link: str) -> None:
    path = embedded_acme.file("tags.csv", BAD)
    rejects = path if link == "itself" else embedded_acme.folder / "link.csv"
    if link == "symbolic":
        rejects.symlink_to(path)
    elif link == "hard":
        rejects.hardlink_to(path)

    result = embedded_acme.inside.run("import", "tags", path, "--project", "acme", "--rejects", rejects)

    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"customergraph: --rejects {rejects} would replace FILE\n"
    assert path.read_text() == BAD


def test_earlier_rejects_stay_until_an_import_has_succeeded(embedded_acme: Command) -> None:
    earlier = embedded_acme.file("why.csv", EARLIER)
    words = ("import", "tags", "tags.csv", "--project", "acme", "--rejects", "why.csv")

    embedded_acme.file("tags.csv", "slug,name,nonsense\n")
    embedded_acme.inside.refusal(*words)
    assert earlier.read_text() == EARLIER

    embedded_acme.file("tags.csv", BAD)
    assert embedded_acme.inside.run(*words).returncode == 1
    assert reject_rows(earlier) == [("3", "name", "must not be blank")]

    embedded_acme.file("tags.csv", GOOD)
    embedded_acme.inside.succeed(*words)
    assert sorted(files(embedded_acme.folder)) == ["store.db", "tags.csv"]


def test_rejects_go_to_where_a_link_leads(embedded_acme: Command) -> None:
    embedded_acme.file("tags.csv", BAD)
    link = embedded_acme.folder / "why.csv"
    link.symlink_to("target.csv")

    embedded_acme.inside.run("import", "tags", "tags.csv", "--project", "acme", "--rejects", link)

    assert link.is_symlink()
    assert reject_rows(embedded_acme.folder / "target.csv") == [("3", "name", "must not be blank")]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_import_that_is_stopped_leaves_no_half_file_of_rejects(
    embedded_acme: Command, number: signal.Signals
) -> None:
    earlier = embedded_acme.file("why.csv", EARLIER)
    words = ("import", "tags", "-", "--format", "csv", "--project", "acme", "--rejects", "why.csv")
    process = embedded_acme.start(*words, stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write("slug,name\n" + "x,\n" * 12_000)
    process.stdin.flush()
    until(lambda: any(embedded_acme.folder.glob(".why.csv.*.part")), "rejects are written")

    process.send_signal(number)

    ended = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}
    assert process.wait(PATIENCE_SECONDS) == ended[number]
    assert embedded_acme.stderr() == ("" if number is signal.SIGKILL else "customergraph: interrupted: nothing is in\n")
    assert earlier.read_text() == EARLIER
    if number is not signal.SIGKILL:
        assert not list(embedded_acme.folder.glob(".*"))


@pytest.mark.parametrize("other", OTHERS)
def test_a_demo_is_refused_where_something_else_is(embedded_acme: Command, other: str) -> None:
    path = OTHERS[other](embedded_acme)
    before = files(embedded_acme.folder)

    assert str(path) in embedded_acme.inside.refusal("demo", "--path", path, "--port", 0)

    assert files(embedded_acme.folder) == before


def test_a_demo_is_refused_beside_the_log_of_another_database(new_embedded: Command) -> None:
    # SQLite would take what it holds for changes of the demo.
    log = new_embedded.file("demo.db-wal", "a log")

    refusal = new_embedded.inside.refusal("demo", "--port", 0)

    assert "demo.db-wal is there" in refusal
    assert files(new_embedded.folder) == {"demo.db-wal": log.read_bytes()}
