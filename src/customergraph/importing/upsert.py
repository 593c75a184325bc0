"""Rows that are added where they are new, and changed where they are stored."""

from collections.abc import Iterable, Mapping
from typing import Any

from customergraph.domain import timestamps
from customergraph.importing.kind import ImportKind
from customergraph.importing.rows import Saved
from customergraph.store import bulk
from customergraph.store.transactions import Write


def differences(stored: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that differ from those of the stored row."""
    return {name: value for name, value in values.items() if getattr(stored, name) != value}


class Upsert:
    """The rows of a batch by the values of a key column; where two rows have the same key, the later wins."""

    def __init__(self, kind: ImportKind, key: str, stored: Iterable[Any]) -> None:
        self.new: dict[Any, dict[str, Any]] = {}
        self.saved = Saved()
        self._kind = kind
        self._key = key
        self._stored = {getattr(row, key): row for row in stored}
        self._changed: dict[Any, dict[str, Any]] = {}

    def put(self, key: Any, values: Mapping[str, Any]) -> None:
        if key in self._stored or key in self.new:
            self.saved.changed += 1
        else:
            self.saved.added += 1
        rows = self._changed if key in self._stored else self.new
        rows.setdefault(key, {self._key: key}).update(values)

    async def write(self, write: Write) -> list[tuple[Any, dict[str, Any]]]:
        """Write the rows; returns each row that was changed, as it was before, with its new values."""
        now = timestamps.now()
        await bulk.add(write, self._kind.table, [self._kind.new_row(values, now) for values in self.new.values()])
        changes: list[tuple[Any, dict[str, Any]]] = []
        for key, values in self._changed.items():
            if different := differences(self._stored[key], values):
                changes.append((self._stored[key], different | dict.fromkeys(self._kind.now_when_changed, now)))
        await bulk.change(write, self._kind.table, [(row.id, columns) for row, columns in changes])
        return changes
