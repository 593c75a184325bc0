"""The command line (contract, `cli.md`)."""

import asyncio
import logging
import re
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from customergraph import demo as demo_project
from customergraph import faults, streams
from customergraph.domain import text, timestamps
from customergraph.domain.principal import Scope
from customergraph.errors import CommandRefused, StoreUnavailable, ValueRefused
from customergraph.importing import importer
from customergraph.importing.files import Format, refuse_device
from customergraph.importing.importer import Source, Summary
from customergraph.importing.kinds import Kind
from customergraph.importing.rejects import Rejects
from customergraph.schema.schema import sdl
from customergraph.settings import Settings
from customergraph.store import access, backups, embedded, upgrades
from customergraph.store.backend import ConnectionOptions
from customergraph.store.database import Database, embedded_path
from customergraph.store.sqlite import refuse_old_sqlite
from customergraph.web import listening, serving

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A GraphQL gateway over the customer domain of a review-outreach platform.",
)
db = typer.Typer(no_args_is_help=True, help="The store: upgrade it, check it, back it up.")
project = typer.Typer(no_args_is_help=True, help="Tenants.")
token = typer.Typer(no_args_is_help=True, help="What programs and people authenticate with.")
app.add_typer(db, name="db")
app.add_typer(project, name="project")
app.add_typer(token, name="token")

Result = TypeVar("Result")
Job = Callable[[Database], Awaitable[Result]]

_errors = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)

DatabaseUrl = Annotated[str | None, typer.Option("--database-url", help="The store; else CUSTOMERGRAPH_DATABASE_URL.")]
ProjectSlug = Annotated[str, typer.Option("--project", help="The project's slug.")]

