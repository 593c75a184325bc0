"""Every read of an operation: batched, and taken from one snapshot for one principal."""

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

# A row of the store, which is the source object of its GraphQL type as it is.
Row = Any
Batch = Callable[..., Awaitable[Any]]
Load = Callable[[Sequence[Any], Columns], Awaitable[Sequence[Any]]]
# Keys, and who waits for their values.
_Asked = tuple[Sequence[Any], "asyncio.Future[Sequence[Any]]"]


class Loader:
    """Gives the values of keys; all that is asked for in two turns of the event loop is one batch."""

    def __init__(self, batch: Load) -> None:
        self._batch = batch
        self._asked: list[_Asked] = []
        self._columns: Columns = frozenset()
        self._at_work: set[asyncio.Task[None]] = set()

    async def load(self, key: Any) -> Any:
        """Give the value of one key."""
        (value,) = await self.load_many((key,), None)
        return value

    def load_many(self, keys: Sequence[Any], columns: Columns) -> Awaitable[Sequence[Any]]:
        """Give the value of each key; rows have these columns at least."""
        loop = asyncio.get_running_loop()
        if not self._asked:
            # Some ask one turn later than others.
            loop.call_soon(loop.call_soon, self._begin)
            self._columns = columns
        elif columns is None or self._columns is None:
            self._columns = None
        else:
            self._columns |= columns
        answer: asyncio.Future[Sequence[Any]] = loop.create_future()
        self._asked.append((keys, answer))
        return answer

    def _begin(self) -> None:
        asked, self._asked = self._asked, []
        # A task of its own: whoever gives up leaves the answer to the others.
        task = asyncio.ensure_future(self._answer(asked, self._columns))
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)

    async def _answer(self, asked: Sequence[_Asked], columns: Columns) -> None:
        keys = list(dict.fromkeys(chain.from_iterable(keys for keys, _ in asked)))
        try:
            found = dict(zip(keys, await self._batch(keys, columns), strict=True))
        except Exception as error:  # noqa: BLE001 - told to whoever waits
            for _, answer in asked:
                if not answer.done():
                    answer.set_exception(error)
            return
        for wanted, answer in asked:
            if not answer.done():
                answer.set_result(list(map(found.__getitem__, wanted)))


class Loaders:
    """One loader for each kind of read and its arguments, over one snapshot."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._known: dict[Hashable, Loader] = {}

    def _loader(self, batch: Batch, *arguments: Hashable) -> Loader:
        """Give the loader of rows by their keys."""
        return self._once(
            (batch, arguments), lambda keys, columns: batch(self._read, keys, *arguments, columns=columns)
        )

    def _counter(self, batch: Batch, *arguments: Hashable) -> Loader:
        """Give the loader of what has no columns."""
        return self._once((batch, arguments), lambda keys, _columns: batch(self._read, keys, *arguments))

    def _whole(self, rows: Batch) -> Loader:
        """Give the loader of what the project has one of, whatever the key."""

        async def same(keys: Sequence[Any], columns: Columns) -> Sequence[Any]:
            return [await rows(self._read, columns)] * len(keys)

        return self._once(rows, same)

    def _once(self, identity: Hashable, load: Load) -> Loader:
        if identity not in self._known:
            self._known[identity] = Loader(load)
        return self._known[identity]

    def by_id(self, kind: Kind) -> Loader:
        """Load the row of each id."""
        return self._loader(lookups.by_ids, ENTITIES[kind])

    def by_uuid(self, kind: Kind) -> Loader:
        """Load the row of each uuid."""
        return self._loader(lookups.by_uuids, ENTITIES[kind])

    def tags_of(self) -> Loader:
        return self._loader(catalog.tags_of)

    def page_of(self, kind: Kind, page: Page, criteria: Hashable = None) -> Loader:
        """Load each parent's page of the rows that fulfil the criteria."""
        return self._loader(lists.pages, ENTITIES[kind], page, criteria)

    def count_of(self, kind: Kind, criteria: Hashable = None) -> Loader:
        """Count each parent's rows that fulfil the criteria."""
        return self._counter(lists.counts, ENTITIES[kind], criteria)

    def customers(self, page: Page) -> Loader:
        """Load the page of customers of each filter."""
        return self._loader(customers.pages, page)

    def customer_count(self) -> Loader:
        """Count the customers of each filter."""
        return self._counter(customers.counts)

    def project(self) -> Loader:
        return self._whole(access.own_project)

    def locations(self) -> Loader:
        return self._whole(catalog.locations)

    def tags(self) -> Loader:
        return self._whole(catalog.tags)
