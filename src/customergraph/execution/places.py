"""The places of a plan, and of one execution the objects that stand at them.

A place is a selection of objects of one type.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain
from typing import Any

from customergraph.execution.fields import Columns
from customergraph.execution.leaves import Unsure
from customergraph.execution.plan import PlannedField, Selection
from customergraph.rows import Lists, Range, Rows, Singles


@dataclass(frozen=True, slots=True)
class Load:
    """A field that is loaded, or that counts, for all objects of a place."""

    planned: PlannedField
    # The place of its objects; for a count its number.
    target: int
    # The columns that the rows of its objects need.
    columns: Columns = None


@dataclass(slots=True)
class Place:
    """A selection of objects of one type: what is loaded for them, and what they hold."""

    number: int
    selection: Selection
    loads: list[Load] = field(default_factory=list)
    counts: list[Load] = field(default_factory=list)
    held: list[Load] = field(default_factory=list)
    # Counts that are objects, and objects that are made of arguments.
    parts: list[Load] = field(default_factory=list)
    made: list[Load] = field(default_factory=list)
    # Whether more is read below; and whether each object has to be made anew for each of its parents.
    leads_on: bool = False
    is_unshared: bool = False

    @property
    def is_flat(self) -> bool:
        """Whether its objects hold no others, and need no counts."""
        return not (self.loads or self.counts or self.held or self.parts or self.made)


@dataclass(frozen=True, slots=True)
class Link:
    """What is read for a load: its keys are a column of another load's rows, or known where there is no parent."""

    # The place of the objects that it is loaded for.
    place: int
    load: Load
    # The number of the link whose rows have the keys, and their column. Where there is a column alone, it is
    # one of the objects of the place, which are made and not read.
    parent: int | None
    column: str | None
    # The number of the link of the lists that are counted.
    counted: int | None = None


def links_of(places: Sequence[Place]) -> list[Link] | None:
    """Return what a plan reads, parents first; None where the keys are no column of what is read."""
    links: list[Link] = []
    # The link that reads the objects of each place.
    producers: dict[int, int | None] = {0: None}
    made = {load.target for load in places[0].made}

    def add(number: int) -> bool:
        place, producer = places[number], producers[number]
        for load in (*place.counts, *place.parts):
            if producer is None:
                return False
            if load in place.parts:
                producers[load.target] = len(links)
            of_list = links[producer]
            links.append(Link(number, load, of_list.parent, of_list.column, counted=producer))
        for load in place.loads:
            key = load.planned.declared.key
            if (key is None) is not (producer is None) and number not in made:
                return False
            producers[load.target] = len(links)
            links.append(Link(number, load, producer, key))
        for load in (*place.held, *place.made):
            producers[load.target] = producer
        return all(add(load.target) for load in (*place.loads, *place.held, *place.parts, *place.made))

    return links if add(0) else None


class _Nothing:
    """No objects at all."""

    count = 0

    def column(self, _name: str) -> Sequence[Any]:
        return ()

    def picked(self, _places: Sequence[int]) -> "_Nothing":
        return self

    def held(self, _name: str) -> tuple["_Nothing", Sequence[Range]]:
        return self, ()


class _Root(_Nothing):
    """The root, which has no attributes."""

    count = 1


_NOTHING = _Nothing()


class Placed:
    """The objects of each place in one execution: what the function that makes the answer takes."""

    def __init__(self, places: Sequence[Place], counts: int) -> None:
        self.objects: list[Any] = [_NOTHING] * len(places)
        # Where the objects of each parent stand among those of a place: a number of each parent, or a range of each.
        self.where: list[Sequence[Any]] = [()] * len(places)
        self.counts: list[Sequence[int]] = [()] * counts
        self._places = places
        self._occurrences = [0] * len(places)
        self._put(0, _Root(), 1)

    def occurrences(self) -> Mapping[str, int]:
        """Return how many objects of each type the answer has, without the root."""
        totals: dict[str, int] = {}
        for place, count in zip(self._places[1:], self._occurrences[1:], strict=True):
            name = place.selection.type.name
            totals[name] = totals.get(name, 0) + count
        return totals

    def put_held(self, number: int) -> None:
        """Put what the objects of a place hold, and what these hold."""
        objects = self.objects[number]
        for load in self._places[number].held:
            held, ranges = objects.held(load.planned.declared.python_name)
            if load.planned.is_list:
                self._put_lists(load.target, held, ranges)
            else:
                # Not all of them may be in the answer, and one may be in it several times, as what holds it.
                self._put(load.target, held, self._occurrences[number])
            self.put_held(load.target)

    def put_made(self, number: int, made: Any) -> None:
        """Put the one object of a place, a named tuple."""
        self._put_singles(number, Rows({name: [value] for name, value in made._asdict().items()}, 1), [0])

    def put_counts(self, load: Load, counts: Any, positions: Sequence[int]) -> None:
        """Put the counts of lists, numbers or objects for each, which are those at these positions."""
        if load.planned.leaf:
            self.counts[load.target] = counts if type(positions) is range else [counts[one] for one in positions]
        else:
            self.put_sources(load, counts, positions)

    def put_sources(self, load: Load, sources: Any, positions: Sequence[int | None]) -> None:
        """Put the objects of a field, of the sources at these positions; a range stands for all of them."""
        if load.planned.is_list:
            if type(sources) is not Lists:
                raise Unsure
            ranges = sources.ranges if type(positions) is range else _at(sources.ranges, positions)
            self._put_lists(load.target, sources.rows, ranges)
        elif type(sources) is Singles:
            places = sources.places if type(positions) is range else _at(sources.places, positions)
            self._put_singles(load.target, sources.rows, places)
        elif isinstance(sources, Sequence):
            raise Unsure
        else:
            self._put_singles(load.target, sources, positions)

    def _put_singles(self, number: int, objects: Any, places: Sequence[int | None]) -> None:
        """Put the objects of a field that has one, or none, of each parent."""
        present_places = [place for place in places if place is not None] if None in places else places
        if self._places[number].is_unshared and list(present_places) != list(range(objects.count)):
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

    def _put(self, number: int, objects: Any, occurrences: int) -> None:
        self.objects[number] = objects
        self._occurrences[number] = occurrences


def _at(values: Sequence[Any], positions: Sequence[int | None]) -> list[Any]:
    return [None if position is None else values[position] for position in positions]


def _cover(ranges: Sequence[Range], count: int) -> bool:
    """Return whether the ranges cover so many objects, each of them once."""
    filled = [(start, stop) for start, stop in ranges if start < stop]
    starts = {start for start, _ in filled}
    # Each begins where another ends, the first begins at 0, and none overlap.
    return len(starts) == len(filled) and {*starts, count} == {0, *(stop for _, stop in filled)}
