"""The names of operations that metrics tell apart: those that are seen most, as far as that can be known early.

A series of Prometheus cannot be taken back, and clients choose the names: one that writes an id into each name would
fill any table. So half of the places are for names as they come, and half for those that come again and again.
"""

import fcntl
from collections import OrderedDict
from pathlib import Path

ANONYMOUS, OTHER, NONE = "anonymous", "other", "none"
MOST_NAMES = 100
# From so many names on, a name has to be seen so often in a worker before it gets a place.
_FREE_PLACES = MOST_NAMES // 2
_SEEN_OFTEN = 10
_MOST_CANDIDATES = 1_000


class OperationNames:
    """Gives at most so many names a label of their own, in all workers together, which share a file of names."""

    def __init__(self, shared: Path) -> None:
        self._shared = shared
        self._known: set[str] = set()
        # How often names without a place were seen, the one that was seen last at the end.
        self._candidates: OrderedDict[str, int] = OrderedDict()

    def label(self, name: str) -> str:
        """Return the name, or `other` for one without a place."""
        if name in self._known:
            return name
        return name if len(self._known) < MOST_NAMES and self._gets_place(name) else OTHER

    def _gets_place(self, name: str) -> bool:
        times = self._candidates.pop(name, 0) + 1
        if len(self._known) < _FREE_PLACES or times >= _SEEN_OFTEN:
            self._add(name)
            return name in self._known
        self._candidates[name] = times
        if len(self._candidates) > _MOST_CANDIDATES:
            self._candidates.popitem(last=False)
        return False

    def _add(self, name: str) -> None:
        """Add a name, if other workers have left a place for it."""
        with self._shared.open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            self._known = set(file.read().split())
            if name not in self._known and len(self._known) < MOST_NAMES:
                self._known.add(name)
                file.write(f"{name}\n")
