"""What `benchmarks.dashboards` asks."""

from collections.abc import Iterator
from typing import Any

from customergraph.domain.customer import CustomerSortKey

Ask = tuple[str, str, dict[str, Any]]

FILTERS: dict[str, dict[str, Any]] = {
    "location": {"locationSlug": "berlin"},
    "two tags": {"tagSlugs": ["vip", "new"]},
    "archived too": {"includeArchived": True},
}
LIST = """
query List($q: String, $locationSlug: String, $tagSlugs: [String!], $includeArchived: Boolean, $filter: CustomerFilter,
           $key: CustomerSortKey) {
  customers(q: $q, locationSlug: $locationSlug, tagSlugs: $tagSlugs, includeArchived: $includeArchived,
            filter: $filter, sortKey: $key, first: 10) { nodes { id name } pageInfo { hasNextPage endCursor } }
}
"""
SEARCHES = ("a", "an", "anna", "søren", "qx", "zzyzx", "s", "rossi", "é")


def asks() -> Iterator[Ask]:
    """Yield the name, the operation and the variables of each request."""
    for search in SEARCHES:
        for key in ("CREATED_AT", "NAME", "RELEVANCE"):
            yield f"search {search} by {key}", LIST, {"q": search, "key": key}
    for name, arguments in FILTERS.items():
        for key in CustomerSortKey:
            if key is not CustomerSortKey.RELEVANCE:
                yield f"list, {name} by {key}", LIST, {**arguments, "key": key}
