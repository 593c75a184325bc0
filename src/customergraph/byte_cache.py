"""A cache of the values that were used last, limited by their bytes."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class ByteCache(Generic[Key, Value]):
    """Keeps the values that were used last, as many as fit into `capacity` bytes.

    `size` returns the bytes of a value. A value may grow: `trim` measures again, which other
    libraries do not, and `functools.lru_cache` counts only entries.
    """

    def __init__(self, capacity: int, size: Callable[[Value], int]) -> None:
        self._capacity = capacity
        self._size = size
        self._values: OrderedDict[Key, Value] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    @property
    def bytes(self) -> int:
        """The bytes of all values."""
        return sum(map(self._size, self._values.values()))

    def get(self, key: Key) -> Value | None:
        """Return the value of a key, or None."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: Key, value: Value) -> None:
        """Add a value, and drop those that were not used for longest until all fit."""
        self._values[key] = value
        self.trim()

    def clear(self) -> None:
        self._values.clear()

    def trim(self) -> None:
        """Drop the values that were not used for longest until the rest fit."""
        excess = self.bytes - self._capacity
        while excess > 0:
            _, value = self._values.popitem(last=False)
            excess -= self._size(value)
