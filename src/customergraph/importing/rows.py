"""The rows of an import: read from a file, checked, and saved or rejected."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Record:
    """A row as it stands in its file: the names of its columns, its texts, its first line, and its number of lines."""

    line: int
    names: tuple[str, ...]
    texts: Sequence[str]
    lines: int = 1


@dataclass(frozen=True, slots=True)
class Reject:
    """The reason why a row is not imported, the column at fault, and the row, if it can be read at all."""

    line: int
    column: str
    reason: str
    record: Record | None = None


@dataclass(slots=True)
class Saved:
    """How many rows of a batch were added, changed and left as they were, and why others were rejected."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    rejects: list[Reject] = field(default_factory=list)
