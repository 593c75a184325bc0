"""Who asks: from the Authorization header to a token's use (RFC 6750)."""

from starlette.requests import Request

from customergraph.domain.principal import Principal
from customergraph.errors import Unauthenticated
from customergraph.store import access
from customergraph.store.access import AuthenticatedToken
from customergraph.store.database import Database

# Whoever sends no token, where the schema is open to all; a stranger may read nothing else.
ANONYMOUS = AuthenticatedToken(
    Principal(project_id=0, timezone="UTC", scopes=frozenset()), token_id=0, to_be_noted=False
)


def is_stranger(request: Request) -> bool:
    """Tell whether a request carries no token; GraphiQL sends the scheme alone until one is typed."""
    return request.headers.get("authorization", "").strip().lower() in {"", "bearer"}


def secret(request: Request) -> str:
    """Give the token's secret that a request carries; raises Unauthenticated for none."""
    scheme, _, given = request.headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() in {"", "bearer"}:
        if not given.strip():
            raise Unauthenticated("A token is needed: send the header `Authorization: Bearer <token>`.")
        return given.strip()
    # Neither part is repeated: either may be the secret.
    wrong = "is of another scheme" if given else "lacks the scheme `Bearer`"
    raise Unauthenticated(f"The header `Authorization` {wrong}: send `Authorization: Bearer <token>`.")


async def authenticated(database: Database, secret: str) -> AuthenticatedToken:
    """Find the token of a secret; raises Unauthenticated for one that is not valid."""
    use = await access.authenticated(database, secret)
    if use is None:
        raise Unauthenticated("This token is unknown, expired or revoked: send another one.")
    return use
