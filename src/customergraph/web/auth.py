"""Who asks: from the Authorization header to a token's use (RFC 6750)."""

from starlette.requests import Request

from customergraph.errors import Unauthenticated
from customergraph.store import access
from customergraph.store.access import TokenUse
from customergraph.store.database import Database


async def authenticated(request: Request, database: Database) -> TokenUse:
    """Find the token that a request carries; raises Unauthenticated for none and for one that is not valid."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Unauthenticated("A token is needed: send the header `Authorization: Bearer <token>`.")
    use = await access.authenticated(database, secret.strip())
    if use is None:
        raise Unauthenticated("This token is unknown, expired or revoked: send another one.")
    return use
