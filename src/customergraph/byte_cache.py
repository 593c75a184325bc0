"""Values that are remembered while they are used, within a bound of bytes."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class ByteCache(Generic[Key, Value]):
    """Keeps the values that were used last, as many as fit into so many bytes.

    `size` gives the bytes of a value, which may grow: `trim` looks again. `functools.lru_cache` counts
    entries alone, and the libraries that weigh them do so once.
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
        """Give the value of a key, if it is remembered."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: Key, value: Value) -> None:
        """Remember a value, and forget those that were not used for longest until all fit."""
        self._values[key] = value
        self.trim()

    def clear(self) -> None:
        """Forget all values."""
        self._values.clear()

    def trim(self) -> None:
        """Forget the values that were not used for longest until the rest fit."""
        excess = self.bytes - self._capacity
        while excess > 0:
            _, forgotten = self._values.popitem(last=False)
            excess -= self._size(forgotten)