# 128 and the number of the signal, as shells have it.
_INTERRUPTED = 128 + signal.SIGINT
_TERMINATED = 128 + signal.SIGTERM

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_DURATION = re.compile(r"(\d{1,5})([smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def main() -> None:
    """Run the command line; a failure is one line on standard error.

    The exit code is 0 for done, 1 for failed, 2 for wrong usage, 130 for interrupted.
    """
    # What libraries log is told as one line, or is in the trace; `serve` and `demo` configure their own logs.
    logging.getLogger().addHandler(logging.NullHandler())
    with streams.guarded(), _raising_on(signal.SIGINT, KeyboardInterrupt()):
        code = _exit_code()
    raise SystemExit(code)


def _exit_code() -> int:
    try:
        refuse_old_sqlite()
        code = _run_app()
        sys.stdout.flush()
    except StoreUnavailable as error:
        return _failed(f"the store does not answer: {error.reason}")
    except CommandRefused as error:
        return _failed(str(error))
    except KeyboardInterrupt:
        return _failed("interrupted", _INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - no trace on standard error, whatever it is
        return _failed(faults.report(error))
    return code


def _run_app() -> int:
    try:
        app()
    except SystemExit as ended:
        if ended.code == _INTERRUPTED:
            raise KeyboardInterrupt from None
        return ended.code if isinstance(ended.code, int) else 0
    return 0


def _failed(reason: str, code: int = 1) -> int:
    _tell(f"customergraph: {' '.join(reason.splitlines())}")
    return code


@contextmanager
def _raising_on(number: signal.Signals, error: BaseException) -> Iterator[None]:
    """Raise an error at once when a signal comes: asyncio would wait for the end of a read of standard input."""

    def interrupt(_number: int, _frame: object) -> None:
        raise error

    previous = signal.signal(number, interrupt)
    try:
        yield
    finally:
        signal.signal(number, previous)


def _tell(line: str) -> None:
    _errors.print(line, markup=False)


def _on_store(
    database_url: str | None, job: Job[Result], *, may_be_made: bool = False, reads_only: bool = False
) -> Result:
    """Do a job on the configured store, which is up to date; an embedded one is made where it may be."""

    async def prepared(database: Database) -> Result:
        await upgrades.ready(database)
        if not reads_only:
            await backups.take_into_use(database)
        return await job(database)

    return _on_any_store(database_url, prepared, may_be_made=may_be_made)


def _on_any_store(database_url: str | None, job: Job[Result], *, may_be_made: bool = False) -> Result:
    """Do a job on the configured store, whatever its version."""
    settings = Settings.read(database_url=database_url)
    path = embedded_path(settings.database_url)
    if path is not None:
        embedded.refuse_unusable(path, may_be_made=may_be_made)

    async def run() -> Result:
        database = Database(settings.database_url, ConnectionOptions(pgbouncer=settings.pgbouncer))
        try:
            return await job(database)
        finally:
            await database.close()

    with _raising_on(signal.SIGTERM, SystemExit(_TERMINATED)):
        return asyncio.run(run())


@contextmanager
def _revoked_unless_shown(database_url: str | None, secret: str) -> Iterator[None]:
    """Revoke a new token when it cannot be shown to whoever asked for it."""
    prefix = secret[: access.PREFIX_LENGTH]
    try:
        yield
    except BaseException:
        try:
            _on_store(database_url, lambda database: access.revoke(database, prefix))
        except StoreUnavailable:
            raise CommandRefused(
                f"a token was made, but could neither be shown nor revoked: run `customergraph token revoke {prefix}`"
            ) from None
        raise


@app.command()
def demo(
    customers: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many customers to make.")] = 1000,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to listen.")] = 8000,
    path: Annotated[Path, typer.Option(help="The file of the demo's store.")] = Path("demo.db"),
) -> None:
    """Make a believable project in an embedded store, and serve it with GraphiQL."""
    _refuse_unusable_port("127.0.0.1", port)
    with _progress("customers") as progress, _raising_on(signal.SIGTERM, SystemExit(_TERMINATED)):
        task = progress.add_task("making", total=customers, visible=not path.exists())
        secret = asyncio.run(demo_project.opened(path, customers, lambda made: progress.advance(task, made)))
    url = f"http://127.0.0.1:{port}/graphql"
    settings = Settings.read(
        database_url=f"sqlite+aiosqlite:///{path}", host="127.0.0.1", port=port, workers=1, graphiql=True
    )
    with _revoked_unless_shown(settings.database_url, secret):
        print(f"GraphiQL and API: {url}\nToken: {secret}")  # noqa: T201
        print("It expires after 12 hours, or when the demo is started again.\n")  # noqa: T201
        print(f'curl {url} -H "Authorization: Bearer {secret}" \\')  # noqa: T201
        print('  --json \'{"query": "{ customers(first: 3) { totalCount nodes { name email } } }"}\'', flush=True)  # noqa: T201
    serving.serve(settings, shown_token=secret)


@app.command()
def serve(
    database_url: DatabaseUrl = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.")] = None,
    workers: Annotated[int | None, typer.Option(help="How many worker processes.")] = None,
    graphiql: Annotated[bool | None, typer.Option(help="Serve GraphiQL to browsers.")] = None,
) -> None:
    """Serve the configured store."""
    settings = Settings.read(database_url=database_url, host=host, port=port, workers=workers, graphiql=graphiql)
    _refuse_unusable_port(settings.host, settings.port)
    _on_store(settings.database_url, _nothing_more, may_be_made=True)
    serving.serve(settings)


def _refuse_unusable_port(host: str, port: int) -> None:
    """Raise CommandRefused, with the reason, where no server can listen."""
    for own in listening.listen(host, port):
        own.close()


async def _nothing_more(_database: Database) -> None:
    pass


@db.command("upgrade")
def db_upgrade(database_url: DatabaseUrl = None) -> None:
    """Bring the store up to date."""
    changed = _on_any_store(database_url, _upgraded, may_be_made=True)
    _tell("The store was upgraded." if changed else "The store is up to date.")


async def _upgraded(database: Database) -> bool:
    changed = await upgrades.upgrade(database)
    await backups.take_into_use(database)
    return changed


