"""Projects and tokens: the only tables that are read before the caller is authenticated."""

import secrets
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, and_, bindparam, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from customergraph.domain import timestamps
from customergraph.domain.principal import Principal, Scope
from customergraph.errors import SlugTaken, StoreUnavailable, UnknownProject, UnknownToken
from customergraph.rows import Singles
from customergraph.store.batches import Batch
from customergraph.store.database import Database
from customergraph.store.rows import Columns
from customergraph.store.tables import project, token
from customergraph.store.tenancy import TENANT
from customergraph.store.usage import Usage

PREFIX_LENGTH = 12
USE_RECORDED_EVERY = timedelta(minutes=1)

_MARK = "cg_"
# The secrets of the demo's tokens begin with this, and so do their visible prefixes.
_DEMO_MARK = "cg_demo"
_DEMO_NAME = "demo"


@dataclass(frozen=True, slots=True)
class AuthenticatedToken:
    """A valid token that was just used: its principal, and whether this use has to be recorded."""

    principal: Principal
    token_id: int
    must_record_use: bool
    expires_at: datetime | None = None
    # The visible part of its secret, and the slug of its project, for the logs.
    prefix: str | None = None
    project: str | None = None

    def with_use_recorded(self) -> "AuthenticatedToken":
        """Return the token for later requests, whose use need not be recorded again."""
        return replace(self, must_record_use=False)


_BY_SECRET = (
    select(
        token.c.id,
        token.c.project_id,
        token.c.scopes,
        token.c.expires_at,
        token.c.revoked_at,
        token.c.last_used_at,
        token.c.prefix,
        project.c.timezone,
        project.c.slug,
    )
    .join(project, project.c.id == token.c.project_id)
    .where(token.c.sha256 == bindparam("sha256"))
)


async def authenticated(database: Database, digest: str, usage: Usage) -> AuthenticatedToken | None:
    """Find the token by the digest of its secret; None for one that is unknown, expired or revoked."""
    row = await database.unbound_row(_BY_SECRET, {"sha256": digest}, holder=digest, usage=usage)
    now = timestamps.now()
    if row is None or row.revoked_at or (row.expires_at and row.expires_at <= now):
        return None
    scopes = frozenset(map(Scope, row.scopes.split()))
    is_recorded = row.last_used_at and row.last_used_at > now - USE_RECORDED_EVERY
    principal = Principal(row.project_id, row.timezone, scopes)
    return AuthenticatedToken(principal, row.id, not is_recorded, row.expires_at, row.prefix, row.slug)


_HOLDER = (
    select(
        token.c.name,
        token.c.prefix,
        token.c.scopes,
        token.c.expires_at,
        project.c.name.label("project_name"),
        project.c.slug,
        project.c.timezone,
    )
    .join(project, project.c.id == token.c.project_id)
    .where(token.c.id == bindparam("id"))
)


async def holder(database: Database, token_id: int) -> Row[Any]:
    """Return what a client may know of its token, and its project's names."""
    row: Row[Any] = await database.unbound_row(_HOLDER, {"id": token_id}, holder=token_id)
    return row


async def record_use(database: Database, token_id: int) -> bool:
    """Write that the token was used now, unless that was written within the last minute.

    Does nothing when the store is busy or away: nobody waits for this. Returns whether it was written.
    """
    now = timestamps.now()
    stale = or_(token.c.last_used_at.is_(None), token.c.last_used_at <= now - USE_RECORDED_EVERY)
    # Rows that are locked are skipped, not waited for; SQLite locks no rows.
    row = select(token.c.id).where(token.c.id == token_id, stale).with_for_update(skip_locked=True)
    with suppress(StoreUnavailable):
        async with database.background_write() as connection:
            result = await connection.execute(update(token).where(token.c.id.in_(row)).values(last_used_at=now))
            return result.rowcount == 1
    return False


