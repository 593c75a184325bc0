"""Importing messages, reviews and charges: whose each row is, and which are known already."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from customergraph.domain import timestamps
from customergraph.importing.batch import Batch, Saved
from customergraph.importing.files import Reject
from customergraph.importing.kinds import COLUMNS, Kind
from customergraph.importing.rows import Row, email_key
from customergraph.store import bulk, history
from customergraph.store.transactions import Write

_TABLES = {Kind.MESSAGES: "message", Kind.REVIEWS: "review", Kind.CHARGES: "charge"}

# What stands in a column that the file leaves blank, where the store needs something.
_DEFAULTS: Mapping[Kind, Mapping[str, Any]] = {
    Kind.MESSAGES: {},
    Kind.REVIEWS: {"source": "import"},
    Kind.CHARGES: {},
}
_NOW_BY_DEFAULT: Mapping[Kind, tuple[str, ...]] = {
    Kind.MESSAGES: (),
    Kind.REVIEWS: ("created_at",),
    Kind.CHARGES: ("charged_at",),
}
_ALWAYS_NOW: Mapping[Kind, tuple[str, ...]] = {
    Kind.MESSAGES: ("created_at",),
    Kind.REVIEWS: ("updated_at",),
    Kind.CHARGES: ("created_at",),
}


async def save(write: Write, batch: Batch, rows: Sequence[Row], kind: Kind) -> Saved:
    """Add the rows that are new, change those whose uuid is known, and let the customers remember it."""
    table = _TABLES[kind]
    owners = await _owners(write, rows)
    stored = {row.uuid: row for row in await bulk.known(write, table, "uuid", {row.values.get("uuid") for row in rows})}
    saved = Saved()
    new: dict[Any, dict[str, Any]] = {}
    changed: dict[Any, dict[str, Any]] = {}
    for row in rows:
        columns, reject = _columns(row, kind, owners, batch)
        if reject:
            saved.rejects.append(reject)
            continue
        uuid = row.values.get("uuid") or uuid4()
        if uuid in stored:
            changed.setdefault(uuid, {}).update(columns)
            saved.changed += 1
        elif uuid in new:
            new[uuid].update(columns)
            saved.changed += 1
        else:
            new[uuid] = {**columns, "uuid": uuid}
            saved.added += 1
    await bulk.add(write, table, [_whole(kind, columns) for columns in new.values()])
    changes = [(stored[uuid], _kept(kind, stored[uuid], columns)) for uuid, columns in changed.items()]
    await bulk.change(write, table, [(row.id, columns) for row, columns in changes if columns])
    touched = {columns["customer_id"] for columns in new.values()}
    touched |= {row.customer_id for row, columns in changes if columns}
    touched |= {columns["customer_id"] for _, columns in changes if "customer_id" in columns}
    await history.refresh(write, touched - {None})
    return saved


async def _owners(write: Write, rows: Sequence[Row]) -> dict[str, dict[str, int]]:
    emails = await bulk.known(write, "customer", "email_key", {email_key(row) for row in rows})
    phones = await bulk.known(write, "customer", "phone", {row.values.get("phone") for row in rows})
    return {
        "email": {customer.email_key: customer.id for customer in emails},
        "phone": {customer.phone: customer.id for customer in phones},
    }


def _columns(
    row: Row, kind: Kind, owners: Mapping[str, Mapping[str, int]], batch: Batch
) -> tuple[dict[str, Any], Reject | None]:
    by_email = owners["email"].get(email_key(row) or "")
    by_phone = owners["phone"].get(row.values.get("phone") or "")
    if by_email is None and by_phone is None:
        column = "email" if row.values.get("email") else "phone"
        return {}, Reject(row.line, column, "no customer of the project has it")
    if by_email is not None and by_phone is not None and by_email != by_phone:
        return {}, Reject(row.line, "phone", "belongs to another customer than the email")
    location_id, _, rejects = batch.named(row)
    if rejects:
        return {}, rejects[0]
    columns = {
        name: value
        for name, value in row.values.items()
        if name not in {"email", "phone", "location", "uuid"}
        # A blank cell cannot clear a time that the store needs.
        and (value is not None or name not in _NOW_BY_DEFAULT[kind])
    }
    columns["customer_id"] = by_email or by_phone
    if "location" in row.values:
        columns["location_id"] = location_id
    return columns, None


def _whole(kind: Kind, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Give a new row every column of its kind."""
    now = timestamps.now()
    names = [name for name in COLUMNS[kind].rules if name not in {"email", "phone", "location"}]
    whole = {**dict.fromkeys(names), **columns}
    if "location" in COLUMNS[kind].rules:
        whole.setdefault("location_id", None)
    for name, default in _DEFAULTS[kind].items():
        whole[name] = whole[name] or default
    for name in _NOW_BY_DEFAULT[kind]:
        whole[name] = whole[name] or now
    return {**whole, **dict.fromkeys(_ALWAYS_NOW[kind], now)}


def _kept(kind: Kind, stored: Any, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a row changes of what is stored."""
    filled = {name: _DEFAULTS[kind].get(name) if value is None else value for name, value in columns.items()}
    changes = {name: value for name, value in filled.items() if getattr(stored, name) != value}
    if changes and kind is Kind.REVIEWS:
        changes["updated_at"] = timestamps.now()
    return changes
