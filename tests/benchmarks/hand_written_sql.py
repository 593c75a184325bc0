"""The statements of the endpoints by hand: for only the columns that are asked for, in each engine's own SQL.

The same arguments in the same order fit both; time stamps come as they are answered: as text from
SQLite, as datetimes from PostgreSQL, which orjson writes.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import orjson

_PROJECT = """
    SELECT t.project_id FROM token t JOIN project p ON p.id = t.project_id
    WHERE t.sha256 = ? AND t.revoked_at IS NULL"""
_CUSTOMER = """
    SELECT c.id, c.first_name, c.last_name, c.email, c.phone, c.company, c.has_subscription, c.is_archived,
        {c.signed_up_at}, {c.reviewed_at}, {c.created_at}"""
_LOCATED = f"""{_CUSTOMER}, l.name, l.display_name, l.city
    FROM customer c LEFT JOIN location l ON l.id = c.location_id"""
_FIRST = """ WHERE c.project_id = ? AND c.is_archived = FALSE ORDER BY c.created_at DESC, c.id DESC LIMIT ?"""
_STATUS = """CASE WHEN r.canceled_at IS NOT NULL THEN 'CANCELED' WHEN r.complained_at IS NOT NULL THEN 'COMPLAINED'
    WHEN r.failed_at IS NOT NULL THEN 'FAILED' WHEN r.clicked_at IS NOT NULL THEN 'CLICKED'
    WHEN r.opened_at IS NOT NULL THEN 'OPENED' WHEN r.sent_at IS NOT NULL THEN 'SENT' ELSE 'SCHEDULED' END"""
_MESSAGE = f"r.channel, r.template, {_STATUS} AS status, {{r.scheduled_at}}, {{r.sent_at}}"
_REVIEW = "r.score, r.body, r.source, {r.created_at}"
_CHARGE = "r.amount, r.currency, {r.charged_at}"

_SQLITE_TAGS = """
    SELECT ct.customer_id, t.name, t.color
    FROM customer_tag ct JOIN tag t ON t.id = ct.tag_id
    WHERE ct.project_id = ? AND ct.customer_id IN (SELECT value FROM json_each(?))
    ORDER BY t.name_key, t.id"""
_SQLITE_NESTED = """
    SELECT r.customer_id, r.id, {columns}
    FROM json_each(?) AS parent CROSS JOIN {table} r ON r.id IN (
        SELECT w.id FROM {table} w WHERE w.project_id = ? AND w.customer_id = parent.value
        ORDER BY w.{key} DESC, w.id DESC LIMIT ?)
    ORDER BY r.customer_id, r.{key} DESC, r.id DESC"""
_POSTGRESQL_TAGS = """
    SELECT ct.customer_id, t.name, t.color
    FROM customer_tag ct JOIN tag t ON t.id = ct.tag_id
    WHERE ct.project_id = ? AND ct.customer_id = ANY (?::bigint[])
    ORDER BY t.name_key, t.id"""
_POSTGRESQL_NESTED = """
    SELECT page.*
    FROM unnest(?::bigint[]) AS parent(id) CROSS JOIN LATERAL (
        SELECT r.customer_id, r.id, {columns}
        FROM {table} r WHERE r.project_id = ? AND r.customer_id = parent.id
        ORDER BY r.{key} DESC, r.id DESC LIMIT ?) AS page
    ORDER BY page.customer_id, page.{key} DESC, page.id DESC"""


@dataclass(frozen=True, slots=True)
class Statements:
    """One engine's statements, with their arguments."""

    is_embedded: bool
    project: str  # the token's digest
    one: str  # project, id
    flat: str  # project, how many
    located: str  # project, how many
    tags: str  # project, ids
    messages: str  # ids, project, how many of each; the other lists too
    reviews: str
    charges: str

    def ids(self, ids: list[int]) -> Any:
        """Return many ids as one argument."""
        return orjson.dumps(ids).decode() if self.is_embedded else ids


def _statements(tags: str, nested: str, *, is_embedded: bool) -> Statements:
    lists = (
        ("message", "scheduled_at", _MESSAGE),
        ("review", "created_at", _REVIEW),
        ("charge", "charged_at", _CHARGE),
    )
    pages = [nested.format(table=table, key=key, columns=columns) for table, key, columns in lists]
    one = f"{_LOCATED} WHERE c.project_id = ? AND c.id = ?"
    texts = [_PROJECT, one, f"{_CUSTOMER} FROM customer c{_FIRST}", f"{_LOCATED}{_FIRST}", tags, *pages]
    return Statements(is_embedded, *(_in_words_of(text, is_embedded=is_embedded) for text in texts))


def _in_words_of(text: str, *, is_embedded: bool) -> str:
    """Return a statement's time stamps and parameters as the engine has them."""
    if is_embedded:
        return re.sub(r"{([a-z_.]+)}", r"replace(\1, '.000000Z', 'Z')", text)
    numbers = count(1)
    return re.sub(r"\?", lambda _: f"${next(numbers)}", re.sub(r"{([a-z_.]+)}", r"\1", text))


SQLITE = _statements(_SQLITE_TAGS, _SQLITE_NESTED, is_embedded=True)
POSTGRESQL = _statements(_POSTGRESQL_TAGS, _POSTGRESQL_NESTED, is_embedded=False)

Rows = Sequence[Any]