async def create_token(
    database: Database, slug: str, name: str, scopes: Collection[Scope], expires_at: datetime | None
) -> str:
    """Make a token for a project and return its secret, which is not stored."""
    return await _add_token(database, slug, name, scopes, expires_at, _MARK + secrets.token_urlsafe(32))


async def create_demo_token(database: Database, slug: str, lifetime: timedelta) -> str:
    """Make the demo's token, with all scopes, and revoke its earlier ones."""
    project_id = (await project_of_slug(database, slug)).id
    now = timestamps.now()
    # Older versions made the demo's tokens without the mark: under one name, with all scopes, and without an end.
    unmarked = and_(token.c.name == _DEMO_NAME, token.c.scopes == " ".join(Scope), token.c.expires_at.is_(None))
    is_of_demo = or_(token.c.prefix.startswith(_DEMO_MARK, autoescape=True), unmarked)
    async with database.unbound(writing=True) as connection:
        is_valid = and_(token.c.project_id == project_id, token.c.revoked_at.is_(None))
        await connection.execute(update(token).where(is_valid, is_of_demo).values(revoked_at=now))
    secret = _DEMO_MARK + secrets.token_urlsafe(32)[len(_DEMO_MARK) - len(_MARK) :]
    return await _add_token(database, slug, _DEMO_NAME, set(Scope), now + lifetime, secret)


async def _add_token(
    database: Database, slug: str, name: str, scopes: Collection[Scope], expires_at: datetime | None, secret: str
) -> str:
    row = {
        "project_id": (await project_of_slug(database, slug)).id,
        "name": name,
        "prefix": secret[:PREFIX_LENGTH],
        "sha256": digest(secret),
        "scopes": " ".join(scope for scope in Scope if scope in scopes),
        "created_at": timestamps.now(),
        "expires_at": expires_at,
    }
    async with database.unbound(writing=True) as connection:
        await connection.execute(insert(token).values(row))
    return secret


async def tokens(database: Database, slug: str) -> Sequence[Row[Any]]:
    """Return a project's tokens, oldest first; raises UnknownProject for an unknown slug."""
    project_id = (await project_of_slug(database, slug)).id
    async with database.unbound() as connection:
        result = await connection.execute(select(token).where(token.c.project_id == project_id).order_by(token.c.id))
        return result.all()


async def revoke(database: Database, prefix: str) -> None:
    """Revoke the token whose visible prefix this is; revoking again keeps the first time.

    Raises UnknownToken where no token has the prefix.
    """
    async with database.unbound(writing=True) as connection:
        row = (await connection.execute(select(token).where(token.c.prefix == prefix))).first()
        if row is None:
            raise UnknownToken(prefix)
        if row.revoked_at is None:
            await connection.execute(update(token).where(token.c.id == row.id).values(revoked_at=timestamps.now()))


async def create_project(database: Database, slug: str, name: str, timezone: str) -> None:
    """Add a project; raises SlugTaken when another one has the slug."""
    row = {"uuid": uuid4(), "slug": slug, "name": name, "timezone": timezone}
    try:
        async with database.unbound(writing=True) as connection:
            await connection.execute(insert(project).values(row))
    except IntegrityError:
        raise SlugTaken(slug) from None


async def projects(database: Database) -> Sequence[Row[Any]]:
    async with database.unbound() as connection:
        return (await connection.execute(select(project).order_by(project.c.id))).all()


async def project_of_slug(database: Database, slug: str) -> Row[Any]:
    """Return the project with a slug; raises UnknownProject for an unknown slug."""
    async with database.unbound() as connection:
        row = (await connection.execute(select(project).where(project.c.slug == slug))).first()
    if row is None:
        raise UnknownProject(slug)
    return row


_PROJECT = select(project).where(project.c.id == TENANT)


def current_project(_keys: Sequence[None], *, columns: Columns) -> Batch:  # noqa: ARG001 - all of them
    """Read the project that the transaction was opened for, which is never deleted, with all its columns."""
    return Batch(_PROJECT, {}, lambda rows, keys: Singles(rows, [0] * len(keys)))


def digest(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
