"""The mistakes of an input, collected so that an answer names all of them."""

from collections.abc import Callable
from typing import Any

from customergraph.errors import Field, InputRefused, Mistake, UserErrorCode, ValueRefused


class Mistakes:
    """Collects what is wrong with an input: the first mistake of each field."""

    def __init__(self) -> None:
        self._by_field: dict[Field, Mistake] = {}

    def add(self, field: Field, code: UserErrorCode, reason: str, value: str | None = None) -> None:
        self._by_field.setdefault(field, Mistake(field, reason, code, value))

    def check(self, field: Field, rule: Callable[[Any], Any], value: Any) -> Any:
        """Return the value as the rule normalises it; add a mistake and return None where the rule refuses it."""
        try:
            return rule(value)
        except ValueRefused as refused:
            self.add(field, refused.code, str(refused))
            return None

    def __len__(self) -> int:
        return len(self._by_field)

    def __contains__(self, field: Field) -> bool:
        return field in self._by_field

    @property
    def all(self) -> list[Mistake]:
        return list(self._by_field.values())

    def refuse_if_any(self) -> None:
        """Raise InputRefused with all mistakes, if there are any."""
        if self._by_field:
            raise InputRefused(self.all)
