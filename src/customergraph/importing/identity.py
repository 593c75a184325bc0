"""The uuids of rows that have none: made of the source's own id, or of what the row says."""

from array import array
from collections.abc import Mapping
from hashlib import sha1
from typing import Any
from uuid import UUID, uuid5

import orjson

# The namespace of these uuids (version 5): a program that knows a source's ids can make the same ones.
NAMESPACE = UUID("7d9f3f0e-5b1c-5a54-9a0e-3c2f5c1d8b60")

_FIRST_SLOTS = 1_024


def uuid_of(source: str, id_: str) -> UUID:
    """Return the uuid of a row with this id in a source."""
    return uuid5(NAMESPACE, f"{source}:{id_}")


class Seen:
    """How often each key of 64 bits came, in 12 to 24 bytes for each: a set of a million takes 100 MB."""

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * _FIRST_SLOTS))
        self._used = 0
        self._times: dict[int, int] = {}

    def times(self, key: int) -> int:
        """Return how often the key came, with this time."""
        # An empty slot is zero.
        key = key or 1
        if self._add(key):
            return 1
        self._times[key] = times = self._times.get(key, 1) + 1
        return times

    def _add(self, key: int) -> bool:
        slots = self._slots
        mask = len(slots) - 1
        place = key & mask
        while other := slots[place]:
            if other == key:
                return False
            place = (place + 1) & mask
        slots[place] = key
        self._used += 1
        if 3 * self._used > 2 * len(slots):
            self._grow()
        return True

    def _grow(self) -> None:
        old, self._slots, self._used = self._slots, array("Q", bytes(16 * len(self._slots))), 0
        for key in old:
            if key:
                self._add(key)


class Contents:
    """The rows of a file by what they say, so that a row that is imported again gets the same uuid."""

    def __init__(self, kind: str) -> None:
        self._seen = Seen()
        self._start = NAMESPACE.bytes + f"{kind}:".encode()

    def uuid(self, values: Mapping[str, Any], mailbox: str | None) -> tuple[UUID, int]:
        """Return the uuid of a row's content and its place among the equal rows of the file, and that place."""
        says = {name: value for name, value in values.items() if value is not None}
        if mailbox is not None:
            says["email"] = mailbox
        content = self._start + orjson.dumps(says, option=orjson.OPT_SORT_KEYS)
        digest = sha1(content, usedforsecurity=False).digest()
        place = self._seen.times(int.from_bytes(digest[:8]))
        if place > 1:
            digest = sha1(content + b"#%d" % place, usedforsecurity=False).digest()
        return UUID(bytes=digest[:16], version=5), place
