"""What `benchmarks.dashboards` asks."""

from collections.abc import Iterator
from typing import Any

from customergraph.domain.customer import CustomerSortKey

Ask = tuple[str, str, dict[str, Any]]

FILTERS: dict[str, dict[str, Any]] = {
    "location": {"locationSlug": "downtown"},
    "two tags": {"tagSlugs": ["vip", "newsletter"]},
    "archived too": {"includeArchived": True},
}
LIST = """
query List($q: String, $locationSlug: String, $tagSlugs: [String!], $includeArchived: Boolean, $filter: CustomerFilter,
           $key: CustomerSortKey) {
  customers(q: $q, locationSlug: $locationSlug, tagSlugs: $tagSlugs, includeArchived: $includeArchived,
            filter: $filter, sortKey: $key, first: 10) { nodes { id name } pageInfo { hasNextPage endCursor } }
}
"""
STATS = """
query Stats($from: Date!, $to: Date!, $interval: StatsInterval, $revenue: Boolean!, $reviews: Boolean!,
            $messages: Boolean!) {
  stats(dateFrom: $from, dateTo: $to, interval: $interval) {
    revenue @include(if: $revenue) { periodStart currency amount refunded chargesCount }
    reviews @include(if: $reviews) { periodStart reviewsCount averageScore scoreCounts }
    messages @include(if: $messages) { periodStart channel scheduledCount sentCount openedCount clickedCount }
  }
}
"""
COUNTS = """
query Counts($q: String, $locationSlug: String, $tagSlugs: [String!], $includeArchived: Boolean, $from: Date) {
  customers(q: $q, locationSlug: $locationSlug, tagSlugs: $tagSlugs, includeArchived: $includeArchived,
            dateFrom: $from, first: 1) { facetCounts { facet count } }
}
"""
FIELDS = ("revenue", "reviews", "messages")
SPANS = {
    "a month": ("2026-03-01", "2026-03-31", "MONTH"),
    "a year by month": ("2025-04-01", "2026-03-31", "MONTH"),
    "a year by day": ("2025-04-01", "2026-03-31", "DAY"),
}
COUNTED: dict[str, dict[str, Any]] = {
    "all": {},
    "of a quarter": {"from": "2026-01-01"},
    "of a search": {"q": "rossi"},
    **FILTERS,
}
HOME = """
query Home($from: Date!, $to: Date!) {
  customers(first: 25) { nodes { id name email location { name } tags { name color } } facetCounts { facet count } }
  stats(dateFrom: $from, dateTo: $to) {
    revenue { periodStart currency amount refunded } reviews { periodStart reviewsCount averageScore scoreCounts }
    messages { periodStart channel scheduledCount sentCount openedCount clickedCount }
  }
  reviews(first: 5) { nodes { score body customer { name } } }
}
"""
SEARCHES = ("a", "an", "anna", "søren", "qx", "zzyzx", "s", "rossi", "é")


def asks() -> Iterator[Ask]:
    """Yield the name, the operation and the variables of each request."""
    yield "home page", HOME, {"from": "2025-04-01", "to": "2026-03-31"}
    for name, arguments in COUNTED.items():
        yield f"facetCounts, {name}", COUNTS, arguments
    for field in FIELDS:
        for name, (first, last, interval) in SPANS.items():
            selected = {one: one == field for one in FIELDS}
            yield f"stats, {field}, {name}", STATS, {"from": first, "to": last, "interval": interval, **selected}
    for search in SEARCHES:
        for key in ("CREATED_AT", "NAME", "RELEVANCE"):
            yield f"search {search} by {key}", LIST, {"q": search, "key": key}
    for name, arguments in FILTERS.items():
        for key in CustomerSortKey:
            if key is not CustomerSortKey.RELEVANCE:
                yield f"list, {name} by {key}", LIST, {**arguments, "key": key}
