"""The commands `token create`, `token list`, `token rotate` and `token revoke`."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Annotated

import typer

from customergraph.cli.console import print_json, print_list, report, written
from customergraph.cli.jobs import Job, on_store
from customergraph.cli.options import AsJson, DatabaseUrl, ProjectSlug, checked, examples
from customergraph.domain import text, timestamps
from customergraph.domain.principal import Scope
from customergraph.errors import CommandRefused, StoreUnavailable
from customergraph.store import access, rotations
from customergraph.store.access import NewToken

commands = typer.Typer(
    no_args_is_help=True,
    help="Tokens, with which programs and people authenticate.",
    epilog=examples("customergraph token create --project acme --name dashboard"),
)

_DURATION = re.compile(r"(\d{1,5})([smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_TIMES = ("created_at", "expires_at", "revoked_at", "last_used_at")

Prefix = Annotated[str, typer.Argument(help="The visible prefix, as `token list` shows it.")]


@commands.command(
    "create",
    epilog=examples(
        "customergraph token create --project acme --name dashboard",
        "customergraph token create --project acme --name loader --scope read --scope write --expires-in 90d --json",
    ),
)
def create(
    slug: ProjectSlug,
    name: Annotated[str, typer.Option(help="Who or what will use it. No other valid token of the project has it.")],
    scope: Annotated[
        list[Scope] | None, typer.Option(help="What it may do; may be repeated.", show_default="read")
    ] = None,
    expires_in: Annotated[
        str | None, typer.Option(help="When it expires, like 90d; units s, m, h, d, w.", metavar="DURATION")
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002 - as Typer declares flags
    database_url: DatabaseUrl = None,
) -> None:
    """Make a token and print it. It is not shown again."""
    name = checked("--name", partial(text.required, longest=255), name)
    expires_at = None if expires_in is None else timestamps.now() + _lifetime(expires_in)
    scopes = set(scope or [Scope.READ])
    secret = on_store(database_url, lambda database: access.create_token(database, slug, name, scopes, expires_at))
    with revoked_unless_shown(database_url, secret):
        _show(NewToken(secret, slug, name, access.written_scopes(scopes), expires_at), as_json=as_json)
    report(f"This token for {slug} with {', '.join(sorted(scopes))} is not shown again.")


@contextmanager
def revoked_unless_shown(database_url: str | None, secret: str, revoke: Job[None] | None = None) -> Iterator[None]:
    """Revoke a new token where showing it, or what comes with it, fails."""
    prefix = secret[: access.PREFIX_LENGTH]
    try:
        yield
    except BaseException:
        try:
            on_store(database_url, revoke or (lambda database: access.revoke(database, prefix)))
        except StoreUnavailable:
            raise CommandRefused(
                "the command failed, and could not revoke the token that it had made:"
                f" run `customergraph token revoke {prefix}`"
            ) from None
        raise


def _lifetime(duration: str) -> timedelta:
    lifetime = _time_span(duration, "--expires-in")
    if not lifetime:
        raise typer.BadParameter("a token must live longer than that", param_hint="--expires-in")
    return lifetime


def _time_span(duration: str, option: str) -> timedelta:
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise typer.BadParameter(f"{duration!r} is not a duration like 90d, 12h or 30m", param_hint=option)
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _show(token: NewToken, *, as_json: bool) -> None:
    """Print a new token: its secret alone, or all that is known of it as JSON."""
    if not as_json:
        print(token.secret, flush=True)  # noqa: T201
        return
    print_json(
        {
            "token": token.secret,
            "prefix": token.prefix,
            "project": token.slug,
            "name": token.name,
            "scopes": token.scopes.split(),
            "expires_at": written(token.expires_at),
        }
    )


@commands.command(
    "list",
    epilog=examples(
        "customergraph token list --project acme",
        "customergraph token list --project acme --json",
    ),
)
def list_all(
    slug: ProjectSlug,
    as_json: AsJson = False,  # noqa: FBT002 - as Typer declares flags
    database_url: DatabaseUrl = None,
) -> None:
    """List a project's tokens, without their secrets, which are not stored."""
    rows = on_store(database_url, lambda database: access.tokens(database, slug), reads_only=True)
    print_list(
        ("prefix", "name", "scopes", *_TIMES),
        [(row.prefix, row.name, row.scopes.split(), *(written(getattr(row, time)) for time in _TIMES)) for row in rows],
        as_json=as_json,
    )


@commands.command(
    "rotate",
    epilog=examples(
        "customergraph token rotate cg_Vq3dK9s1x",
        "customergraph token rotate cg_Vq3dK9s1x --overlap 7d",
        "customergraph token rotate cg_Vq3dK9s1x --overlap 0s --json",
    ),
)
def rotate(
    prefix: Prefix,
    overlap: Annotated[
        str, typer.Option(help="How long the old token stays valid; 0s ends it at once.", metavar="DURATION")
    ] = "24h",
    as_json: AsJson = False,  # noqa: FBT002 - as Typer declares flags
    database_url: DatabaseUrl = None,
) -> None:
    """Make a token like another, print it, and let the other one expire.

    The new token has the name, scopes, project and lifetime of the old one.
    """
    time_span = _time_span("0s" if overlap == "0" else overlap, "--overlap")
    rotation = on_store(database_url, lambda database: rotations.begin(database, prefix))
    # Where something fails, the new token is revoked, and the old one stays as it is.
    with revoked_unless_shown(
        database_url, rotation.successor.secret, lambda database: rotations.undo(database, rotation)
    ):
        _show(rotation.successor, as_json=as_json)
        ends_at = on_store(database_url, lambda database: rotations.finish(database, rotation, time_span))
    report(f"It replaces the token {prefix}, which expires at {written(ends_at)}. It is not shown again.")


@commands.command("revoke", epilog=examples("customergraph token revoke cg_Vq3dK9s1x"))
def revoke(prefix: Prefix, database_url: DatabaseUrl = None) -> None:
    """Revoke a token, from now on and everywhere."""
    on_store(database_url, lambda database: access.revoke(database, prefix))
    report(f"Token {prefix} was revoked.")
