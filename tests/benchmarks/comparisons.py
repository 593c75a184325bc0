"""What `benchmarks.scale` compares: requests, each at two stores or at two places of one list."""

import random
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from benchmarks.requests import REQUESTS, SOME_CUSTOMER
from benchmarks.stores import RARE_TAG, Store
from customergraph.domain.customer import CustomerDateKey, CustomerFilter, CustomerSortKey, ordering
from customergraph.domain.paging import Cursor, Ordering, SortDirection
from customergraph.store.database import Database
from customergraph.store.tables import customer
from mutations import CREATE, on_customer

LIST = """
query List($q: String, $email: String, $tagSlug: String, $filter: CustomerFilter, $key: CustomerSortKey,
           $dir: SortDirection, $first: Int, $last: Int, $after: String, $dateKey: CustomerDateKey, $from: Date,
           $to: Date) {
  customers(q: $q, email: $email, tagSlug: $tagSlug, filter: $filter, sortKey: $key, sortDir: $dir, first: $first,
            last: $last, after: $after, dateKey: $dateKey, dateFrom: $from, dateTo: $to) {
    nodes { id name email isArchived createdAt }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""
COUNT = """
query Count($q: String, $tagSlug: String, $filter: CustomerFilter) {
  customers(q: $q, tagSlug: $tagSlug, filter: $filter, first: 1) { totalCount }
}
"""
PAGE = 25
DEEP_PAGE = 10_000

# How many times as much the large store may take as the small one.
AIMS = dict.fromkeys(("list", "last page", "days", "search", "nested"), 2.0)
DEEP_PAGE_AIM = 1.5
COUNT_AIM_MS = 150

# The phone number of the generator's customer 500, those of 500 to 509, and words that the demo's texts have or lack.
SEARCHES = {
    "rare: one phone number": "2000500",
    "rare: seven phone numbers": "200050",
    "a full name": "søren weiß-o'brien",
    "one of 15: a last name": "rossi",
    "common: a domain": "example.com",
    "no hit": "zzyzx",
    "two characters, common": "an",
    "two characters, no hit": "qx",
}
REVERSED = {
    "archiveCustomer": "unarchiveCustomer",
    "unarchiveCustomer": "archiveCustomer",
    "unsubscribeCustomer": "resubscribeCustomer",
    "resubscribeCustomer": "unsubscribeCustomer",
}

SORTS = [key for key in CustomerSortKey if key is not CustomerSortKey.RELEVANCE]

Post = Callable[[str, Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to the small or the large store; `before` returns its variables, and is not timed."""

    at_large: bool
    query: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    before: Callable[[Post], Mapping[str, Any]] | None = None


@dataclass(slots=True)
class Comparison:
    """Two requests that should cost the same, or may cost `aim` times as much or `aim_ms`; and their times."""

    group: str
    name: str
    pair: tuple[Ask, Ask]
    aim: float | None = None
    aim_ms: float | None = None
    ms: tuple[float, float] = (0.0, 0.0)

    @property
    def ratio(self) -> float:
        return self.ms[1] / self.ms[0]

    @property
    def is_missed(self) -> bool:
        return bool((self.aim and self.ratio > self.aim) or (self.aim_ms and self.ms[1] > self.aim_ms))


def _sized(group: str, name: str, query: str, **variables: Any) -> Comparison:
    """Compare the same request at both stores."""
    pair = Ask(at_large=False, query=query, variables=variables), Ask(at_large=True, query=query, variables=variables)
    return Comparison(group, name, pair, AIMS.get(group))


def matrix() -> Iterator[tuple[CustomerFilter | None, CustomerSortKey, SortDirection, Comparison]]:
    """Compare the first page of each facet in each order."""
    for facet in (None, *CustomerFilter):
        for key in SORTS:
            for direction in SortDirection:
                name = f"{facet or 'no facet'} by {key} {direction}"
                order = {"filter": facet, "key": key, "dir": direction, "first": PAGE}
                yield facet, key, direction, _sized("list", name, LIST, **order)


async def rest(small: Store, large: Store) -> list[Comparison]:
    """Compare everything else."""
    return [
        *[comparison async for comparison in _places(large)],
        *_lists(),
        *_searches(),
        *_counts(),
        *_nested(),
        *_mutations(small, large),
    ]


