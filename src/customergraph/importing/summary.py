"""What an import did, or would do: its counts, the reasons of its rejects, and its first rows."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from customergraph.domain.entry import Entry
from customergraph.importing.rows import Reject, Saved

FIRST_ROWS = 3
# Reasons that differ only in what they quote are counted as one; so many are kept apart.
_MAX_REASONS = 100
_QUOTED = re.compile(r"'[^']*'")


@dataclass(slots=True)
class Summary:
    """How many rows an import added, changed, left as they were, left out and rejected.

    `doubles` counts the rows that name what an earlier row of the file names; `unread` has the columns that are not
    read, and `absent` those that the mapping names and the file lacks.
    """

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    left_out: int = 0
    doubles: int = 0
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    first: list[Entry] = field(default_factory=list)
    unread: Sequence[str] = ()
    absent: Sequence[str] = ()

    @property
    def rows(self) -> int:
        return self.added + self.changed + self.unchanged + self.rejected + self.left_out

    def add(self, saved: Saved, rejects: Iterable[Reject]) -> None:
        """Count what became of a batch."""
        self.added += saved.added
        self.changed += saved.changed
        self.unchanged += saved.unchanged
        lines = set()
        for reject in rejects:
            lines.add(reject.line)
            reason = (reject.column, _QUOTED.sub("'…'", reject.reason))
            if reason in self.reasons or len(self.reasons) < _MAX_REASONS:
                self.reasons[reason] += 1
        self.rejected += len(lines)

    def show(self, row: Entry) -> None:
        """Keep one of the first rows as it was understood."""
        if len(self.first) < FIRST_ROWS:
            self.first.append(row)
