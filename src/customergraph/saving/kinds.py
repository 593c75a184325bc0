"""How the rows of each kind are stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any
from uuid import uuid4

from customergraph.domain import charge, customer, message, review
from customergraph.domain.entry import EntryRules
from customergraph.store import entities
from customergraph.store.entities import Entity


class OnKnown(StrEnum):
    """What an entry does to a row that is known: update it, leave it as it is, or fill what is empty in it."""

    UPDATE = "update"
    SKIP = "skip"
    FILL = "fill"


@dataclass(frozen=True, eq=False)
class SavedKind:
    """A kind of row, and the rules for the entries from which its rows are made.

    `when_new` has what a new row has in columns that no entry names; a new row has the current time in the columns
    `now_when_added`, and a changed one in `now_when_changed`.
    """

    entity: Entity
    rules: EntryRules
    when_new: Mapping[str, Any] = field(default_factory=dict)
    now_when_added: frozenset[str] = frozenset({"created_at"})
    now_when_changed: frozenset[str] = frozenset()

    @property
    def table(self) -> str:
        return self.entity.table.name

    def value(self, name: str, said: Any) -> Any:
        """Return what an entry's value stores: the default of its column, where it clears the value."""
        return self.rules.defaults.get(name) if said is None else said

    def new_row(self, columns: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Return a whole row of the table: the columns, and what it has in each that they lack."""
        row = {**self._blank_row, **dict.fromkeys(self._now_when_added, now), **columns}
        row["uuid"] = row["uuid"] or uuid4()
        return row

    @cached_property
    def _blank_row(self) -> Mapping[str, Any]:
        return {**dict.fromkeys(self.entity.written), **self.when_new, **self.rules.defaults}

    @cached_property
    def _now_when_added(self) -> frozenset[str]:
        return self.now_when_added | self.rules.now_when_new


_UPDATED = frozenset({"updated_at"})
_CREATED_AND_UPDATED = frozenset({"created_at", "updated_at"})

_NO_RULES = EntryRules(never_null=())
LOCATIONS = SavedKind(entities.LOCATION, _NO_RULES, now_when_added=frozenset())
TAGS = SavedKind(entities.TAG, _NO_RULES, now_when_added=frozenset())
CUSTOMERS = SavedKind(
    entities.CUSTOMER,
    customer.RULES,
    when_new={"has_clicked": False, "has_charges": False},
    now_when_added=_CREATED_AND_UPDATED,
    now_when_changed=_UPDATED,
)
MESSAGES = SavedKind(entities.MESSAGE, message.RULES)
REVIEWS = SavedKind(entities.REVIEW, review.RULES, now_when_added=_CREATED_AND_UPDATED, now_when_changed=_UPDATED)
CHARGES = SavedKind(entities.CHARGE, charge.RULES)
