"""Every read of an operation: batched, cached, and taken from one snapshot for one principal."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from strawberry.dataloader import DataLoader

from customergraph.domain.customer import CustomerFilter
from customergraph.domain.message import MessageFilter
from customergraph.domain.paging import Page, Slice
from customergraph.store import access, catalog, customers, history
from customergraph.store.database import Read

Key = TypeVar("Key", bound=Hashable)
Batch = Callable[..., Awaitable[Sequence[Any]]]

# A row of the store, which is the source object of its GraphQL type as it is.
Row = Any


class Loaders:
    """One loader for each kind of read and its arguments, over one snapshot."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._known: dict[Hashable, DataLoader[Any, Any]] = {}

    def _loader(self, batch: Batch, *arguments: Hashable) -> DataLoader[Any, Any]:
        known = self._known.get((batch, arguments))
        if known is None:

            async def load(keys: list[Any]) -> Sequence[Any]:
                return await batch(self._read, keys, *arguments)

            known = self._known[batch, arguments] = DataLoader(load_fn=load)
        return known

    def customer(self) -> DataLoader[int, Row | None]:
        return self._loader(customers.by_ids)

    def customer_by_uuid(self) -> DataLoader[UUID, Row | None]:
        return self._loader(customers.by_uuids)

    def location(self) -> DataLoader[int, Row | None]:
        return self._loader(catalog.locations_by_ids)

    def tag(self) -> DataLoader[int, Row | None]:
        return self._loader(catalog.tags_by_ids)

    def message(self) -> DataLoader[int, Row | None]:
        return self._loader(history.messages.by_ids)

    def review(self) -> DataLoader[int, Row | None]:
        return self._loader(history.reviews.by_ids)

    def charge(self) -> DataLoader[int, Row | None]:
        return self._loader(history.charges.by_ids)

    def tags_of(self) -> DataLoader[int, list[Row]]:
        return self._loader(catalog.tags_of)

    def messages_of(self, page: Page, wanted: MessageFilter) -> DataLoader[int, Slice]:
        return self._loader(history.messages.pages, page, wanted)

    def reviews_of(self, page: Page) -> DataLoader[int, Slice]:
        return self._loader(history.reviews.pages, page)

    def charges_of(self, page: Page) -> DataLoader[int, Slice]:
        return self._loader(history.charges.pages, page)

    def message_count_of(self, wanted: MessageFilter) -> DataLoader[int, int]:
        return self._loader(history.messages.counts, wanted)

    def review_count_of(self) -> DataLoader[int, int]:
        return self._loader(history.reviews.counts)

    def charge_count_of(self) -> DataLoader[int, int]:
        return self._loader(history.charges.counts)

    async def customers(self, wanted: CustomerFilter, page: Page) -> Slice:
        return await customers.page(self._read, wanted, page)

    async def customer_count(self, wanted: CustomerFilter) -> int:
        return await customers.count(self._read, wanted)

    async def project(self) -> Row:
        return await access.own_project(self._read)

    async def locations(self) -> Sequence[Row]:
        return await catalog.locations(self._read)

    async def tags(self) -> Sequence[Row]:
        return await catalog.tags(self._read)
