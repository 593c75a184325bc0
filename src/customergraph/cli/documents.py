"""The command `documents check`."""

from pathlib import Path
from typing import Annotated

import typer

from customergraph.cli.console import Value, print_list, report_problem
from customergraph.cli.options import AsJson, examples
from customergraph.errors import CommandRefused
from customergraph.gateway.document_files import listed
from customergraph.gateway.trusted import Judge, PricedOperation, TrustedDocuments
from customergraph.settings import Settings

commands = typer.Typer(
    no_args_is_help=True,
    help="Documents of clients, which a gateway may know from the start.",
    epilog=examples("customergraph documents check documents"),
)

_COLUMNS = ("document", "operation", "cost", "at most", "depends on")


# Without it, Typer would make one command of the group.
@commands.callback()
def _group() -> None: ...


@commands.command(
    "check",
    epilog=examples("customergraph documents check documents", "customergraph documents check documents --json"),
)
def check(
    folder: Annotated[Path, typer.Argument(help="A folder of .graphql files, or of manifests that build tools write.")],
    as_json: AsJson = False,  # noqa: FBT002 - as Typer declares flags
) -> None:
    """Validate documents by the limits of `serve`, and print what each operation costs. No store is needed.

    The cost is that of the variables' defaults, and at most that of the greatest values.
    """
    judge = Judge(Settings.read())
    documents = listed(folder)
    rows: list[tuple[Value, ...]] = []
    problems: list[str] = []
    for document in documents:
        try:
            rows += [_row(document.source, operation) for operation in judge.priced(document)]
        except CommandRefused as refused:
            problems.append(str(refused))
    print_list(_COLUMNS, rows, as_json=as_json)
    for problem in problems:
        report_problem(problem)
    if problems:
        raise SystemExit(1)
    # Refuses two documents of one id.
    TrustedDocuments(documents)


def _row(source: str, operation: PricedOperation) -> tuple[Value, ...]:
    price = operation.price
    variables = ", ".join(f"${name}" for name in price.variables)
    return source, operation.name or "(no name)", price.usual, price.most, variables
