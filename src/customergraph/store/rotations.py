"""The rotation of a token: a new one takes its place, and it expires after an overlap.

It takes two steps, so that the old token stays as it is until the new one was shown.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Update, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from customergraph.domain import timestamps
from customergraph.errors import TokenUnusable, UnknownToken
from customergraph.store import access
from customergraph.store.access import NewToken
from customergraph.store.database import Database
from customergraph.store.tables import project, token


@dataclass(frozen=True, slots=True)
class Rotation:
    """A token that is rotated, when it would have expired, and the token that takes its place."""

    prefix: str
    expires_at: datetime | None
    successor: NewToken


async def begin(database: Database, prefix: str) -> Rotation:
    """Make a token with the name, scopes, project and lifetime of another, which stays as it is.

    Raises UnknownToken, and TokenUnusable for a token that is not valid or was replaced.
    """
    async with database.unbound(writing=True) as connection:
        old = await _locked(connection, prefix)
        lifetime = old.expires_at and old.expires_at - old.created_at
        expires_at = lifetime and timestamps.now() + lifetime
        successor = NewToken(access.new_secret(), old.slug, old.name, old.scopes, expires_at)
        await access.add_token(
            connection, old.project_id, old.name, old.scopes, expires_at, successor.secret, owns_name=False
        )
    return Rotation(prefix, old.expires_at, successor)


async def finish(database: Database, rotation: Rotation, overlap: timedelta) -> datetime:
    """Give the successor the name, and let the old token expire after the overlap; returns when it does.

    Raises TokenUnusable where the old token was revoked or replaced meanwhile.
    """
    async with database.unbound(writing=True) as connection:
        old = await _locked(connection, rotation.prefix)
        ends_at = timestamps.now() + overlap
        expires_at: datetime = min(old.expires_at or ends_at, ends_at)
        change = update(token).where(token.c.id == old.id)
        await connection.execute(change.values(owns_name=False, expires_at=expires_at))
        await connection.execute(_change(rotation.successor.prefix).values(owns_name=True))
    return expires_at


async def undo(database: Database, rotation: Rotation) -> None:
    """Revoke the successor, and leave the old token as it was, though the rotation may have been finished."""
    async with database.unbound(writing=True) as connection:
        new = select(token.c.owns_name).where(token.c.prefix == rotation.successor.prefix).with_for_update()
        is_finished = await connection.scalar(new)
        ends = _change(rotation.successor.prefix).values(owns_name=False, revoked_at=timestamps.now())
        await connection.execute(ends)
        if is_finished:
            back = _change(rotation.prefix).values(owns_name=True, expires_at=rotation.expires_at)
            await connection.execute(back)


def _change(prefix: str) -> Update:
    return update(token).where(token.c.prefix == prefix)


_TOKEN = select(token, project.c.slug).join(project, project.c.id == token.c.project_id)


async def _locked(connection: AsyncConnection, prefix: str) -> Any:
    """Return a token that can be rotated, with the slug of its project, and keep others from changing it."""
    found = (await connection.execute(_TOKEN.where(token.c.prefix == prefix))).first()
    if found is None:
        raise UnknownToken(prefix)
    await access.lock_project(connection, project.c.id == found.project_id, found.slug)
    # It is read again: another command may have changed it before the lock was ours.
    statement = _TOKEN.where(token.c.id == found.id).with_for_update(of=token)
    row = (await connection.execute(statement)).first()
    if row is None:
        raise UnknownToken(prefix)
    state = _why_unusable(row)
    if state:
        raise TokenUnusable(prefix, state)
    return row


def _why_unusable(row: Any) -> str | None:
    if row.revoked_at:
        return "was revoked"
    if row.expires_at and row.expires_at <= timestamps.now():
        return "has expired"
    if access.is_of_demo(row.prefix):
        return "is the demo's, which makes another at each start"
    return None if row.owns_name else "was replaced by another one"
