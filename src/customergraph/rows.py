"""Rows by the thousand: kept by column, and made one by one only for whoever asks for one."""

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import accumulate, chain
from typing import Any, NamedTuple, overload

Row = Any


# A kind of row takes 9 kB.
@lru_cache(maxsize=256)
def maker(names: tuple[str, ...]) -> Callable[[Sequence[Any]], Row]:
    """Give what makes a row of its values: a named tuple, which is read by place as well as by name."""
    # What has no name is read by its place.
    kind: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc] # noqa: PYI024 - known when it runs
    return partial(tuple.__new__, kind)


class Reading(NamedTuple):
    """How the values of a column are made of what the store has; null stays null."""

    kind: type
    value: Callable[[Any], Any]
    # Makes of all what the JSON encoder writes as it writes the values.
    answered: Callable[[Sequence[Any]], Sequence[Any]]


class Column(Sequence[Any]):
    """A column as the store has it, whose values are made when somebody asks for them."""

    __slots__ = ("_reading", "_stored", "_values")

    def __init__(self, stored: Sequence[Any], reading: Reading) -> None:
        self._stored = stored
        self._reading = reading
        self._values: list[Any] | None = None

    @property
    def kind(self) -> type:
        """The type of its values."""
        return self._reading.kind

    @property
    def values(self) -> list[Any]:
        """The values; a ValueError stands in the place of one that what is stored is none."""
        if self._values is None:
            self._values = list(map(self._value, self._stored))
        return self._values

    def _value(self, stored: Any) -> Any:
        try:
            return None if stored is None else self._reading.value(stored)
        except ValueError as error:
            return error

    def answered(self) -> Sequence[Any]:
        """Give what the JSON encoder writes as it writes the values; raises ValueError where one is none."""
        return self._reading.answered(self._stored)

    def __len__(self) -> int:
        return len(self._stored)

    @overload
    def __getitem__(self, place: int) -> Any: ...
    @overload
    def __getitem__(self, place: slice) -> "Column": ...
    def __getitem__(self, place: int | slice) -> Any:
        if isinstance(place, slice):
            return Column(self._stored[place], self._reading)
        return self.values[place]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values)


class Rows:
    """Rows with the same columns."""

    __slots__ = ("_each", "columns", "count")

    def __init__(self, columns: Mapping[str, Sequence[Any]], count: int) -> None:
        self.columns = columns
        self.count = count
        self._each: list[Row] | None = None

    @property
    def each(self) -> list[Row]:
        """The rows, one by one."""
        if self._each is None:
            self._each = list(map(maker(tuple(self.columns)), zip(*self.columns.values(), strict=True)))
        return self._each

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, place: slice) -> "Rows":
        columns = {name: column[place] for name, column in self.columns.items()}
        return Rows(columns, len(range(self.count)[place]))


class Part(Sequence[Row]):
    """Rows that stand together among others, as a list of them."""

    __slots__ = ("start", "stop", "whole")

    def __init__(self, whole: Rows, start: int, stop: int) -> None:
        self.whole = whole
        self.start = start
        self.stop = stop

    def __len__(self) -> int:
        return self.stop - self.start

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Row]: ...
    def __getitem__(self, place: int | slice) -> Row:
        if isinstance(place, slice) and place.step is None:
            start, stop, _ = place.indices(len(self))
            return Part(self.whole, self.start + start, self.start + max(start, stop))
        return self.whole.each[self.start : self.stop][place]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.whole.each[self.start : self.stop])


def joined(parts: Sequence[Part]) -> tuple[Rows, list[range]]:
    """Give the rows of all parts and no others, and the range of each part among them.

    Parts that make up a whole, as those of one statement do, have it already.
    """
    whole = parts[0].whole
    starts = [part.start for part in parts if len(part)]
    stops = {part.stop for part in parts if len(part)}
    # Each part begins where another ends, and the first at the beginning: none lie over each other.
    is_whole = len(set(starts)) == len(starts) and {*starts, whole.count} == stops | {0}
    if is_whole and all(part.whole is whole for part in parts):
        return whole, [range(part.start, part.stop) for part in parts]
    columns = {
        name: list(chain.from_iterable(part.whole.columns[name][part.start : part.stop] for part in parts))
        for name in whole.columns
    }
    ends = list(accumulate(map(len, parts)))
    return Rows(columns, ends[-1]), [range(end - len(part), end) for end, part in zip(ends, parts, strict=True)]
