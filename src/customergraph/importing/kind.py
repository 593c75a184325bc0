"""What an import kind is: the columns of its files, and how their rows are stored."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from customergraph.domain import text
from customergraph.errors import ValueRefused
from customergraph.importing.cells import CellRule
from customergraph.importing.rows import CheckedRow, Record, Reject, Saved
from customergraph.store.entities import Entity
from customergraph.store.transactions import Write

# An error names at most so many unknown columns, each with at most so many characters.
MAX_NAMES = 100
MAX_NAME_LENGTH = 40

_WITH_ARTICLE = {"email": "an email", "phone": "a phone", "uuid": "a uuid"}

Save = Callable[[Write, "ImportKind", Sequence[CheckedRow]], Awaitable[Saved]]


@dataclass(frozen=True, eq=False)
class ImportKind:
    """One kind of import.

    `rules` has the rule of each column that a file may have. `required` columns must be in the file and filled, and
    so must at least one of `customer_keys`. Columns in `lookups` name other rows; each other column is stored
    in the table's column of its name. A new row has `defaults`, and the current time in the columns `now_when_added`,
    where its cells are blank or absent; a changed row has the current time in the columns `now_when_changed`.
    `save` writes a batch of rows.
    """

    entity: Entity
    save: Save
    rules: Mapping[str, CellRule]
    required: frozenset[str]
    customer_keys: tuple[str, ...] = ()
    lookups: frozenset[str] = frozenset()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    now_when_added: frozenset[str] = frozenset()
    now_when_changed: frozenset[str] = frozenset()

    @property
    def table(self) -> str:
        return self.entity.table.name

    @cached_property
    def stored_columns(self) -> Mapping[str, None]:
        """The names of the columns that an import writes from the cells of a file, in the order of the rules."""
        location = ("location_id",) if "location" in self.rules else ()
        return dict.fromkeys((*(name for name in self.rules if name not in self.lookups), *location))

    def problem(self, names: Sequence[str]) -> str | None:
        """Return what is wrong with the columns of a file; None where nothing is."""
        unknown = [name for name in names if name not in self.rules]
        if unknown:
            return f"unknown {_listed(unknown)}: the columns are {', '.join(self.rules)}"
        missing = sorted(self.required.difference(names))
        if missing:
            return f"the column {missing[0]!r} is missing"
        if self.customer_keys and not set(self.customer_keys).intersection(names):
            return f"the column {' or '.join(map(repr, self.customer_keys))} is missing"
        return None

    def check(self, record: Record, zone: ZoneInfo) -> CheckedRow | list[Reject]:
        """Check every cell of a record."""
        values: dict[str, Any] = {}
        rejects: list[Reject] = []
        for name, cell in record.cells.items():
            if text.is_blank(cell):
                values[name] = None
                if name in self.required:
                    rejects.append(Reject(record.line, name, "must not be blank"))
                continue
            try:
                values[name] = self.rules[name](cell, zone)
            except ValueRefused as refused:
                rejects.append(Reject(record.line, name, str(refused)))
        if self.customer_keys and not rejects and not any(map(values.get, self.customer_keys)):
            rejects.append(Reject(record.line, self.customer_keys[0], self._needed_key()))
        return rejects or CheckedRow(record.line, values)

    def _needed_key(self) -> str:
        *others, last = (_WITH_ARTICLE[name] for name in self.customer_keys)
        return f"{', '.join(others)} or {last} is needed"

    def values_to_store(self, row: CheckedRow) -> dict[str, Any]:
        """Return the values that a row writes, by column of the table.

        A blank cell sets the column's default, or clears it; it never clears a time that the table needs.
        """
        return {
            name: self.defaults.get(name) if value is None else value
            for name, value in row.values.items()
            if name in self.stored_columns and (value is not None or name not in self.now_when_added)
        }

    def new_row(self, values: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Return a whole row of the table: the values, and what it has in each column that they lack."""
        return {
            **dict.fromkeys(self.stored_columns),
            **self.defaults,
            **dict.fromkeys(self.now_when_added, now),
            "uuid": uuid4(),
            **values,
        }


def _listed(names: Sequence[str]) -> str:
    """Write column names in a line of bounded length."""
    shown = ", ".join(repr(name[:MAX_NAME_LENGTH]) for name in names[:MAX_NAMES])
    more = f" and {len(names) - MAX_NAMES:,} more" if len(names) > MAX_NAMES else ""
    return f"{'columns' if len(names) > 1 else 'column'} {shown}{more}"
