"""What the headers tell of a token's bucket (IETF, draft-ietf-httpapi-ratelimit-headers-11)."""

from functools import lru_cache
from math import ceil

from customergraph.errors import Throttled
from customergraph.gateway.throttle import BucketState, Rate

POLICY, LIMIT = "RateLimit-Policy", "RateLimit"


def headers(bucket: BucketState | None, refusal: Exception | None) -> dict[str, str]:
    """Return the headers for a bucket whose state is known.

    `r` is what is left, and `t` when the bucket is full again: a client that spreads what is left over this
    time is never refused. After a refusal it is the time of Retry-After, which the draft wants not to be earlier.
    """
    if bucket is None:
        return {}
    if isinstance(refusal, Throttled):
        seconds = refusal.retry_after
    else:
        seconds = max(1, ceil((bucket.rate.capacity - bucket.available) / bucket.rate.refill))
    return {POLICY: _policy(bucket.rate), LIMIT: f'"objects";r={bucket.available};t={seconds}'}


@lru_cache(maxsize=10)
def _policy(rate: Rate) -> str:
    # Without a unit of its own it would be a number of requests.
    return f'"objects";q={rate.capacity};qu="objects";w={ceil(rate.capacity / rate.refill)}'
