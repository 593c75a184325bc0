"""Whose token it is, as clients may know it."""

from typing import Any

from customergraph.gateway.gateway import Gateway
from customergraph.gateway.throttle import Charge
from customergraph.store import access
from customergraph.store.access import AuthenticatedToken

_COST = 1


async def holder(gateway: Gateway, token: AuthenticatedToken) -> dict[str, Any]:
    """Return the project of a token, and the token's name, prefix, scopes and end.

    It waits for its turn and is charged as an operation is, which costs one object.
    """
    async with gateway.admission.turn(token.token_id):
        await gateway.throttle.take(token.token_id, Charge(requested=_COST))
        row = await access.holder(gateway.database, token.token_id)
    if token.must_record_use:
        gateway.last_uses.record(token.token_id)
    return {
        "name": row.name,
        "prefix": row.prefix,
        "scopes": row.scopes.split(),
        "expiresAt": row.expires_at,
        "project": {"name": row.project_name, "slug": row.slug, "timezone": row.timezone},
    }
