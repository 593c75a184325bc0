"""What one execution of a compiled plan reads: all at once if it can be, or level by level."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, chain
from typing import Any

from graphql import GraphQLSchema

from customergraph.execution.compiler import Link, Load, Place
from customergraph.execution.fields import Columns, Loading
from customergraph.execution.graphql_core import VariableValues
from customergraph.execution.leaves import Unsure
from customergraph.execution.strawberry_internals import context_info
from customergraph.rows import Lists, Range, Singles

# The keys that are read, or the number of the link whose rows have them with their column; and the columns of the rows.
LinkedRequest = tuple[Any, Columns]


class _Nothing:
    """No objects at all."""

    count = 0
    counter = None

    def column(self, _name: str) -> Sequence[Any]:
        return ()

    def picked(self, _places: Sequence[int]) -> "_Nothing":
        return self

    def held(self, _name: str) -> tuple["_Nothing", Sequence[Range]]:
        return self, ()


class _Root(_Nothing):
    """The root, which has no attributes."""

    count = 1


class _Request:
    """The keys that are read from one loader together, and the columns that their rows need."""

    __slots__ = ("columns", "positions")

    def __init__(self) -> None:
        self.positions: dict[Any, int] = {}
        self.columns: Columns = frozenset()

    def add(self, keys: Sequence[Any], columns: Columns) -> list[int]:
        """Add keys; returns the position of each among all keys."""
        positions = self.positions
        self.columns = None if columns is None or self.columns is None else self.columns | columns
        return [positions.setdefault(key, len(positions)) for key in keys]

    def add_present(self, keys: Sequence[Any], columns: Columns) -> Sequence[int | None]:
        """Add keys that may be null, which have no position."""
        if None not in keys:
            return self.add(keys, columns)
        places = iter(self.add([key for key in keys if key is not None], columns))
        return [None if key is None else next(places) for key in keys]


class Reading:
    """Reads what one execution of a plan needs."""

    def __init__(
        self,
        places: Sequence[Place],
        links: Sequence[Link] | None,
        counts: int,
        schema: GraphQLSchema,
        variables: VariableValues,
        context: Any,
    ) -> None:
        # What the function that makes the answer takes: the objects of each place, where those of each of its
        # parents stand among them (a place of each, or a range of each), and counts.
        self.objects: list[Any] = [_NOTHING] * len(places)
        self.where: list[Sequence[Any]] = [()] * len(places)
        self.counts: list[Sequence[int]] = [()] * counts
        self._places = places
        self._links = links or ()
        self._schema = schema
        self._variables = variables
        self._loaders = context.loaders
        self._info = context_info(context)
        self._occurrences = [0] * len(places)
        self._loadings: dict[int, Loading | None] = {}
        self._requests: dict[Any, _Request] = {}
        self._loads: list[tuple[Load, Loading, Sequence[int | None]]] = []
        self._counting: list[tuple[Load, Any, Sequence[int]]] = []

    def occurrences(self) -> Mapping[str, int]:
        """Return how many objects of each type the answer has, without the root."""
        totals: Counter[str] = Counter()
        for place, count in zip(self._places[1:], self._occurrences[1:], strict=True):
            totals[place.selection.type.name] += count
        return totals

    async def run(self) -> None:
        """Read all; raises Unsure when something could not be read."""
        self._put(0, _Root(), 1)
        if not await self._read_linked():
            await self._read_by_level()

    async def _read_linked(self) -> bool:
        """Read all at once; returns False where one loader is needed for several places, or a place for nothing."""
        requests = self.requests()
        try:
            values = await self._loaders.read_linked(requests) if requests else None
        except Exception as error:
            raise Unsure from error
        if values is None:
            return False
        self._put_held(0)
        for link, values_of in zip(self._links, values, strict=True):
            self._put_linked(link, values_of)
        return True

    def requests(self) -> dict[Any, LinkedRequest] | None:
        """Return what is read at once, by loader; None where that cannot be."""
        requests: dict[Any, LinkedRequest] = {}
        for link in self._links:
            loader, request = self.request(link)
            if loader is None or loader in requests:
                return None
            requests[loader] = request
        return requests

    def request(self, link: Link) -> tuple[Any, LinkedRequest]:
        """Return what a link reads, and its loader; None as the loader where it reads nothing."""
        loading = self._loading(link.load if link.counted is None else self._links[link.counted].load)
        if loading is None:
            return None, ((), link.load.columns)
        loader = loading.loader if link.counted is None else loading.counter
        keys = [loading.key] if link.parent is None else (link.parent, link.column)
        return loader, (keys, link.load.columns)

    def _put_linked(self, link: Link, values_of: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
        load, objects = link.load, self.objects[link.place]
        if not objects.count:
            return
        if link.counted is not None:
            self.counts[load.target] = values_of(objects.column("list_key"))
            return
        loading: Any = self._loading(load)
        column = objects.column(link.column) if link.column else [loading.key]
        keys = list(dict.fromkeys(column))
        if link.column and None in keys:
            keys = [key for key in keys if key is not None]
        sources = loading.sources(values_of(keys), keys)
        if len(keys) == len(column):
            positions: Sequence[int | None] = range(len(keys))
        else:
            places = {key: place for place, key in enumerate(keys)}
            positions = list(map(places.get, column))
        self._put_sources(load, sources, positions)
        self._put_held(load.target)

    def _put_held(self, number: int) -> None:
        """Put what the objects of a place hold, and what these hold."""
        objects = self.objects[number]
        for load in self._places[number].held:
            held, ranges = objects.held(load.planned.declared.python_name)
            if load.planned.is_list:
                self._put_lists(load.target, held, ranges)
            else:
                # Not all of them may be in the answer, and one may be in it several times, as what holds it.
                self._put(load.target, held, self._occurrences[number])
            self._put_held(load.target)

    async def _read_by_level(self) -> None:
        ready = [0]
        while ready:
            self._requests, self._loads, self._counting = {}, [], []
            for number in ready:
                self._put_held(number)
                self._request_below(number)
            if self._requests:
                await self._read()
            ready = [load.target for load, _, _ in self._loads]

    def _loading(self, load: Load) -> Loading | None:
        """Return what loads a field; the same for all objects of its place."""
        if load.target not in self._loadings:
            planned = load.planned
            try:
                arguments = planned.converted(self._schema, self._variables)
                self._loadings[load.target] = planned.declared.loading(self._info, arguments)
            except Exception as error:
                raise Unsure from error
        return self._loadings[load.target]

    def _put(self, number: int, objects: Any, occurrences: int) -> None:
        self.objects[number] = objects
        self._occurrences[number] = occurrences

    def _request_below(self, number: int) -> None:
        """Request what is loaded for the objects of a place, and for the objects that they hold."""
        place, objects = self._places[number], self.objects[number]
        for load in place.held:
            self._request_below(load.target)
        if objects.count:
            for load in place.loads:
                self._request_load(load, objects)
            for load in place.counts:
                positions = self._of(objects.counter).add(objects.column("list_key"), frozenset())
                self._counting.append((load, objects.counter, positions))

    def _request_load(self, load: Load, objects: Any) -> None:
        field, columns = load.planned.declared, load.columns
        loading = self._loading(load)
        if loading is None:
            self.where[load.target] = [None] * objects.count
            return
        request = self._of(loading.loader)
        if field.key:
            positions = request.add_present(objects.column(field.key), columns)
        else:
            positions = request.add([loading.key], columns) * objects.count
        self._loads.append((load, loading, positions))

    def _of(self, loader: Any) -> _Request:
        request = self._requests.get(loader)
        if request is None:
            request = self._requests[loader] = _Request()
        return request

    async def _read(self) -> None:
        requests = {
            loader: (list(request.positions), request.columns)
            for loader, request in self._requests.items()
            if request.positions
        }
        values = await self._read_together(requests) if requests else []
        by_loader = dict(zip(requests, values, strict=True))
        for load, loading, positions in self._loads:
            self._put_loaded(load, loading, positions, by_loader)
        for load, loader, places in self._counting:
            counts = by_loader[loader]
            self.counts[load.target] = [counts[place] for place in places]

    async def _read_together(self, requests: Mapping[Any, tuple[Sequence[Any], Columns]]) -> list[Sequence[Any]]:
        is_last = not any(self._places[load.target].leads_on for load, _, _ in self._loads)
        try:
            values: list[Sequence[Any]] = await self._loaders.read_together(requests, is_last=is_last)
        except Exception as error:
            raise Unsure from error
        return values

    def _put_loaded(
        self, load: Load, loading: Loading, positions: Sequence[int | None], by_loader: Mapping[Any, Sequence[Any]]
    ) -> None:
        if loading.loader not in by_loader:
            # All keys are null.
            self.where[load.target] = positions
            return
        keys = list(self._requests[loading.loader].positions)
        self._put_sources(load, loading.sources(by_loader[loading.loader], keys), positions)

    def _put_sources(self, load: Load, sources: Any, positions: Sequence[int | None]) -> None:
        """Put the objects of a field, of the sources at these positions."""
        if load.planned.is_list:
            if type(sources) is not Lists:
                raise Unsure
            ranges = [None if place is None else sources.ranges[place] for place in positions]
            self._put_lists(load.target, sources.rows, ranges)
        elif type(sources) is Singles:
            places = [None if place is None else sources.places[place] for place in positions]
            self._put_singles(load.target, sources.rows, places)
        elif isinstance(sources, Sequence):
            raise Unsure
        else:
            self._put_singles(load.target, sources, positions)

    def _put_singles(self, number: int, objects: Any, places: Sequence[int | None]) -> None:
        """Put the objects of a field that has one, or none, of each parent."""
        present_places = [place for place in places if place is not None]
        if self._places[number].is_unshared and present_places != list(range(objects.count)):
            objects = objects.picked(present_places)
            numbers = iter(range(objects.count))
            places = [None if place is None else next(numbers) for place in places]
        self.objects[number], self.where[number] = objects, places
        self._occurrences[number] = len(present_places)

    def _put_lists(self, number: int, objects: Any, ranges: Sequence[Range | None]) -> None:
        """Put the objects of a field that has a list of each parent."""
        present_ranges = [one for one in ranges if one is not None]
        if self._places[number].is_unshared and not _cover(present_ranges, objects.count):
            objects = objects.picked(list(chain.from_iterable(range(*one) for one in present_ranges)))
            stops = list(accumulate(stop - start for start, stop in present_ranges))
            moved = iter(zip([0, *stops], stops, strict=False))
            ranges = [None if one is None else next(moved) for one in ranges]
        self.objects[number], self.where[number] = objects, ranges
        self._occurrences[number] = sum(stop - start for start, stop in present_ranges)


def _cover(ranges: Sequence[Range], count: int) -> bool:
    """Return whether the ranges cover so many objects, each of them once."""
    filled = [(start, stop) for start, stop in ranges if start < stop]
    starts = {start for start, _ in filled}
    # Each begins where another ends, the first begins at 0, and none overlap.
    return len(starts) == len(filled) and {*starts, count} == {0, *(stop for _, stop in filled)}


_NOTHING = _Nothing()
