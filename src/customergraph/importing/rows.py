"""The rows of an import: read from a file, checked, and saved or rejected."""

from dataclasses import dataclass, field
from typing import Any

from customergraph.domain import contact


@dataclass(frozen=True, slots=True)
class Record:
    """The cells of one row by column, the line of the file on which it begins, and its number of lines."""

    line: int
    cells: dict[str, str]
    lines: int = 1


@dataclass(frozen=True, slots=True)
class Reject:
    """The reason why a row is not imported, and the column at fault."""

    line: int
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """The values of a row by column: None for a blank cell, no item for an absent column."""

    line: int
    values: dict[str, Any]

    @property
    def email_key(self) -> str | None:
        email = self.values.get("email")
        return contact.mailbox(email) if email else None


@dataclass(slots=True)
class Saved:
    """How many rows of a batch were added and changed, and why others were rejected."""

    added: int = 0
    changed: int = 0
    rejects: list[Reject] = field(default_factory=list)
