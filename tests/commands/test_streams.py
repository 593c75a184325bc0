"""Standard streams that cannot be read or written: one line, exit 1, and no token that nobody has seen."""

import os
import subprocess

import pytest

from commands.command import Command
from commands.conftest import MakeCommand

pytestmark = pytest.mark.slow

FULL = "standard output cannot be written: No space left on device"
CLOSED = "standard output cannot be written: it is closed"
BROKEN = "standard output cannot be written: Broken pipe"


def redirected(command: Command, redirection: str, *words: str) -> tuple[int, str]:
    """Run a command with a redirection of the shell; returns its exit code and standard error."""
    ran = command.execute(["bash", "-c", f'"$@" {redirection}', "bash", *command.words(*words)])
    return ran.returncode, ran.stderr


@pytest.mark.parametrize(
    ("words", "redirection", "reason"),
    [
        ("schema", ">/dev/full", FULL),
        ("schema", ">&-", CLOSED),
        ("project list", ">/dev/full", FULL),
        ("project list", ">&-", CLOSED),
        ("token list --project acme", ">/dev/full", FULL),
        ("--help", ">/dev/full", FULL),
        ("token create --help", ">&-", CLOSED),
    ],
)
def test_output_that_cannot_be_written_is_reported_in_one_line(
    embedded: Command, words: str, redirection: str, reason: str
) -> None:
    embedded.inside.succeed("project", "create", "acme", "--name", "Acme")

    assert redirected(embedded, redirection, *words.split()) == (1, f"customergraph: {reason}\n")


def test_output_that_nobody_reads_is_reported_in_one_line(embedded: Command) -> None:
    reading, writing = os.pipe()
    os.close(reading)

    ran = subprocess.run(embedded.words("schema"), stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)

    assert (ran.returncode, ran.stderr.decode()) == (1, f"customergraph: {BROKEN}\n")


def test_a_letter_that_the_output_has_no_code_for_is_reported_in_one_line(embedded: Command) -> None:
    embedded.inside.succeed("project", "create", "acme", "--name", "Söhne")

    refusal = embedded.run("project", "list", env={"PYTHONIOENCODING": "ascii"})

    assert (refusal.returncode, refusal.stdout) == (1, "")
    assert refusal.stderr == "customergraph: standard output cannot be written: the encoding ascii has no '\\xf6'\n"


@pytest.mark.parametrize(("redirection", "reason"), [(">/dev/full", FULL), (">&-", CLOSED)])
def test_a_token_that_could_not_be_shown_is_revoked(command: Command, redirection: str, reason: str) -> None:
    command.inside.succeed("project", "create", "acme", "--name", "Acme")
    command.inside.succeed("token", "create", "--project", "acme", "--name", "shown")

    result = redirected(command, redirection, "token", "create", "--project", "acme", "--name", "unseen")

    assert result == (1, f"customergraph: {reason}\n")
    assert command.rows("SELECT name FROM token WHERE revoked_at IS NULL") == ["shown"]
    assert command.rows("SELECT name FROM token WHERE revoked_at IS NOT NULL") == ["unseen"]


def test_a_demos_token_that_could_not_be_shown_is_revoked(on_store: MakeCommand, new_sqlite_url: str) -> None:
    command = on_store(new_sqlite_url)

    result = redirected(command, ">/dev/full", "demo", "--customers", "5", "--port", "0", "--path", "store.db")

    assert result == (1, f"customergraph: {FULL}\n")
    assert command.rows("SELECT count(*), count(revoked_at) FROM token") == [(1, 1)]


@pytest.mark.parametrize(
    ("redirection", "reason"), [("<&-", "standard input cannot be read: it is closed"), ("0>out", "standard input: ")]
)
def test_input_that_cannot_be_read_is_reported_in_one_line(embedded: Command, redirection: str, reason: str) -> None:
    embedded.inside.succeed("project", "create", "acme", "--name", "Acme")

    code, error = redirected(embedded, redirection, "import", "tags", "-", "--format", "csv", "--project", "acme")

    assert (code, error.count("\n")) == (1, 1)
    assert error.startswith(f"customergraph: {reason}")


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-"])
def test_a_command_does_its_job_where_standard_error_cannot_be_written(embedded: Command, redirection: str) -> None:
    creation = redirected(embedded, redirection, "project", "create", "acme", "--name", "Acme")
    refused = redirected(embedded, redirection, "project", "create", "acme", "--name", "Acme")

    assert (creation, refused) == ((0, ""), (1, ""))
    assert embedded.rows("SELECT slug FROM project") == ["acme"]
