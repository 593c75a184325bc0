"""Faults of ours in a command: one line with an id, and the trace in a file."""

import re
import stat
from pathlib import Path

import pytest

from commands.command import Command


@pytest.mark.parametrize("words", ["token list --project acme", "token create --project acme --name t"])
def test_a_fault_is_one_line_that_names_the_file_of_its_trace(command: Command, words: str) -> None:
    command.inside.done("project", "create", "acme", "--name", "Acme")
    command.change("DROP TABLE token")

    ran = command.run(*words.split(), env={"TMPDIR": str(command.folder)})

    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (1, "", 1)
    told = re.fullmatch(
        r"customergraph: a fault of ours, (\w{32}) \(\w+\): tell us what the file (\S+) says\n", ran.stderr
    )
    assert told, ran.stderr
    trace = Path(told[2])
    assert (trace.parent, told[1] in trace.name) == (command.folder, True)
    assert stat.S_IMODE(trace.stat().st_mode) == 0o600
    assert trace.read_text().startswith("Traceback (most recent call last):\n")
    assert re.search('no such table: token|relation "token" does not exist', trace.read_text())
