"""The tokens of requests. A valid token is remembered for a few seconds, so that most requests do not look it up."""

import time
from collections import OrderedDict
from typing import NamedTuple

from customergraph.domain import timestamps
from customergraph.errors import Unauthenticated
from customergraph.gateway.record import Record
from customergraph.store import access
from customergraph.store.access import AuthenticatedToken
from customergraph.store.database import Database

# Revoking a token takes effect within 5 seconds (contract, section 1).
REMEMBERED_SECONDS = 4
MAX_REMEMBERED = 10_000


class _Remembered(NamedTuple):
    token: AuthenticatedToken
    until: float


class Tokens:
    """Finds the tokens of secrets."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # By the digests of their secrets, in the order in which they are forgotten.
        self._remembered: OrderedDict[str, _Remembered] = OrderedDict()

    async def of(self, secret: str, record: Record) -> AuthenticatedToken:
        """Return the token of a secret; raises Unauthenticated for one that is unknown, expired or revoked.

        A look-up is recorded.
        """
        digest = access.digest(secret)
        remembered = self._remembered.get(digest)
        if remembered and remembered.until > time.monotonic() and not _has_expired(remembered.token):
            record.token, record.token_was_known = remembered.token, True
            return remembered.token
        record.token_was_known = False
        token = record.token = await access.authenticated(self._database, digest, record.usage)
        if token is None:
            raise Unauthenticated("This token is unknown, expired or revoked: send another one.")
        self._remember(digest, token)
        return token

    def _remember(self, digest: str, token: AuthenticatedToken) -> None:
        self._remembered[digest] = _Remembered(token.with_use_recorded(), time.monotonic() + REMEMBERED_SECONDS)
        self._remembered.move_to_end(digest)
        if len(self._remembered) > MAX_REMEMBERED:
            self._remembered.popitem(last=False)


def _has_expired(token: AuthenticatedToken) -> bool:
    return token.expires_at is not None and token.expires_at <= timestamps.now()
