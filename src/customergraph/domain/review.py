"""Reviews (contract, section 2)."""

from customergraph.domain.paging import KeyType, Ordering
from customergraph.errors import UserErrorCode, ValueRefused

REVIEWS_NEWEST_FIRST = Ordering("reviews", "created_at", KeyType.TIMESTAMP)


def score(text: str | int) -> int:
    """Read a score of 1 to 5."""
    if str(text) in {"1", "2", "3", "4", "5"}:
        return int(text)
    raise ValueRefused(UserErrorCode.INVALID, f"{str(text)[:40]!r} is not a score: give 1 to 5")