async def _places(large: Store) -> AsyncIterator[Comparison]:
    """Compare the first page of each order, at the large store, with a page far behind it."""
    offset = min(PAGE * (DEEP_PAGE - 1), large.customers // 2 // PAGE * PAGE)
    database = Database(large.url)
    for key in SORTS:
        for direction in SortDirection:
            order = ordering(key, direction)
            cursor = await _cursor(database, order, offset)
            variables = {"key": key, "dir": direction, "first": PAGE}
            pair = Ask(True, LIST, variables), Ask(True, LIST, {**variables, "after": cursor})  # noqa: FBT003
            yield Comparison(f"page 1 and {offset // PAGE + 1:,}", f"by {key} {direction}", pair, DEEP_PAGE_AIM)
    await database.close()


async def _cursor(database: Database, order: Ordering, offset: int) -> str:
    """Return the cursor of the row before the page that begins after so many rows."""
    key, id_ = customer.c[order.column], customer.c.id
    place = [key.is_(None), key.desc(), id_.desc()] if order.descending else [key.is_(None), key, id_]
    listed = select(key.label("value"), id_).where(customer.c.is_archived.is_(False)).order_by(*place)
    async with database.unbound() as connection:
        row = (await connection.execute(listed.offset(offset - 1).limit(1))).one()
    return Cursor(row.value, row.id).encoded(order)


def _lists() -> Iterator[Comparison]:
    for key in SORTS:
        yield _sized("last page", f"by {key} DESC", LIST, key=key, last=PAGE)
    for date_key in CustomerDateKey:
        month = {"dateKey": date_key, "from": "2025-03-01", "to": "2025-03-31"}
        yield _sized("days", f"a month of {date_key}, by it", LIST, key=date_key, **month)
    yield _sized("list", "tagSlug", LIST, tagSlug="vip")
    yield _sized("list", "tagSlug by NAME ASC", LIST, tagSlug="vip", key="NAME", dir="ASC")
    yield _sized("list", "tagSlug of 20 customers", LIST, tagSlug=RARE_TAG)
    yield _sized("list", "email", LIST, email="nobody@example.com")


def _searches() -> Iterator[Comparison]:
    for name, words in SEARCHES.items():
        yield _sized("search", name, LIST, q=words)
    for name in ("one of 15: a last name", "common: a domain"):
        yield _sized("search", f"{name}, by NAME ASC", LIST, q=SEARCHES[name], key="NAME", dir="ASC")
    yield _sized("search", "one of 15: a last name, REVIEWED", LIST, q="rossi", filter="REVIEWED")
    yield Comparison(
        "search", "common, each after one without a hit", (_mixed(), _mixed(at_large=True)), AIMS["search"]
    )


def _mixed(*, at_large: bool = False) -> Ask:
    """Search after a search for other words on the same connection: one plan for both would be slow."""

    def before(post: Post) -> Mapping[str, Any]:
        post(LIST, {"q": SEARCHES["two characters, no hit"]})
        return {"q": SEARCHES["common: a domain"]}

    return Ask(at_large, LIST, before=before)


def _counts() -> Iterator[Comparison]:
    for facet in (None, *CustomerFilter):
        comparison = _sized("totalCount", facet or "no facet", COUNT, filter=facet)
        comparison.aim_ms = COUNT_AIM_MS
        yield comparison
    yield _sized("totalCount", "q: one of 15", COUNT, q="rossi")
    yield _sized("totalCount", "q: common", COUNT, q="example.com")
    yield _sized("totalCount", "tagSlug", COUNT, tagSlug="vip")
    yield _sized("totalCount", "tagSlug of 20 customers", COUNT, tagSlug=RARE_TAG)


def _nested() -> Iterator[Comparison]:
    for name, (what, query) in REQUESTS.items():
        variables = {"id": SOME_CUSTOMER} if name == "Q1" else {}
        yield _sized("nested", f"{name}: {what}", query, **variables)
    # The customer with the longest history is the oldest.
    for whose, direction in (("100 customers", "DESC"), ("100 customers, one with 100,000", "ASC")):
        for what, fields in {
            "latest 10 messages": "messages(first: 10) { nodes { id status scheduledAt } }",
            "count of messages": "messages { totalCount }",
            "scheduled messages": "messages(status: [SCHEDULED]) { nodes { id } }",
        }.items():
            query = f"{{ customers(first: 100, sortDir: {direction}) {{ nodes {{ id {fields} }} }} }}"
            yield _sized("nested", f"{what} of {whose}", query)


def _mutations(small: Store, large: Store) -> Iterator[Comparison]:
    names = (
        *REVERSED,
        "updateCustomerNotes",
        "cancelCustomerUnsentMessages",
        "updateCustomerTags",
    )
    for name in names:
        yield Comparison("mutation", name, (_change(name, small), _change(name, large, at_large=True)))
    yield Comparison("mutation", "createCustomer", (_create(), _create(at_large=True)))
    yield Comparison("mutation", "deleteCustomer", (_delete(), _delete(at_large=True)))


def _change(name: str, store: Store, *, at_large: bool = False) -> Ask:
    """Change one customer after another, each of which has been put into the opposite state before."""
    ids = count(random.randrange(1, store.customers // 2))  # noqa: S311 - nothing secret

    def before(post: Post) -> Mapping[str, Any]:
        variables = {"id": str(next(ids))}
        if name in REVERSED:
            post(on_customer(REVERSED[name]), variables)
        if name == "updateCustomerTags":
            post(on_customer(name), variables)
        return variables

    arguments = {"updateCustomerTags": ', tagSlugs: ["vip", "newsletter"]'}.get(name)
    return Ask(at_large, on_customer(name, arguments=arguments), before=before)


def _new(_post: Post) -> Mapping[str, Any]:
    number = uuid4().int
    contact = {"email": f"{number}@example.com", "phone": f"+1212{4_000_000 + number % 5_000_000}"}
    return {"input": {"firstName": "Ada", "lastName": "Lovelace", "tagSlugs": ["vip"], **contact}}


def _create(*, at_large: bool = False) -> Ask:
    return Ask(at_large, CREATE, before=_new)


def _delete(*, at_large: bool = False) -> Ask:
    def before(post: Post) -> Mapping[str, Any]:
        created = post(CREATE, _new(post))["createCustomer"]["customer"]
        return {"id": str(created["databaseId"])}

    return Ask(at_large, on_customer("deleteCustomer"), before=before)
