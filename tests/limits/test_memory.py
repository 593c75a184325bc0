"""What the process remembers stays within bytes, whatever valid clients select."""

import asyncio
import gc
import tracemalloc
from collections.abc import Callable
from itertools import combinations, islice

import pytest
from sqlalchemy import Executable
from sqlalchemy.ext.asyncio import create_async_engine

from customergraph.domain.message import MessageCriteria, MessageStatus
from customergraph.domain.paging import KeyType, Ordering
from customergraph.gateway.throttle import FEWEST_BUCKETS, MemoryBuckets, Rate
from customergraph.store import catalog, reads, statements
from customergraph.store.entities import CUSTOMER, MESSAGE, TAG
from customergraph.store.paging import PageShape
from customergraph.store.rows import Prepared
from customergraph.store.tables import message

pytestmark = pytest.mark.slow

DIALECTS = {
    "sqlite": create_async_engine("sqlite+aiosqlite:///none.db").dialect,
    "postgresql": create_async_engine("postgresql+asyncpg://nobody@nowhere/none").dialect,
}
SHAPE = PageShape(Ordering("messages", "created_at", KeyType.TIMESTAMP), backward=False, after=0, before=0)
# Names that are no column's make a statement another one.
SUBSETS = [
    frozenset({*(column.name for column in message.c), *names})
    for names in islice(combinations([f"other{number}" for number in range(12)], 3), 200)
]
KINDS: dict[str, Callable[[frozenset[str], str], Executable]] = {
    "pages": lambda columns, engine: pages(columns, MessageCriteria(), engine),
    "pages by status": lambda columns, engine: pages(columns, MessageCriteria(frozenset(MessageStatus)), engine),
    "messages by ids": lambda columns, _: reads._by_ids_statement(MESSAGE, columns),  # noqa: SLF001
    "customers by ids": lambda columns, _: reads._by_ids_statement(CUSTOMER, columns),  # noqa: SLF001
    "tags": lambda columns, _: catalog._all_statement(TAG, columns),  # noqa: SLF001
}


def pages(columns: frozenset[str], criteria: MessageCriteria, engine: str) -> Executable:
    lateral = engine == "postgresql"
    return reads._pages_statement(MESSAGE, SHAPE, criteria, columns, lateral=lateral)  # noqa: SLF001


@pytest.mark.parametrize("engine", DIALECTS)
@pytest.mark.parametrize("kind", KINDS)
def test_statements_take_no_more_bytes_than_they_are_counted_for(kind: str, engine: str) -> None:
    def write(columns: frozenset[str]) -> tuple[int, Executable, Prepared]:
        statement = KINDS[kind](columns, engine)
        return statements.size(statement), statement, Prepared(statement, DIALECTS[engine])

    statements.cache.clear()
    write(SUBSETS[0])
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]

    built = [write(columns) for columns in SUBSETS[1:11]]

    gc.collect()
    traced_bytes = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert traced_bytes <= sum(size for size, _, _ in built)


def test_statements_are_forgotten_when_all_take_too_much() -> None:
    statements.cache.clear()
    write = KINDS["pages by status"]

    first = write(SUBSETS[0], "sqlite")
    assert write(SUBSETS[0], "sqlite") is first
    for columns in SUBSETS:
        write(columns, "sqlite")

    assert len(statements.cache) < len(SUBSETS)
    assert statements.CACHE_BYTES / 2 < statements.cache.bytes <= statements.CACHE_BYTES
    assert write(SUBSETS[0], "sqlite") is not first


def test_buckets_that_are_full_again_are_forgotten() -> None:
    async def remembered_buckets() -> tuple[int, int, tuple[bool, float]]:
        buckets = MemoryBuckets(Rate(capacity=10, refill=10**9))
        slow = MemoryBuckets(Rate(capacity=10, refill=1))
        for number in range(10 * FEWEST_BUCKETS):
            await buckets.take(str(number), 10)
        for number in range(2 * FEWEST_BUCKETS):
            await slow.take(str(number), 10)
        return len(buckets), len(slow), await slow.take("0", 10)

    fast, slow, (is_taken, _) = asyncio.run(remembered_buckets())

    assert fast <= FEWEST_BUCKETS + 1
    # One that fills still is not forgotten.
    assert slow == 2 * FEWEST_BUCKETS
    assert not is_taken
