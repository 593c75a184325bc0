"""The command line (contract, `cli.md`): its commands, and how it ends."""

import logging
import signal
import sys
from importlib.metadata import version
from typing import Annotated

import typer
from typer.exceptions import TyperException

from customergraph import faults, streams
from customergraph.cli import documents, explaining, exporting, importing, operating, projects, serving, store, tokens
from customergraph.cli.console import report, report_problem
from customergraph.cli.jobs import INTERRUPTED, Reported, raising_on
from customergraph.cli.options import examples
from customergraph.cli.remedies import with_remedy
from customergraph.errors import CommandRefused, StoreUnavailable
from customergraph.schema.schema import sdl
from customergraph.settings import unknown_settings
from customergraph.store.sqlite import refuse_old_sqlite

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A GraphQL gateway over the customer domain of a review-outreach platform.",
    epilog=examples("customergraph demo", "customergraph serve --help"),
)
app.command(
    "demo", epilog=examples("customergraph demo", "customergraph demo --customers 50 --port 8001 --path small.db")
)(serving.demo)
app.command("serve", epilog=examples("customergraph serve", "customergraph serve --host 0.0.0.0 --workers 4"))(
    serving.serve
)
app.command("export", epilog=examples("customergraph export backup-of-acme --project acme"))(exporting.export_project)
app.command(
    "explain",
    epilog=examples(
        "customergraph explain query.graphql",
        """customergraph explain query.graphql --operation Page --variables '{"first": 50}'""",
    ),
)(explaining.explain)
app.command("operate", epilog=examples("customergraph operate deploy"))(operating.operate)
app.add_typer(importing.commands, name="import")
app.add_typer(documents.commands, name="documents")
app.add_typer(store.commands, name="db")
app.add_typer(projects.commands, name="project")
app.add_typer(tokens.commands, name="token")


# Those two warn in their log.
_LOGGED = {"demo", "serve"}


def _print_version(is_asked: bool) -> None:  # noqa: FBT001 - Typer calls it
    if is_asked:
        print(f"customergraph {version('customergraph')}")  # noqa: T201
        raise typer.Exit


@app.callback()
def begin(
    context: typer.Context,
    must_print_version: Annotated[  # noqa: ARG001, FBT002 - its callback prints it
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    for name, nearest in [] if context.invoked_subcommand in _LOGGED else unknown_settings():
        report_problem(f"{name} is no setting" + (f": did you mean {nearest}?" if nearest else ""))


@app.command("schema", epilog=examples("customergraph schema"))
def print_schema() -> None:
    """Print the schema in the schema definition language."""
    sys.stdout.write(sdl())


def main() -> None:
    """Run the command line; a failure is one line on standard error.

    The exit code is 0 for success, 1 for failure, 2 for wrong usage, 130 for an interrupt.
    """
    # Without a handler, Python would print the libraries' log lines to standard error.
    logging.getLogger().addHandler(logging.NullHandler())
    with streams.guarded(), raising_on(signal.SIGINT, KeyboardInterrupt()):
        code = _exit_code()
    raise SystemExit(code)


def _exit_code() -> int:
    try:
        refuse_old_sqlite()
        code = _run_app()
        sys.stdout.flush()
    except StoreUnavailable as error:
        return _failure(f"the store does not answer: {error.reason}")
    except CommandRefused as error:
        return _failure(with_remedy(error))
    except KeyboardInterrupt:
        return _failure("interrupted", INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - standard error gets no stack trace, whatever the error is
        return _failure(faults.report(error))
    return code


def _run_app() -> int:
    try:
        code = app(standalone_mode=False)
    except TyperException as error:
        return _usage(error)
    except typer.Abort:
        return _failure("aborted")
    except typer.Exit as ended:
        code = ended.exit_code
    except Reported as ended:
        return int(ended.code or 0)
    except SystemExit as ended:
        code = ended.code
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    return code if isinstance(code, int) else 0


def _usage(error: TyperException) -> int:
    """Report wrong usage in one line; a group of commands without one shows its help."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        report(error.format_message())
        return error.exit_code
    path = context.command_path if context else "customergraph"
    return _failure(f"{error.format_message()} (`{path} --help` shows the usage)", error.exit_code)


def _failure(reason: str, code: int = 1) -> int:
    report_problem(reason)
    return code
