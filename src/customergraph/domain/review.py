"""The rules for reviews (contract, section 2)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from customergraph.domain import text
from customergraph.domain.entry import EntryRules, by_rule, by_rules
from customergraph.domain.owner import OWNER_CHECKS
from customergraph.domain.paging import KeyType, Ordering
from customergraph.errors import UserErrorCode, ValueRefused

REVIEWS_NEWEST_FIRST = Ordering("reviews", "created_at", KeyType.TIMESTAMP)
REVIEWS_BY_ID = Ordering.by_id("reviews")
SCORES = range(1, 6)


@dataclass(frozen=True, slots=True)
class ReviewCriteria:
    """The conditions that the reviews of a list meet; None is no condition."""

    scores: frozenset[int] | None = None


TEXT_RULES: Mapping[str, Callable[[str | None], str | None]] = {
    "body": text.up_to(50_000, multiline=True),
    "source": text.up_to(255),
    "url": text.up_to(2_000),
    "reply": text.up_to(50_000, multiline=True),
}


def score(value: str | int) -> int:
    """Read a score of 1 to 5."""
    if str(value) in map(str, SCORES):
        return int(value)
    raise ValueRefused(UserErrorCode.INVALID, f"{str(value)[:40]!r} is not a score: give 1 to 5")


RULES = EntryRules(
    never_null=("score", "source", "created_at"),
    checks={
        **OWNER_CHECKS,
        **by_rules({"score": score, **TEXT_RULES}),
        "location_slug": by_rule(text.up_to(text.MAX_SLUG_LENGTH)),
    },
    now_when_new=frozenset({"created_at"}),
)
