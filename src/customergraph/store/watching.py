"""What workers ask for their subscriptions: which feeds have moved, and which tokens still hold."""

from collections.abc import Collection

from sqlalchemy import func, select

from customergraph.domain import timestamps
from customergraph.store.batches import among
from customergraph.store.database import Database
from customergraph.store.tables import feed, token
from customergraph.store.tenancy import across_projects

_STATES = across_projects(
    select(func.coalesce(feed.c.position, 0).label("position"), token.c.id, token.c.revoked_at, token.c.expires_at)
    .outerjoin(feed, feed.c.project_id == token.c.project_id)
    .where(among(token.c.id, "tokens"))
)


async def feed_positions(database: Database, token_ids: Collection[int]) -> dict[int, int]:
    """Return the position of the newest change of each token's project, without the tokens that do not hold any more.

    One statement, whatever the number of tokens. Raises StoreUnavailable.
    """
    rows = await database.unbound_rows(_STATES, {"tokens": list(token_ids)})
    now = timestamps.now()
    holding = (row for row in rows if not row.revoked_at and not (row.expires_at and row.expires_at <= now))
    return {row.id: row.position for row in holding}
