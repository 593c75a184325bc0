"""The commands `token create`, `token list` and `token revoke`."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated

import typer

from customergraph.cli.console import print_table, report
from customergraph.cli.jobs import on_store
from customergraph.cli.options import DatabaseUrl, ProjectSlug, checked
from customergraph.domain import text, timestamps
from customergraph.domain.principal import Scope
from customergraph.errors import CommandRefused, StoreUnavailable
from customergraph.store import access

commands = typer.Typer(no_args_is_help=True, help="Tokens, with which programs and people authenticate.")

_DURATION = re.compile(r"(\d{1,5})([smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@commands.command("create")
def create(
    slug: ProjectSlug,
    name: Annotated[str, typer.Option(help="Who or what will use it.")],
    scope: Annotated[
        list[Scope] | None, typer.Option(help="What it may do; may be repeated.", show_default="read")
    ] = None,
    expires_in: Annotated[
        str | None, typer.Option(help="When it expires, like 90d; units s, m, h, d, w.", metavar="DURATION")
    ] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Make a token and print it. It is not shown again."""
    name = checked("--name", partial(text.required, longest=255), name)
    expires_at = _expiry(expires_in)
    scopes = set(scope or [Scope.READ])
    secret = on_store(database_url, lambda database: access.create_token(database, slug, name, scopes, expires_at))
    with revoked_unless_shown(database_url, secret):
        print(secret, flush=True)  # noqa: T201
    report(f"This token for {slug} with {', '.join(sorted(scopes))} is not shown again.")


@contextmanager
def revoked_unless_shown(database_url: str | None, secret: str) -> Iterator[None]:
    """Revoke a new token where showing it fails."""
    prefix = secret[: access.PREFIX_LENGTH]
    try:
        yield
    except BaseException:
        try:
            on_store(database_url, lambda database: access.revoke(database, prefix))
        except StoreUnavailable:
            raise CommandRefused(
                f"a token was made, but could neither be shown nor revoked: run `customergraph token revoke {prefix}`"
            ) from None
        raise


def _expiry(duration: str | None) -> datetime | None:
    if duration is None:
        return None
    match = _DURATION.fullmatch(duration)
    if match is None or int(match[1]) == 0:
        raise typer.BadParameter(f"{duration!r} is not a duration like 90d, 12h or 30m", param_hint="--expires-in")
    return timestamps.now() + timedelta(**{_UNITS[match[2]]: int(match[1])})


@commands.command("list")
def list_all(slug: ProjectSlug, database_url: DatabaseUrl = None) -> None:
    """List a project's tokens, without their secrets, which are not stored."""
    rows = on_store(database_url, lambda database: access.tokens(database, slug), reads_only=True)
    times = ("created_at", "expires_at", "revoked_at", "last_used_at")
    print_table(
        ("prefix", "name", "scopes", *times),
        [(row.prefix, row.name, row.scopes, *(_written(getattr(row, time)) for time in times)) for row in rows],
    )


def _written(timestamp: datetime | None) -> str:
    return timestamps.rfc_3339(timestamp.replace(microsecond=0)) if timestamp else "-"


@commands.command("revoke")
def revoke(
    prefix: Annotated[str, typer.Argument(help="The visible prefix, as `token list` shows it.")],
    database_url: DatabaseUrl = None,
) -> None:
    """Revoke a token, from now on and everywhere."""
    on_store(database_url, lambda database: access.revoke(database, prefix))
    report(f"Token {prefix} was revoked.")