@db.command("backup")
def db_backup(
    file: Annotated[Path, typer.Argument(help="A new file, or an earlier backup, which is replaced.")],
    database_url: DatabaseUrl = None,
) -> None:
    """Copy the embedded store to a file while it serves, and check the copy."""
    size = _on_any_store(database_url, lambda database: backups.back_up(database, file))
    _tell(f"The store was backed up to {file} ({size:,} bytes).")


@db.command("check")
def db_check(database_url: DatabaseUrl = None) -> None:
    """Tell whether the store is up to date and consistent."""
    problems = _on_any_store(database_url, upgrades.problems)
    for problem in problems:
        _tell(f"customergraph: {problem}")
    if problems:
        raise SystemExit(1)
    _tell("The store is up to date and consistent.")


@project.command("create")
def project_create(
    slug: Annotated[str, typer.Argument(help="Its name in commands and addresses, like `acme`.")],
    name: Annotated[str, typer.Option(help="The name that people know it by.")],
    timezone: Annotated[str, typer.Option(help="The IANA time zone of its days.")] = "UTC",
    database_url: DatabaseUrl = None,
) -> None:
    """Add a project."""
    if not _SLUG.fullmatch(slug) or len(slug) > 100:  # noqa: PLR2004
        raise typer.BadParameter("give lower-case letters, digits and single hyphens, 100 at most", param_hint="SLUG")
    checked_name = _parameter("--name", lambda: text.required(name, 255))
    zone = _parameter("--timezone", lambda: timestamps.zone_name(timezone))
    _on_store(
        database_url, lambda database: access.create_project(database, slug, checked_name, zone), may_be_made=True
    )
    _tell(f"Project {slug} was created.")


@project.command("list")
def project_list(database_url: DatabaseUrl = None) -> None:
    """List all projects."""
    rows = _on_store(database_url, access.projects, reads_only=True)
    _print_table(("slug", "name", "timezone", "uuid"), [(r.slug, r.name, r.timezone, str(r.uuid)) for r in rows])


class ScopeOption(StrEnum):
    READ = "read"
    WRITE = "write"
    DELETE = "delete"


