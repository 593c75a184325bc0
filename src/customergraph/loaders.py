"""All reads of an operation: in batches, from one snapshot of one project."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from itertools import chain
from typing import Any

from customergraph.domain.identity import Kind
from customergraph.domain.paging import Page
from customergraph.store import access, catalog, customers, lists, lookups
from customergraph.store.entities import ENTITIES
from customergraph.store.rows import Columns
from customergraph.store.transactions import Read

# A row of the store is itself the source object of its GraphQL type.
Row = Any
Batch = Callable[..., Awaitable[Any]]
Load = Callable[[Sequence[Any], Columns], Awaitable[Sequence[Any]]]
_Request = tuple[Sequence[Any], "asyncio.Future[Sequence[Any]]"]


class Loader:
    """Loads values by their keys; all requests within two turns of the event loop are one batch."""

    def __init__(self, batch: Load) -> None:
        self._batch = batch
        self._requests: list[_Request] = []
        self._columns: Columns = frozenset()
        # The event loop has only weak references to its tasks.
        self._tasks: set[asyncio.Task[None]] = set()

    async def load(self, key: Any) -> Any:
        """Return the value of one key."""
        (value,) = await self.load_many((key,), None)
        return value

    def load_many(self, keys: Sequence[Any], columns: Columns) -> Awaitable[Sequence[Any]]:
        """Return the value of each key; rows have at least these columns, and all of them for None."""
        loop = asyncio.get_running_loop()
        if not self._requests:
            # Some resolvers reach their loader one turn later than others.
            loop.call_soon(loop.call_soon, self._begin)
            self._columns = columns
        elif columns is None or self._columns is None:
            self._columns = None
        else:
            self._columns |= columns
        values: asyncio.Future[Sequence[Any]] = loop.create_future()
        self._requests.append((keys, values))
        return values

    def _begin(self) -> None:
        requests, self._requests = self._requests, []
        # A task of its own: when one request is canceled, the others still get their values.
        task = asyncio.ensure_future(self._respond(requests, self._columns))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _respond(self, requests: Sequence[_Request], columns: Columns) -> None:
        keys = list(dict.fromkeys(chain.from_iterable(keys for keys, _ in requests)))
        try:
            by_key = dict(zip(keys, await self._batch(keys, columns), strict=True))
        except Exception as error:  # noqa: BLE001 - raised where the values are awaited
            for _, values in requests:
                if not values.done():
                    values.set_exception(error)
            return
        for request_keys, values in requests:
            if not values.done():
                values.set_result(list(map(by_key.__getitem__, request_keys)))


class Loaders:
    """One loader for each kind of read and its arguments, over one snapshot."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._loaders: dict[Hashable, Loader] = {}

    def _rows(self, batch: Batch, *arguments: Hashable) -> Loader:
        return self._loader(
            (batch, arguments), lambda keys, columns: batch(self._read, keys, *arguments, columns=columns)
        )

    def _counts(self, batch: Batch, *arguments: Hashable) -> Loader:
        return self._loader((batch, arguments), lambda keys, _columns: batch(self._read, keys, *arguments))

    def _of_project(self, batch: Batch) -> Loader:
        """Return the loader of a value that belongs to the project, and so is the same for every key."""

        async def load(keys: Sequence[Any], columns: Columns) -> Sequence[Any]:
            return [await batch(self._read, columns)] * len(keys)

        return self._loader(batch, load)

    def _loader(self, identity: Hashable, load: Load) -> Loader:
        if identity not in self._loaders:
            self._loaders[identity] = Loader(load)
        return self._loaders[identity]

    def by_id(self, kind: Kind) -> Loader:
        """Load the row of each id."""
        return self._rows(lookups.by_ids, ENTITIES[kind])

    def by_uuid(self, kind: Kind) -> Loader:
        """Load the row of each uuid."""
        return self._rows(lookups.by_uuids, ENTITIES[kind])

    def tags_of(self) -> Loader:
        return self._rows(catalog.tags_of)

    def page_of(self, kind: Kind, page: Page, criteria: Hashable = None) -> Loader:
        """Load each parent's page of the rows that meet the criteria."""
        return self._rows(lists.pages, ENTITIES[kind], page, criteria)

    def count_of(self, kind: Kind, criteria: Hashable = None) -> Loader:
        """Count each parent's rows that meet the criteria."""
        return self._counts(lists.counts, ENTITIES[kind], criteria)

    def customers(self, page: Page) -> Loader:
        """Load the page of customers that meet each criteria."""
        return self._rows(customers.pages, page)

    def customer_count(self) -> Loader:
        """Count the customers that meet each criteria."""
        return self._counts(customers.counts)

    def project(self) -> Loader:
        return self._of_project(access.current_project)

    def locations(self) -> Loader:
        return self._of_project(catalog.locations)

    def tags(self) -> Loader:
        return self._of_project(catalog.tags)
