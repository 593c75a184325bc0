"""The help of each command has examples, and the command says its version."""

import shlex
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pytest
import typer

from commands.command import Command
from customergraph.cli import app

# A group of commands, or a command: Typer has its own copy of Click's classes.
Node = Any


def nodes(words: tuple[str, ...], node: Node) -> Iterator[tuple[tuple[str, ...], Node]]:
    """Yield each command and each group of commands, with the words that name it."""
    yield words, node
    for name, child in getattr(node, "commands", {}).items():
        yield from nodes((*words, name), child)


NODES = dict(nodes((), typer.main.get_command(app)))


def examples_of(node: Node) -> list[str]:
    title, *lines = (node.epilog or "").split("\n\n")
    return lines if title == "Examples:" else []


def test_there_are_commands() -> None:
    assert ("project", "delete") in NODES


@pytest.mark.parametrize("words", NODES, ids=lambda words: " ".join(words) or "customergraph")
def test_each_help_has_examples_that_parse(words: tuple[str, ...]) -> None:
    examples = examples_of(NODES[words])

    assert examples, "cli/options.py has `examples`, for the parameter `epilog`"
    for example in examples:
        assert shlex.split(example)[: len(words) + 1] == ["customergraph", *words]
        parse(shlex.split(example)[1:])


def parse(arguments: list[str]) -> None:
    """Read the arguments as the command does, which raises an error for wrong usage; `--help` alone ends it."""
    words: tuple[str, ...] = ()
    while (*words, arguments[0]) in NODES:
        words = (*words, arguments.pop(0))
        if not arguments:
            break
    if arguments != ["--help"]:
        NODES[words].make_context(" ".join(words), arguments)


def test_help_shows_the_examples(embedded: Command) -> None:
    shown = embedded.inside.succeed("token", "rotate", "--help")

    assert "Examples:" in shown
    assert "customergraph token rotate cg_Vq3dK9s1x --overlap 7d" in shown


def test_the_version_is_that_of_the_installed_package(embedded: Command) -> None:
    assert embedded.inside.succeed("--version") == f"customergraph {version('customergraph')}\n"
