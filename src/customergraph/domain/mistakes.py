"""The mistakes of an input, collected so that an answer names all of them."""

from collections.abc import Callable
from typing import Any

from customergraph.errors import InputRefused, Mistake, UserErrorCode, ValueRefused


class Mistakes:
    """Collects what is wrong with an input."""

    def __init__(self) -> None:
        self._mistakes: list[Mistake] = []

    def add(self, field: tuple[str, ...], code: UserErrorCode, message: str) -> None:
        name = f"{field[-2]}[{field[-1]}]" if field[-1].isdecimal() else field[-1]
        self._mistakes.append(Mistake(field, f"{name} {message}", code))

    def check(self, field: tuple[str, ...], rule: Callable[[Any], Any], value: Any) -> Any:
        """Return the value as the rule normalises it; add a mistake and return None where the rule refuses it."""
        try:
            return rule(value)
        except ValueRefused as refused:
            self.add(field, refused.code, str(refused))
            return None

    def refuse_if_any(self) -> None:
        """Raise InputRefused with all mistakes, if there are any."""
        if self._mistakes:
            raise InputRefused(self._mistakes)
