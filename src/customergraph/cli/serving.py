"""The commands `demo` and `serve`."""

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer

from customergraph import demo as demo_project
from customergraph.cli.console import progress_bar, report_problem
from customergraph.cli.jobs import TERMINATED, on_store, raising_on
from customergraph.cli.options import DatabaseUrl
from customergraph.cli.tokens import revoked_unless_shown
from customergraph.settings import Settings
from customergraph.store import deletions
from customergraph.store.database import Database
from customergraph.web import listening, service_manager, serving


def demo(
    customers: Annotated[
        int | None,
        typer.Option(
            min=1, max=1_000_000, help="How many customers to make.", show_default=str(demo_project.USUAL_CUSTOMERS)
        ),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on.")] = 8000,
    path: Annotated[Path, typer.Option(help="The file of the demo's store.")] = Path("demo.db"),
) -> None:
    """Make a believable project in an embedded store, and serve it with GraphiQL."""
    _refuse_unusable_port("127.0.0.1", port)
    is_new = not path.exists()
    size = customers or demo_project.USUAL_CUSTOMERS
    with progress_bar("customers") as progress, raising_on(signal.SIGTERM, SystemExit(TERMINATED)):
        task = progress.add_task("making", total=size, visible=is_new)
        secret = asyncio.run(demo_project.open_store(path, size, lambda count: progress.advance(task, count)))
    url = f"http://127.0.0.1:{port}/graphql"
    settings = Settings.read(
        database_url=f"sqlite+aiosqlite:///{path}",
        host="127.0.0.1",
        port=port,
        workers=1,
        graphiql=True,
        dashboard=True,
    )
    with revoked_unless_shown(settings.database_url, secret):
        if customers is not None and not is_new:
            _report_other_size(path, customers, settings.database_url)
        print(f"GraphiQL and API: {url}\nToken: {secret}")  # noqa: T201
        print("It expires after 12 hours, or when the demo is started again.\n")  # noqa: T201
        print(f'curl {url} -H "Authorization: Bearer {secret}" \\')  # noqa: T201
        print('  --json \'{"query": "{ customers(first: 3) { totalCount nodes { name email } } }"}\'', flush=True)  # noqa: T201
    serving.serve(settings, shown_token=secret)


def _report_other_size(path: Path, customers: int, database_url: str) -> None:
    count = on_store(
        database_url, lambda database: deletions.count_customers(database, demo_project.SLUG), reads_only=True
    )
    if count != customers:
        report_problem(f"{path} has {count:,} customers, not {customers:,}: remove it or choose another --path")


def serve(
    database_url: DatabaseUrl = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.")] = None,
    workers: Annotated[int | None, typer.Option(help="How many worker processes.")] = None,
    graphiql: Annotated[bool | None, typer.Option(help="Serve GraphiQL to browsers.")] = None,
) -> None:
    """Serve the configured store."""
    settings = Settings.read(database_url=database_url, host=host, port=port, workers=workers, graphiql=graphiql)
    if not service_manager.passes_sockets():
        _refuse_unusable_port(settings.host, settings.port)
    on_store(settings.database_url, _no_job, may_be_made=True)
    serving.serve(settings)


def _refuse_unusable_port(host: str, port: int) -> None:
    """Raise CommandRefused, with the reason, where no server can listen."""
    for listener in listening.listen(host, port):
        listener.close()


async def _no_job(_database: Database) -> None:
    """Do nothing: `on_store` refuses a store that cannot be served."""
