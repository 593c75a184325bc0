"""Entries: what a row of an import file, or an item of an input, says of one entity."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from customergraph.domain.mistakes import Mistakes
from customergraph.errors import Field, UserErrorCode

# Checks a value that is not null. It adds what is wrong to the mistakes, and then returns None.
Check = Callable[[Any, Field, Mistakes], Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """Checked values by their names in snake_case: None clears a value, and an absent one is kept.

    `field` is where the entry stands, and where its mistakes are told. `fills` has values for columns that are empty.
    """

    field: Field
    values: Mapping[str, Any]
    fills: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def by_rule(rule: Callable[[Any], Any]) -> Check:
    """Return the check of a value that follows one rule."""
    return lambda value, field, mistakes: mistakes.check(field, rule, value)


def by_rules(rules: Mapping[str, Callable[[Any], Any]]) -> Mapping[str, Check]:
    return {name: by_rule(rule) for name, rule in rules.items()}


@dataclass(frozen=True, eq=False)
class EntryRules:
    """The rules for entries of one kind.

    `checks` are those of values whose type does not say all. Values in `never_null` cannot be cleared, and a new
    entity needs them, but for those in `now_when_new`, which are then the current time. A value in `defaults` has
    its default when it is cleared, and when a new entity's entry does not say it.
    """

    never_null: tuple[str, ...]
    checks: Mapping[str, Check] = dataclasses.field(default_factory=dict)
    defaults: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    now_when_new: frozenset[str] = frozenset()

    def entry(self, field: Field, values: Mapping[str, Any], mistakes: Mistakes) -> Entry:
        """Check values; those that are wrong are left out of the entry, and are in the mistakes."""
        checked: dict[str, Any] = {}
        for name, value in values.items():
            check = self.checks.get(name)
            result = value if check is None or value is None else check(value, (*field, name), mistakes)
            if (*field, name) not in mistakes:
                checked[name] = result
        return Entry(field, checked)

    def refuse_blanks(self, entry: Entry, mistakes: Mistakes, *, is_new: bool) -> None:
        """Add a mistake for each value that is missing, or that may not be cleared."""
        for name in self._blanks(entry.values, is_new=is_new):
            mistakes.add((*entry.field, name), UserErrorCode.BLANK, "must not be blank")

    def _blanks(self, values: Mapping[str, Any], *, is_new: bool) -> Iterator[str]:
        for name in self.never_null:
            is_needed = is_new and name not in self.now_when_new
            if name not in self.defaults and values.get(name) is None and (name in values or is_needed):
                yield name


def refuse_repeated(entries: Iterable[Entry], name: str, key: Callable[[Any], Any], mistakes: Mistakes) -> None:
    """Add a mistake for each entry whose value has the key of an earlier entry's."""
    seen: set[Any] = set()
    for entry in entries:
        value = entry.values.get(name)
        if value is None:
            continue
        if key(value) in seen:
            mistakes.add((*entry.field, name), UserErrorCode.TAKEN, "is that of an earlier item of this call")
        seen.add(key(value))
