"""What an import kind is: the columns of its files, and how their rows are stored."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from customergraph.domain import text, timestamps
from customergraph.domain.entry import Entry
from customergraph.domain.mistakes import Mistakes
from customergraph.errors import Mistake, ValueRefused
from customergraph.importing.amounts import minor_units
from customergraph.importing.cells import CellRule
from customergraph.importing.reading import Reading, Unit
from customergraph.importing.rows import Reject, Saved
from customergraph.saving.kinds import OnKnown, SavedKind
from customergraph.store.transactions import Write

# The values of entries that are named otherwise than their columns.
VALUE_NAMES = {"location": "location_slug", "tags": "tag_slugs", "customer_uuid": "customer_id"}
COLUMNS = {name: column for column, name in VALUE_NAMES.items()}

_WITH_ARTICLE = {"email": "an email", "phone": "a phone", "uuid": "a uuid", "customer_uuid": "a customer_uuid"}
# A blank cell never ends an opt-out.
_NEVER_CLEARED = frozenset({"unsubscribed_at", "unsubscribed"})

Save = Callable[[Write, "ImportKind", Sequence[Entry]], Awaitable[Saved]]


@dataclass(frozen=True, eq=False)
class ImportKind:
    """One kind of import.

    `rules` has the rule of each column that a file may have. `required` columns must be in the file and filled, and
    so must at least one of `customer_keys`. `saved` says how the rows are stored, and `save` writes a batch of them;
    `on_known` says what a row does to a stored one. With `without_customer` a row may name a customer that is not
    known, or none.
    """

    saved: SavedKind
    save: Save
    rules: Mapping[str, CellRule]
    required: frozenset[str]
    customer_keys: tuple[str, ...] = ()
    on_known: OnKnown = OnKnown.UPDATE
    without_customer: bool = False

    @property
    def table(self) -> str:
        return self.saved.table

    @property
    def name(self) -> str:
        return f"{self.table}s"

    @property
    def is_history(self) -> bool:
        """Whether nothing but a uuid tells that a row is known."""
        return "uuid" in self.rules and self.table != "customer"

    def check(self, line: int, cells: Mapping[str, str], reading: Reading) -> Entry | list[Reject]:
        """Check every cell of a row.

        A blank cell keeps the stored value. Where blank cells clear, it clears one that can be cleared.
        """
        values: dict[str, Any] = {}
        rejects: list[Reject] = []
        for column, cell in cells.items():
            name = VALUE_NAMES.get(column, column)
            if text.is_blank(cell):
                if column in self.required:
                    rejects.append(Reject(line, column, "must not be blank"))
                elif reading.blank_clears and self._can_clear(name):
                    values[name] = None
                continue
            try:
                values[name] = self.rules[column](cell, reading)
            except ValueRefused as refused:
                rejects.append(Reject(line, column, str(refused)))
        if not rejects:
            rejects.extend(self._contradictions(line, values, reading))
        return rejects or _entry(line, values)

    def _can_clear(self, name: str) -> bool:
        rules = self.saved.rules
        return name not in _NEVER_CLEARED and (name in rules.defaults or name not in rules.never_null)

    def _contradictions(self, line: int, values: dict[str, Any], reading: Reading) -> list[Reject]:
        """Return what is wrong with the row as a whole; reads an amount, whose currency is known now."""
        if self.customer_keys and not any(values.get(VALUE_NAMES.get(key, key)) for key in self.customer_keys):
            return [Reject(line, self.customer_keys[0], self._needed_key())]
        if values.get("unsubscribed") is False and values.get("unsubscribed_at") is not None:
            return [Reject(line, "unsubscribed", "is no, and the row says since when it is yes")]
        if reading.amounts is Unit.MAJOR and "amount" in values:
            try:
                values["amount"] = minor_units(values["amount"], values["currency"])
            except ValueRefused as refused:
                return [Reject(line, "amount", str(refused))]
        return []

    def outcome(self, new: Collection[Any], changed: Collection[Any], keys: Sequence[Any], mistakes: Mistakes) -> Saved:
        """Return what came of a batch: `keys` has of each of its entries the key of its row, or None beside mistakes.

        `new` has the keys of rows that were added, and `changed` those of rows that were changed.
        """
        rejects = [
            Reject(int(line), COLUMNS.get(name, name), _reason(mistake))
            for mistake in mistakes.all
            for line, name in [mistake.field[:2]]
        ]
        saved = [key for key in keys if key is not None]
        touched = sum(key in new or key in changed for key in saved)
        return Saved(len(new), touched - len(new), len(saved) - touched, rejects)

    def _needed_key(self) -> str:
        *others, last = (_WITH_ARTICLE[name] for name in self.customer_keys)
        return f"{', '.join(others)} or {last} is needed"


def _reason(mistake: Mistake) -> str:
    return mistake.reason if mistake.value is None else f"{mistake.value!r} {mistake.reason}"


def _entry(line: int, values: dict[str, Any]) -> Entry:
    """Return the entry of a row; an opt-out without a time is of now, if there is none yet."""
    fills: dict[str, Any] = {}
    if (unsubscribed := values.pop("unsubscribed", None)) is not None:
        if not unsubscribed:
            values["unsubscribed_at"] = None
        elif "unsubscribed_at" not in values:
            fills["unsubscribed_at"] = timestamps.now()
    return Entry((str(line),), values, fills)
