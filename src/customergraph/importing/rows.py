"""Checked rows: the cells of a record as values of the domain, or every reason why not."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from customergraph.domain import text
from customergraph.errors import ValueRefused
from customergraph.importing.files import Record, Reject
from customergraph.importing.kinds import Columns


@dataclass(frozen=True, slots=True)
class Row:
    """The values of a row by column: None for a blank cell, nothing for an absent column."""

    line: int
    values: dict[str, Any]


def checked(record: Record, columns: Columns, zone: ZoneInfo) -> Row | list[Reject]:
    """Check every cell of a record."""
    values: dict[str, Any] = {}
    rejects: list[Reject] = []
    for name, cell in record.cells.items():
        if not cell or cell.isspace():
            values[name] = None
            if name in columns.required:
                rejects.append(Reject(record.line, name, "must not be blank"))
            continue
        try:
            values[name] = columns.rules[name](cell, zone)
        except ValueRefused as refused:
            rejects.append(Reject(record.line, name, str(refused)))
    if columns.of_customer and not rejects and not values.get("email") and not values.get("phone"):
        rejects.append(Reject(record.line, "email", "an email or a phone is needed"))
    return rejects or Row(record.line, values)


def email_key(row: Row) -> str | None:
    email = row.values.get("email")
    return text.fold(email) if email else None
