"""What an import kind is: the columns of its files, and how their rows are stored."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from customergraph.domain import text
from customergraph.domain.entry import Entry
from customergraph.domain.mistakes import Mistakes
from customergraph.errors import Mistake, ValueRefused
from customergraph.importing.cells import CellRule
from customergraph.importing.rows import Record, Reject, Saved
from customergraph.saving.kinds import SavedKind
from customergraph.store.transactions import Write

# An error names at most so many unknown columns, each with at most so many characters.
MAX_NAMES = 100
MAX_NAME_LENGTH = 40

# The values of entries that are named otherwise than their columns.
VALUE_NAMES = {"location": "location_slug", "tags": "tag_slugs"}
COLUMNS = {name: column for column, name in VALUE_NAMES.items()}

_WITH_ARTICLE = {"email": "an email", "phone": "a phone", "uuid": "a uuid"}

Save = Callable[[Write, "ImportKind", Sequence[Entry]], Awaitable[Saved]]


@dataclass(frozen=True, eq=False)
class ImportKind:
    """One kind of import.

    `rules` has the rule of each column that a file may have. `required` columns must be in the file and filled, and
    so must at least one of `customer_keys`. `saved` says how the rows are stored, and `save` writes a batch of them.
    """

    saved: SavedKind
    save: Save
    rules: Mapping[str, CellRule]
    required: frozenset[str]
    customer_keys: tuple[str, ...] = ()

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

    def check(self, record: Record, zone: ZoneInfo) -> Entry | list[Reject]:
        """Check every cell of a record; a blank cell clears its value, but for one that cannot be cleared."""
        values: dict[str, Any] = {}
        rejects: list[Reject] = []
        for column, cell in record.cells.items():
            name = VALUE_NAMES.get(column, column)
            if text.is_blank(cell):
                if column in self.required:
                    rejects.append(Reject(record.line, column, "must not be blank"))
                elif name in self.saved.rules.defaults or name not in self.saved.rules.never_null:
                    values[name] = None
                continue
            try:
                values[name] = self.rules[column](cell, zone)
            except ValueRefused as refused:
                rejects.append(Reject(record.line, column, str(refused)))
        if self.customer_keys and not rejects and not any(map(values.get, self.customer_keys)):
            rejects.append(Reject(record.line, self.customer_keys[0], self._needed_key()))
        return rejects or Entry((str(record.line),), values)

    def outcome(self, added: int, saved: Sequence[Any], mistakes: Mistakes) -> Saved:
        """Return what came of a batch: of each of its entries what was saved, or None beside its mistakes."""
        rejects = [
            Reject(int(line), COLUMNS.get(name, name), _reason(mistake))
            for mistake in mistakes.all
            for line, name in [mistake.field[:2]]
        ]
        return Saved(added, sum(one is not None for one in saved) - added, rejects)

    def _needed_key(self) -> str:
        *others, last = (_WITH_ARTICLE[name] for name in self.customer_keys)
        return f"{', '.join(others)} or {last} is needed"


def _reason(mistake: Mistake) -> str:
    return mistake.reason if mistake.value is None else f"{mistake.value!r} {mistake.reason}"


def _listed(names: Sequence[str]) -> str:
    """Write column names in a line of bounded length."""
    shown = ", ".join(repr(name[:MAX_NAME_LENGTH]) for name in names[:MAX_NAMES])
    more = f" and {len(names) - MAX_NAMES:,} more" if len(names) > MAX_NAMES else ""
    return f"{'columns' if len(names) > 1 else 'column'} {shown}{more}"
