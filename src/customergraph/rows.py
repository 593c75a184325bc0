"""Thousands of rows, stored by column; single rows are made only for code that needs them."""

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import accumulate, chain
from typing import Any, NamedTuple, overload

Row = Any


# Each class of named tuples takes 9 kB.
@lru_cache(maxsize=256)
def maker(names: tuple[str, ...]) -> Callable[[Sequence[Any]], Row]:
    """Return a function that makes a row of its values: a named tuple."""
    # A column without a name is read by its index.
    kind: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc] # noqa: PYI024 - known when it runs
    return partial(tuple.__new__, kind)


class Reading(NamedTuple):
    """How the values of a column are made from the stored values; null stays null."""

    kind: type
    value: Callable[[Any], Any]
    # Makes values that the JSON encoder writes in the same way, faster.
    encodable: Callable[[Sequence[Any]], Sequence[Any]]


class Column(Sequence[Any]):
    """A column of stored values, whose values are made when they are first needed."""

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
        """The values; a ValueError for a stored value that cannot be read."""
        if self._values is None:
            self._values = list(map(self._value, self._stored))
        return self._values

    def _value(self, stored: Any) -> Any:
        try:
            return None if stored is None else self._reading.value(stored)
        except ValueError as error:
            return error

    def encodable(self) -> Sequence[Any]:
        """Return values that the encoder writes in the same way, faster; raises ValueError when one cannot be read."""
        return self._reading.encodable(self._stored)

    def __len__(self) -> int:
        return len(self._stored)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> "Column": ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return Column(self._stored[index], self._reading)
        return self.values[index]

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

    def __getitem__(self, index: slice) -> "Rows":
        columns = {name: column[index] for name, column in self.columns.items()}
        return Rows(columns, len(range(self.count)[index]))


class Part(Sequence[Row]):
    """A range of rows, as a list."""

    __slots__ = ("start", "stop", "whole")

    def __init__(self, whole: Rows, start: int, stop: int) -> None:
        self.whole = whole
        self.start = start
        self.stop = stop

    def __len__(self) -> int:
        return self.stop - self.start

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row:
        if isinstance(index, slice) and index.step is None:
            start, stop, _ = index.indices(len(self))
            return Part(self.whole, self.start + start, self.start + max(start, stop))
        return self.whole.each[self.start : self.stop][index]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.whole.each[self.start : self.stop])


def joined(parts: Sequence[Part]) -> tuple[Rows, list[range]]:
    """Return the rows of all parts and no others, and the range of each part among them.

    Makes no new rows when the parts cover their whole, as the pages of one statement do.
    """
    whole = parts[0].whole
    starts = [part.start for part in parts if len(part)]
    stops = {part.stop for part in parts if len(part)}
    # The parts cover the whole when each begins where another ends, the first begins at 0, and none overlap.
    is_whole = len(set(starts)) == len(starts) and {*starts, whole.count} == stops | {0}
    if is_whole and all(part.whole is whole for part in parts):
        return whole, [range(part.start, part.stop) for part in parts]
    columns = {
        name: list(chain.from_iterable(part.whole.columns[name][part.start : part.stop] for part in parts))
        for name in whole.columns
    }
    ends = list(accumulate(map(len, parts)))
    return Rows(columns, ends[-1]), [range(end - len(part), end) for end, part in zip(ends, parts, strict=True)]
