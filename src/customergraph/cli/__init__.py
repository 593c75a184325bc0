"""The command line (contract, `cli.md`): its commands, and how it ends."""

import logging
import signal
import sys

import typer

from customergraph import faults, streams
from customergraph.cli import documents, explaining, importing, operating, projects, serving, store, tokens
from customergraph.cli.console import report_problem
from customergraph.cli.jobs import INTERRUPTED, raising_on
from customergraph.cli.remedies import with_remedy
from customergraph.errors import CommandRefused, StoreUnavailable
from customergraph.schema.schema import sdl
from customergraph.store.sqlite import refuse_old_sqlite

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A GraphQL gateway over the customer domain of a review-outreach platform.",
)
app.command("demo")(serving.demo)
app.command("serve")(serving.serve)
app.command("import")(importing.import_file)
app.command("explain")(explaining.explain)
app.command("operate")(operating.operate)
app.add_typer(documents.commands, name="documents")
app.add_typer(store.commands, name="db")
app.add_typer(projects.commands, name="project")
app.add_typer(tokens.commands, name="token")


@app.command("schema")
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
        app()
    except SystemExit as ended:
        if ended.code == INTERRUPTED:
            raise KeyboardInterrupt from None
        return ended.code if isinstance(ended.code, int) else 0
    return 0


def _failure(reason: str, code: int = 1) -> int:
    report_problem(reason)
    return code
