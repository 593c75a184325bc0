"""Projects and tokens: the only tables that are read before the caller is authenticated."""

import secrets
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Row, and_, bindparam, insert, or_, select, true, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from customergraph.domain import timestamps
from customergraph.domain.principal import Principal, Scope
from customergraph.errors import (
    ProjectDeleted,
    SlugTaken,
    StoreUnavailable,
    TokenNameTaken,
    Unauthenticated,
    UnknownProject,
    UnknownToken,
)
from customergraph.rows import Rows, Singles
from customergraph.store.batches import Batch
from customergraph.store.database import Database
from customergraph.store.rows import Columns
from customergraph.store.tables import project, token
from customergraph.store.tenancy import TENANT
from customergraph.store.transactions import Write
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


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was just made, with its secret, which is not stored."""

    secret: str
    slug: str
    name: str
    scopes: str
    expires_at: datetime | None

    @property
    def prefix(self) -> str:
        return self.secret[:PREFIX_LENGTH]


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
    """Make a token for a project and return its secret, which is not stored.

    Raises TokenNameTaken where a valid token of the project owns the name; expired and revoked ones give it up.
    """
    secret = new_secret()
    async with database.unbound(writing=True) as connection:
        project_id = await lock_project(connection, project.c.slug == slug, slug)
        await _give_up_name(connection, project_id, name)
        await add_token(connection, project_id, name, written_scopes(scopes), expires_at, secret)
    return secret


def new_secret() -> str:
    return _MARK + secrets.token_urlsafe(32)


def written_scopes(scopes: Collection[Scope]) -> str:
    """Return scopes as they are stored."""
    return " ".join(scope for scope in Scope if scope in scopes)


async def lock_project(connection: AsyncConnection, condition: ColumnElement[bool], slug: str) -> int:
    """Keep others from making tokens for a project and from deleting it; returns its id.

    Rows are still added to it. Raises UnknownProject and ProjectDeleted.
    """
    statement = select(project.c.id, project.c.deleted_at).where(condition).with_for_update(key_share=True)
    row = (await connection.execute(statement)).first()
    if row is None:
        raise UnknownProject(slug)
    if row.deleted_at:
        raise ProjectDeleted(slug)
    return int(row.id)


async def _give_up_name(connection: AsyncConnection, project_id: int, name: str) -> None:
    """Free a name that an expired token owns; raises TokenNameTaken where a valid one does."""
    owns = and_(token.c.project_id == project_id, token.c.name == name, token.c.owns_name.is_(true()))
    now = timestamps.now()
    await connection.execute(update(token).where(owns, token.c.expires_at <= now).values(owns_name=False))
    prefix = await connection.scalar(select(token.c.prefix).where(owns, token.c.revoked_at.is_(None)))
    if prefix is not None:
        raise TokenNameTaken(name, prefix)


async def add_token(
    connection: AsyncConnection,
    project_id: int,
    name: str,
    scopes: str,
    expires_at: datetime | None,
    secret: str,
    *,
    owns_name: bool = True,
) -> None:
    row = {
        "project_id": project_id,
        "name": name,
        "prefix": secret[:PREFIX_LENGTH],
        "sha256": digest(secret),
        "scopes": scopes,
        "created_at": timestamps.now(),
        "expires_at": expires_at,
        "owns_name": owns_name,
    }
    await connection.execute(insert(token).values(row))


async def create_demo_token(database: Database, slug: str, lifetime: timedelta) -> str:
    """Make the demo's token, with all scopes, and revoke its earlier ones.

    It owns no name, so that a user's token may have the name too.
    """
    now = timestamps.now()
    # Older versions made the demo's tokens without the mark: under one name, which the upgrade numbered, with all
    # scopes, and without an end.
    is_named = or_(token.c.name == _DEMO_NAME, token.c.name.like(f"{_DEMO_NAME} (%)"))
    unmarked = and_(is_named, token.c.scopes == " ".join(Scope), token.c.expires_at.is_(None))
    demos = or_(token.c.prefix.startswith(_DEMO_MARK, autoescape=True), unmarked)
    secret = _DEMO_MARK + secrets.token_urlsafe(32)[len(_DEMO_MARK) - len(_MARK) :]
    scopes = written_scopes(set(Scope))
    async with database.unbound(writing=True) as connection:
        project_id = await lock_project(connection, project.c.slug == slug, slug)
        is_valid = and_(token.c.project_id == project_id, token.c.revoked_at.is_(None))
        await connection.execute(update(token).where(is_valid, demos).values(revoked_at=now))
        await add_token(connection, project_id, _DEMO_NAME, scopes, now + lifetime, secret, owns_name=False)
    return secret


def is_of_demo(prefix: str) -> bool:
    """Return whether a visible prefix is that of a token of the demo."""
    return prefix.startswith(_DEMO_MARK)


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


async def rename_project(database: Database, slug: str, new_slug: str | None, name: str | None) -> None:
    """Change the slug or the name of a project, or both; its id and uuid stay.

    Raises UnknownProject, ProjectDeleted, and SlugTaken when another one has the new slug.
    """
    changes = {column: value for column, value in (("slug", new_slug), ("name", name)) if value is not None}
    try:
        async with database.unbound(writing=True) as connection:
            id_ = await lock_project(connection, project.c.slug == slug, slug)
            await connection.execute(update(project).where(project.c.id == id_).values(changes))
    except IntegrityError:
        raise SlugTaken(new_slug or slug) from None


async def projects(database: Database) -> Sequence[Row[Any]]:
    async with database.unbound() as connection:
        return (await connection.execute(select(project).order_by(project.c.id))).all()


async def project_of_slug(database: Database, slug: str) -> Row[Any]:
    """Return the project with a slug; raises UnknownProject, and ProjectDeleted where its deletion has begun."""
    async with database.unbound() as connection:
        row = (await connection.execute(select(project).where(project.c.slug == slug))).first()
    if row is None:
        raise UnknownProject(slug)
    if row.deleted_at:
        raise ProjectDeleted(slug)
    return row


_PROJECT = select(project).where(project.c.id == TENANT)


def current_project(_keys: Sequence[None], *, columns: Columns) -> Batch:  # noqa: ARG001 - all of them
    """Read the project that the transaction was opened for, with all its columns."""
    return Batch(_PROJECT, {}, _of_each)


def _of_each(rows: Rows, keys: Sequence[None]) -> Singles:
    if not rows.count:
        # A worker remembers a token for some seconds.
        raise Unauthenticated("The project of this token was deleted: send another one.")
    return Singles(rows, [0] * len(keys))


async def refuse_deleted(write: Write, slug: str) -> None:
    """Raise ProjectDeleted where the deletion of the transaction's project has begun."""
    row = await write.row(_PROJECT)
    if row is None or row.deleted_at:
        raise ProjectDeleted(slug)


def digest(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
