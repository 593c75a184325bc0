"""The token of a request, from its Authorization header (RFC 6750)."""

from starlette.requests import HTTPConnection

from customergraph.errors import Unauthenticated


def is_anonymous(request: HTTPConnection) -> bool:
    """Return whether a request carries no token; GraphiQL sends the scheme alone until a token is typed."""
    return request.headers.get("authorization", "").strip().lower() in {"", "bearer"}


def secret(request: HTTPConnection) -> str:
    """Return the secret of the token that a request carries; raises Unauthenticated for none."""
    return secret_of(request.headers.get("authorization", ""))


def secret_of(authorization: str) -> str:
    """Return the secret that an Authorization header holds; raises Unauthenticated for none."""
    scheme, _, credentials = authorization.strip().partition(" ")
    if scheme.lower() in {"", "bearer"}:
        if not credentials.strip():
            raise Unauthenticated("A token is needed: send the header `Authorization: Bearer <token>`.")
        return credentials.strip()
    # Neither part is repeated: either may be the secret.
    wrong = "is of another scheme" if credentials else "lacks the scheme `Bearer`"
    raise Unauthenticated(f"The header `Authorization` {wrong}: send `Authorization: Bearer <token>`.")
