"""Unexpected errors in a command: one line with an id, and the trace in a file."""

import re
import stat
from pathlib import Path

import pytest

from commands.command import Command

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("words", ["token list --project acme", "token create --project acme --name t"])
def test_an_unexpected_error_is_one_line_that_names_the_file_of_its_trace(command: Command, words: str) -> None:
    command.inside.succeed("project", "create", "acme", "--name", "Acme")
    command.change("DROP TABLE token")

    ran = command.run(*words.split(), env={"TMPDIR": str(command.folder)})

    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (1, "", 1)
    line = re.fullmatch(
        r"customergraph: internal error (\w{32}) \(\w+\): please report it with the file (\S+)\n", ran.stderr
    )
    assert line, ran.stderr
    trace = Path(line[2])
    assert (trace.parent, line[1] in trace.name) == (command.folder, True)
    assert stat.S_IMODE(trace.stat().st_mode) == 0o600
    assert trace.read_text().startswith("Traceback (most recent call last):\n")
    assert re.search('no such table: token|relation "token" does not exist', trace.read_text())
