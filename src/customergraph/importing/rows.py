"""Checked rows: the cells of a record as values of the domain, or every reason why not."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from customergraph.domain import contact, text
from customergraph.errors import ValueRefused
from customergraph.importing.files import Record, Reject
from customergraph.importing.kinds import Columns

_WITH_ARTICLE = {"email": "an email", "phone": "a phone", "uuid": "a uuid"}


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
        if text.is_blank(cell):
            values[name] = None
            if name in columns.required:
                rejects.append(Reject(record.line, name, "must not be blank"))
            continue
        try:
            values[name] = columns.rules[name](cell, zone)
        except ValueRefused as refused:
            rejects.append(Reject(record.line, name, str(refused)))
    if columns.customer_keys and not rejects and not any(map(values.get, columns.customer_keys)):
        rejects.append(Reject(record.line, columns.customer_keys[0], _key_needed(columns)))
    return rejects or Row(record.line, values)


def _key_needed(columns: Columns) -> str:
    *others, last = (_WITH_ARTICLE[name] for name in columns.customer_keys)
    return f"{', '.join(others)} or {last} is needed"


def email_key(row: Row) -> str | None:
    email = row.values.get("email")
    return contact.mailbox(email) if email else None
