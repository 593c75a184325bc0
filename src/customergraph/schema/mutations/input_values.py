"""The values of input objects: one that is absent keeps what is stored, and null clears it."""

from typing import Any

import strawberry


def optional(description: str) -> Any:
    """Declare a value of an input that may be absent."""
    return strawberry.field(description=description, default=strawberry.UNSET)


def said(item: Any) -> dict[str, Any]:
    """Return the values that an input object has, by their snake_case names."""
    return {name: value for name, value in vars(item).items() if value is not strawberry.UNSET}


def said_of_new(item: Any) -> dict[str, Any]:
    """Return the same without nulls, which mean no more than absent ones of what is new."""
    return {name: value for name, value in said(item).items() if value is not None}
