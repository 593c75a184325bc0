"""Thousands of rows, stored by column; single rows are made only for code that needs them."""

from collections import Counter, namedtuple
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import accumulate
from typing import Any, NamedTuple, overload

Row = Any


# Each class of named tuples takes 9 kB.
@lru_cache(maxsize=256)
def maker(names: tuple[str, ...]) -> Callable[[Sequence[Any]], Row]:
    """Return a function that makes a row of its values: a named tuple."""
    # A column without a name is read by its index.
    kind: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc] # noqa: PYI024 - known when it runs
    return partial(tuple.__new__, kind)


class Conversion(NamedTuple):
    """How the values of a column are made from the stored values; null stays null."""

    kind: type
    value: Callable[[Any], Any]
    # Makes values that the JSON encoder writes in the same way, faster; raises ValueError when one cannot be read.
    encodable: Callable[[Sequence[Any]], Sequence[Any]]


class Column(Sequence[Any]):
    """A column of stored values, whose values are made when they are first needed."""

    __slots__ = ("_values", "conversion", "stored")

    def __init__(self, conversion: Conversion, stored: Sequence[Any]) -> None:
        self.conversion = conversion
        self.stored = stored
        self._values: list[Any] | None = None

    @property
    def values(self) -> list[Any]:
        """The values; an exception for a stored value that cannot be read."""
        if self._values is None:
            self._values = list(map(self._value, self.stored))
        return self._values

    def _value(self, stored: Any) -> Any:
        try:
            return None if stored is None else self.conversion.value(stored)
        except (OverflowError, TypeError, ValueError) as error:
            return error

    def picked(self, places: Sequence[int]) -> "Column":
        """Return the values at these places."""
        return Column(self.conversion, [self.stored[place] for place in places])

    def __len__(self) -> int:
        return len(self.stored)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> "Column": ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return Column(self.conversion, self.stored[index])
        return self.values[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values)


def _picked(column: Sequence[Any], places: Sequence[int]) -> Sequence[Any]:
    return column.picked(places) if type(column) is Column else [column[place] for place in places]


class Rows:
    """Rows with the same columns."""

    __slots__ = ("_each", "column", "columns", "count")

    def __init__(self, columns: Mapping[str, Sequence[Any]], count: int) -> None:
        self.columns = columns
        # Returns the column of that name: a value of each row.
        self.column: Callable[[str], Sequence[Any]] = columns.__getitem__
        self.count = count
        self._each: list[Row] | None = None

    @property
    def each(self) -> list[Row]:
        """The rows, one by one."""
        if self._each is None:
            self._each = list(map(maker(tuple(self.columns)), zip(*self.columns.values(), strict=True)))
        return self._each

    def picked(self, places: Sequence[int]) -> "Rows":
        """Return the rows at these places."""
        return Rows({name: _picked(column, places) for name, column in self.columns.items()}, len(places))

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
        return self.whole.each[self.start : self.stop][index]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.whole.each[self.start : self.stop])


class Singles(Sequence[Row | None]):
    """One row of each key, or none. `places` says where it stands among the rows."""

    __slots__ = ("places", "rows")

    def __init__(self, rows: Rows, places: Sequence[int | None]) -> None:
        self.rows = rows
        self.places = places

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: Any) -> Any:
        place = self.places[index]
        return None if place is None else self.rows.each[place]


# Where a list of rows starts and stops among the rows of all lists.
Range = tuple[int, int]


class Lists(Sequence[Part]):
    """A list of rows of each key. `ranges` says where it stands among the rows."""

    __slots__ = ("ranges", "rows")

    def __init__(self, rows: Rows, ranges: Sequence[Range]) -> None:
        self.rows = rows
        self.ranges = ranges

    def __len__(self) -> int:
        return len(self.ranges)

    def __getitem__(self, index: Any) -> Any:
        return Part(self.rows, *self.ranges[index])


def ranges_of(keys: Sequence[Hashable], column: Sequence[Hashable]) -> list[Range]:
    """Return the range of each key in a column whose equal values stand together."""
    counts = Counter(column)
    stops = dict(zip(counts, accumulate(counts.values()), strict=True))
    return [(stops[key] - counts[key], stops[key]) if key in counts else (0, 0) for key in keys]
