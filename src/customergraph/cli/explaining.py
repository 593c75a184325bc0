"""The command `explain`."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from customergraph.cli.options import DatabaseUrl
from customergraph.errors import CommandRefused
from customergraph.gateway.explanation import explain as explanation_of
from customergraph.settings import Settings


def explain(
    file: Annotated[Path, typer.Argument(help="A file with a GraphQL document; `-` is standard input.")],
    variables: Annotated[str, typer.Option("--variables", help="The variables, as a JSON object.")] = "{}",
    operation: Annotated[
        str | None, typer.Option("--operation", help="The name of the operation, where there are several.")
    ] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Print what an operation costs, its SQL, and the function that makes its answer. Nothing is read."""
    settings = Settings.read(database_url=database_url)
    text = _text(file)
    sys.stdout.write(asyncio.run(explanation_of(settings, text, operation, _variables(variables))).rstrip() + "\n")


def _text(file: Path) -> str:
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return content.decode()
    except OSError as error:
        raise CommandRefused(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CommandRefused(f"{file} is not UTF-8") from None


def _variables(text: str) -> dict[str, Any]:
    try:
        variables = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise typer.BadParameter(f"is not JSON: {error}", param_hint="--variables") from None
    if not isinstance(variables, dict):
        raise typer.BadParameter("must be a JSON object", param_hint="--variables")
    return variables
