"""The marks by which spreadsheets keep digits a text: `="0123"` and `'0123`.

Import takes them off. What an export writes has one more where a value looks like a mark, so that the value stays.
"""

import re

from customergraph.importing.cells import CANDIDATES

# These hold what people write: an apostrophe before digits may be theirs.
_WRITTEN = frozenset(
    {"first_name", "last_name", "name", "display_name", "company", "notes", "body", "reply", "failed_reason", "tags"}
)
# At the beginning of a cell, or of one of its candidates.
_APOSTROPHE = re.compile(rf"(?:^|(?<={CANDIDATES}))\s*'(?='*\+?\d)")
_FORMULA = re.compile(r'="((?:[^"]|"")*)"')


def without_formula(cell: str) -> str:
    """Return the text of a formula that is a text alone, and any other cell as it is."""
    match = _FORMULA.fullmatch(cell)
    return match[1].replace('""', '"') if match else cell


def with_formula(cell: str) -> str:
    """Return the cell of CSV that `without_formula` makes the same again."""
    return '="{}"'.format(cell.replace('"', '""')) if _FORMULA.fullmatch(cell) else cell


def without_apostrophes(cells: dict[str, str]) -> dict[str, str]:
    """Return the cells, by column, without the apostrophes that are marks."""
    return {
        column: cell if column in _WRITTEN or "'" not in cell else _APOSTROPHE.sub("", cell)
        for column, cell in cells.items()
    }


def with_apostrophe(column: str, text: str) -> str:
    """Return the cell that `without_apostrophes` makes the same again."""
    return f"'{text}" if column not in _WRITTEN and _APOSTROPHE.match(text) else text
