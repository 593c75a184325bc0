"""What a compiled plan reads, level by level, where it cannot be read at once.

A loader that several places need reads the keys of all of them together.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from customergraph.execution.fields import Columns, Loading
from customergraph.execution.leaves import Unsure
from customergraph.execution.places import Load, Place, Placed


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


class LevelReading:
    """Reads what one execution of a plan needs, and puts the objects at their places."""

    def __init__(
        self, places: Sequence[Place], placed: Placed, loading: Callable[[Load], Loading | None], loaders: Any
    ) -> None:
        self._places = places
        self._placed = placed
        self._loading = loading
        self._loaders = loaders
        self._requests: dict[Any, _Request] = {}
        self._loads: list[tuple[Load, Loading, Sequence[int | None]]] = []
        self._counting: list[tuple[Load, Any, Sequence[int]]] = []

    async def run(self) -> None:
        """Read all; raises Unsure when something could not be read."""
        ready = [0]
        while ready:
            self._requests, self._loads, self._counting = {}, [], []
            for number in ready:
                self._placed.put_held(number)
                self._request_below(number)
            if self._requests:
                await self._read()
            ready = [load.target for load, _, _ in self._loads]

    def _request_below(self, number: int) -> None:
        """Request what is loaded for the objects of a place, and for the objects that they hold."""
        place, objects = self._places[number], self._placed.objects[number]
        for load in (*place.held, *place.made):
            self._request_below(load.target)
        if objects.count:
            for load in place.loads:
                self._request_load(load, objects)
            for load in (*place.counts, *place.parts):
                counter = objects.counters[load.planned.declared.python_name]
                positions = self._of(counter).add(objects.column("list_key"), load.columns or frozenset())
                self._counting.append((load, counter, positions))

    def _request_load(self, load: Load, objects: Any) -> None:
        field, columns = load.planned.declared, load.columns
        loading = self._loading(load)
        if loading is None:
            self._placed.where[load.target] = [None] * objects.count
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
        for load, loader, positions in self._counting:
            self._placed.put_counts(load, by_loader[loader], positions)

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
            self._placed.where[load.target] = positions
            return
        keys = list(self._requests[loading.loader].positions)
        self._placed.put_sources(load, loading.sources(by_loader[loading.loader], keys), positions)
