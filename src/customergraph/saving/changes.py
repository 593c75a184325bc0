"""What entries change of rows that are stored."""

from collections.abc import Mapping
from typing import Any


def differences(stored: Any, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that differ from those of the stored row."""
    return {name: value for name, value in columns.items() if getattr(stored, name) != value}
