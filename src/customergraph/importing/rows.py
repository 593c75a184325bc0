"""The rows of an import: read from a file, checked, and saved or rejected."""

from dataclasses import dataclass, field


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


@dataclass(slots=True)
class Saved:
    """How many rows of a batch were added and changed, and why others were rejected."""

    added: int = 0
    changed: int = 0
    rejects: list[Reject] = field(default_factory=list)
