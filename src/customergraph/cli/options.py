"""Options that several commands have, and values of options that a rule of the domain checks."""

from collections.abc import Callable
from typing import Annotated, TypeVar

import typer

from customergraph.errors import ValueRefused

Value = TypeVar("Value")

DatabaseUrl = Annotated[
    str | None, typer.Option("--database-url", help="The store; without it, CUSTOMERGRAPH_DATABASE_URL.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ProjectSlug = Annotated[str, typer.Option("--project", help="The project's slug.")]


def examples(*lines: str) -> str:
    """Return the end of a command's help."""
    # Typer joins lines, and shows each paragraph in a line of its own.
    return "\n\n".join(("Examples:", *lines))


def checked(option: str, rule: Callable[[str], Value], text: str) -> Value:
    """Return the value that the rule makes of an option's text; raises BadParameter where the rule refuses it."""
    try:
        return rule(text)
    except ValueRefused as refused:
        raise typer.BadParameter(str(refused), param_hint=option) from None