@token.command("create")
def token_create(
    slug: ProjectSlug,
    name: Annotated[str, typer.Option(help="Who or what will use it.")],
    scope: Annotated[
        list[ScopeOption] | None, typer.Option(help="What it may do; may be repeated.  [default: read]")
    ] = None,
    expires_in: Annotated[
        str | None, typer.Option(help="When it expires, like 90d; units s, m, h, d, w.", metavar="DURATION")
    ] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Make a token, and print it: it is shown this once alone."""
    checked_name = _parameter("--name", lambda: text.required(name, 255))
    expires_at = _expiry(expires_in)
    scopes = {Scope(option) for option in scope or [ScopeOption.READ]}
    secret = _on_store(
        database_url, lambda database: access.create_token(database, slug, checked_name, scopes, expires_at)
    )
    with _revoked_unless_shown(database_url, secret):
        print(secret, flush=True)  # noqa: T201
    _tell(f"This token for {slug} with {', '.join(sorted(scopes))} is not shown again.")


def _expiry(duration: str | None) -> datetime | None:
    if duration is None:
        return None
    match = _DURATION.fullmatch(duration)
    if match is None or int(match[1]) == 0:
        raise typer.BadParameter(f"{duration!r} is not a duration like 90d, 12h or 30m", param_hint="--expires-in")
    return timestamps.now() + timedelta(**{_UNITS[match[2]]: int(match[1])})


@token.command("list")
def token_list(slug: ProjectSlug, database_url: DatabaseUrl = None) -> None:
    """List a project's tokens; their secrets are kept nowhere."""
    rows = _on_store(database_url, lambda database: access.tokens(database, slug), reads_only=True)
    times = ("created_at", "expires_at", "revoked_at", "last_used_at")
    _print_table(
        ("prefix", "name", "scopes", *times),
        [(row.prefix, row.name, row.scopes, *(_shown(getattr(row, time)) for time in times)) for row in rows],
    )


def _shown(moment: datetime | None) -> str:
    return timestamps.rfc_3339(moment.replace(microsecond=0)) if moment else "-"


@token.command("revoke")
def token_revoke(
    prefix: Annotated[str, typer.Argument(help="The visible prefix, as `token list` shows it.")],
    database_url: DatabaseUrl = None,
) -> None:
    """Revoke a token, from now on and everywhere."""
    _on_store(database_url, lambda database: access.revoke(database, prefix))
    _tell(f"Token {prefix} was revoked.")


@app.command("import")
def import_(
    kind: Annotated[Kind, typer.Argument(help="What the rows are.")],
    file: Annotated[str, typer.Argument(help="A .csv or .ndjson file, or - for standard input.")],
    slug: ProjectSlug,
    format_: Annotated[
        Format | None, typer.Option("--format", help="What the file is, where its name does not tell.")
    ] = None,
    rejects: Annotated[
        Path | None,
        typer.Option(
            help="Where rejected rows go: a new file, or an earlier one of theirs.  [default: FILE.rejects.csv]"
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Import nothing unless all of it can be.")] = False,  # noqa: FBT002 - the way of Typer
    database_url: DatabaseUrl = None,
) -> None:
    """Import rows into a project: new ones are added, known ones are updated."""
    form = format_ or _format(file)
    rejects_path = rejects or Path("stdin.rejects.csv" if file == "-" else f"{file}.rejects.csv")
    if rejects_path.exists() and Path(file).exists() and rejects_path.samefile(file):
        raise SystemExit(_failed(f"--rejects {rejects_path} would replace FILE", 2))
    begun = time.monotonic()
    with streams.opened(file) as stream, _progress("bytes") as progress:
        refuse_device(stream, "standard input" if file == "-" else file)
        size = None if file == "-" else Path(file).stat().st_size
        task = progress.add_task(f"importing {kind}", total=size)
        summary = _on_store(
            database_url,
            lambda database: importer.run(
                database,
                Source(stream, form, kind, slug),
                Rejects(rejects_path),
                lambda count: progress.advance(task, count),
                strict=strict,
            ),
        )
    _tell(_told(kind, summary, time.monotonic() - begun))
    if summary.rejected:
        nothing = "Nothing was imported" if strict else "They were not imported"
        _tell(f"customergraph: {summary.rejected:,} rows were rejected. {nothing}: {rejects_path} says why.")
        raise SystemExit(1)


def _told(kind: Kind, summary: Summary, seconds: float) -> str:
    rate = summary.rows / max(seconds, 0.001)
    return (
        f"{kind}: {summary.added:,} added, {summary.changed:,} updated, {summary.rejected:,} rejected"
        f" in {seconds:.1f} s ({rate:,.0f} rows a second)"
    )


def _format(file: str) -> Format:
    suffix = Path(file).suffix.lower().removeprefix(".")
    if suffix not in set(Format):
        raise typer.BadParameter(
            "the name does not end in .csv or .ndjson: say which it is with --format", param_hint="FILE"
        )
    return Format(suffix)


@app.command("schema")
def schema_() -> None:
    """Print the schema in the schema definition language."""
    sys.stdout.write(sdl())


def _parameter(name: str, check: Callable[[], Result]) -> Result:
    try:
        return check()
    except ValueRefused as refused:
        raise typer.BadParameter(str(refused), param_hint=name) from None


def _progress(unit: str) -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=_errors, disable=not _errors.is_terminal, transient=True)


def _print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows as a table on a terminal, and separated by tabs in a pipe."""
    console = Console(highlight=False, emoji=False)
    if not console.is_terminal:
        for row in (columns, *rows):
            print("\t".join(row))  # noqa: T201
        return
    table = Table(*columns)
    for row in rows:
        table.add_row(*row)
    console.print(table)
