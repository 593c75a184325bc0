"""All reads of an operation: in batches, from one snapshot of one project."""

import asyncio
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Any

from customergraph.domain.customer import CustomerCriteria
from customergraph.domain.feed import FeedPage
from customergraph.domain.identity import Kind
from customergraph.domain.paging import Page
from customergraph.store import access, catalog, feed, reads, stats
from customergraph.store.batches import Batch
from customergraph.store.entities import ENTITIES, LOCATION, TAG
from customergraph.store.linked import FromParent
from customergraph.store.reads import Bounds
from customergraph.store.rows import Columns
from customergraph.store.snapshots import Read

# A row of the store is itself the source object of its GraphQL type.
Row = Any


class Loader:
    """Loads values by their keys. `batch` makes the statement that reads the values of many keys.

    All loads of single keys within two turns of the event loop are one batch.
    """

    def __init__(self, read: Read, batch: Callable[[Any, Columns], Batch]) -> None:
        self.batch = batch
        self._read = read
        self._waiting: dict[Any, asyncio.Future[Any]] = {}
        # The event loop has only weak references to its tasks.
        self._tasks: set[asyncio.Task[None]] = set()

    async def load(self, key: Any) -> Any:
        """Return the value of one key."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            # Some resolvers reach their loader one turn later than others.
            loop.call_soon(loop.call_soon, self._begin)
        value = self._waiting.get(key)
        if value is None:
            value = self._waiting[key] = loop.create_future()
        # When one of those that wait is canceled, the others still get their value.
        return await asyncio.shield(value)

    def _begin(self) -> None:
        waiting, self._waiting = self._waiting, {}
        task = asyncio.ensure_future(self._respond(waiting))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _respond(self, waiting: Mapping[Any, "asyncio.Future[Any]"]) -> None:
        try:
            keys = list(waiting)
            values = await self._read.values(self.batch(keys, None), keys)
        except Exception as error:  # noqa: BLE001 - raised where the values are awaited
            for future in waiting.values():
                future.set_exception(error)
                # Read, since those that wait may have been canceled.
                future.exception()
            return
        for future, value in zip(waiting.values(), values, strict=True):
            future.set_result(value)


# The keys of a batch, and the columns that its rows need.
Request = tuple[Sequence[Any], Columns]
# The same where the keys may be those that stand in a column of an earlier batch's rows: its number and the column.
LinkedRequest = tuple[Sequence[Any] | tuple[int, str], Columns]
# Returns the values of keys.
Values = Callable[[Sequence[Any]], Sequence[Any]]


class Loaders:
    """One loader for each kind of read and its arguments, over one snapshot."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._loaders: dict[Hashable, Loader] = {}

    async def read_linked(self, requests: Mapping[Loader, LinkedRequest]) -> list[Values] | None:
        """Read all that a query needs at once; returns what gives the values of each loader's keys.

        None when something has to be read before, or when there is too much to be read at once.
        """
        batches = _linked(requests)
        if not self._read.may_be_linked(batches):
            return None
        every_rows = await self._read.together(batches, is_last=True)
        return [partial(batch.values, rows) for batch, rows in zip(batches, every_rows, strict=True)]

    def linked_sql(self, requests: Mapping[Loader, LinkedRequest]) -> list[str] | None:
        """Return the statements that `read_linked` runs."""
        batches = _linked(requests)
        return self._read.sql(batches) if self._read.may_be_linked(batches) else None

    def sql(self, loader: Loader, request: LinkedRequest) -> list[str]:
        """Return the statement that reads from one loader."""
        keys, columns = request
        batch = loader.batch(() if isinstance(keys, tuple) else keys, columns)
        note = ["-- Its tag is looked up first, and it is planned for its values"] if batch.before else []
        return [*note, *self._read.sql([batch])]

    async def read_together(self, requests: Mapping[Loader, Request], *, is_last: bool) -> list[Sequence[Any]]:
        """Read the values of many keys from each loader, of rows that have at least the columns of its request.

        `is_last` says that nothing is read after it.
        """
        batches = [loader.batch(keys, columns) for loader, (keys, columns) in requests.items()]
        every_rows = await self._read.together(batches, is_last=is_last)
        keys = [keys for keys, _ in requests.values()]
        return [batch.values(rows, keys) for batch, rows, keys in zip(batches, every_rows, keys, strict=True)]

    def _loader(self, batch: Callable[..., Batch], *arguments: Hashable, **options: Hashable) -> Loader:
        identity = batch, arguments
        loader = self._loaders.get(identity)
        if loader is None:
            loader = self._loaders[identity] = Loader(
                self._read, lambda keys, columns: batch(keys, *arguments, **options, columns=columns)
            )
        return loader

    def by_id(self, kind: Kind) -> Loader:
        """Load the row of each id."""
        return self._loader(reads.by_ids, ENTITIES[kind])

    def by_uuid(self, kind: Kind) -> Loader:
        """Load the row of each uuid."""
        return self._loader(reads.by_uuids, ENTITIES[kind])

    def tags_of(self) -> Loader:
        return self._loader(catalog.tags_of)

    def page_of(self, kind: Kind, page: Page, criteria: Hashable = None) -> Loader:
        """Load each parent's page of the rows that meet the criteria."""
        return self._loader(reads.pages, ENTITIES[kind], page, criteria, lateral=self._read.lateral)

    def count_of(self, kind: Kind, criteria: Hashable = None) -> Loader:
        """Count each parent's rows that meet the criteria."""
        return self._loader(reads.counts, ENTITIES[kind], criteria)

    def page_of_project(self, kind: Kind, page: Page, criteria: Hashable, bounds: Bounds) -> Loader:
        """Load a page of the project's rows that meet the criteria and are within the bounds; for the key None."""
        return self._loader(reads.page_of_project, ENTITIES[kind], page, criteria, bounds)

    def count_of_project(self, kind: Kind, criteria: Hashable, bounds: Bounds) -> Loader:
        """Count the project's rows that meet the criteria and are within the bounds."""
        return self._loader(reads.count_of_project, ENTITIES[kind], criteria, bounds)

    def customers(self, criteria: CustomerCriteria, page: Page) -> Loader:
        """Load the page of customers that meet the criteria; for the key None, as all that follow."""
        return self._loader(reads.customers, criteria, page)

    def customer_count(self, criteria: CustomerCriteria) -> Loader:
        """Count the customers that meet the criteria."""
        return self._loader(reads.customer_count, criteria)

    def changes(self, page: FeedPage, token_id: int) -> Loader:
        """Load a page of the project's feed; for the key None."""
        return self._loader(feed.page, page, self._read.project_id, token_id)

    def facet_counts(self, criteria: CustomerCriteria) -> Loader:
        """Count the customers of each facet that meet the other criteria."""
        return self._loader(reads.facet_counts, criteria)

    def revenue(self, bounds: Bounds) -> Loader:
        """Add up the charges within the bounds; for periods, as the two that follow."""
        return self._loader(stats.revenue, bounds)

    def review_stats(self, bounds: Bounds) -> Loader:
        """Count the reviews within the bounds."""
        return self._loader(stats.reviews, bounds)

    def message_stats(self) -> Loader:
        """Count the messages by channel and stage."""
        return self._loader(stats.messages)

    def project(self) -> Loader:
        return self._loader(access.current_project)

    def locations(self) -> Loader:
        return self._loader(catalog.every, LOCATION)

    def tags(self) -> Loader:
        return self._loader(catalog.every, TAG)


def _linked(requests: Mapping[Loader, LinkedRequest]) -> list[Batch]:
    return [
        loader.batch(FromParent(*keys) if isinstance(keys, tuple) else keys, columns)
        for loader, (keys, columns) in requests.items()
    ]
