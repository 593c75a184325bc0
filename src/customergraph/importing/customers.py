"""Importing customers: which customer a row names, and what it changes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from customergraph.domain import timestamps
from customergraph.domain.customer import derived
from customergraph.importing.kind import ImportKind
from customergraph.importing.references import References
from customergraph.importing.rows import CheckedRow, Reject, Saved
from customergraph.importing.upsert import differences
from customergraph.store import bulk, catalog, customers
from customergraph.store.transactions import Write

# The columns that identify a customer, in the order in which a row is looked up.
_KEYS = ("uuid", "email_key", "phone")


class _Customer:
    """A customer of a batch: its stored row, if there is one, and its columns after the rows of the file."""

    __slots__ = ("columns", "keys", "stored", "tag_ids", "uuid")

    def __init__(self, kind: ImportKind, uuid: UUID, stored: Any = None) -> None:
        self.uuid = uuid
        self.stored = stored
        self.columns: dict[str, Any] = {name: getattr(stored, name) for name in kind.stored_columns} if stored else {}
        self.tag_ids: tuple[int, ...] | None = None
        self.keys: dict[str, Any] = {}


class _Customers:
    """The customers of a batch, by each key that identifies one."""

    def __init__(self) -> None:
        self.all: list[_Customer] = []
        self._by: dict[str, dict[Any, _Customer]] = {key: {} for key in _KEYS}

    def add(self, customer: _Customer, keys: Mapping[str, Any]) -> None:
        self.all.append(customer)
        self._by["uuid"][customer.uuid] = customer
        self.set_contacts(customer, keys)

    def set_contacts(self, customer: _Customer, keys: Mapping[str, Any]) -> None:
        """Replace the customer's email and phone by those of the keys that are there."""
        for key in ("email_key", "phone"):
            if key not in keys:
                continue
            by_key, old, new = self._by[key], customer.keys.get(key), keys[key]
            if old is not None:
                del by_key[old]
            if new is not None:
                by_key[new] = customer
            customer.keys[key] = new

    def find(self, keys: Mapping[str, Any]) -> _Customer | None:
        """Find a customer by uuid, else by email, else by phone."""
        return next(filter(None, (self.owner(key, keys.get(key)) for key in _KEYS)), None)

    def owner(self, key: str, value: Any) -> _Customer | None:
        return None if value is None else self._by[key].get(value)


async def save(write: Write, kind: ImportKind, rows: Sequence[CheckedRow]) -> Saved:
    """Add the customers that are new, and change those that are stored."""
    references = await References.read(write)
    keys_of_rows = [_keys(row) for row in rows]
    batch = await _stored_customers(write, kind, keys_of_rows)
    saved = Saved()
    for row, keys in zip(rows, keys_of_rows, strict=True):
        saved.rejects.extend(_apply(batch, kind, references, row, keys))
    now = timestamps.now()
    new = [customer for customer in batch.all if customer.stored is None]
    saved.added = len(new)
    saved.changed = len(rows) - saved.added - len({reject.line for reject in saved.rejects})
    await _change(write, [customer for customer in batch.all if customer.stored], now)
    await _add(write, kind, new, now)
    return saved


def _keys(row: CheckedRow) -> dict[str, Any]:
    keys: dict[str, Any] = {"uuid": row.values.get("uuid")}
    if "email" in row.values:
        keys["email_key"] = row.email_key
    if "phone" in row.values:
        keys["phone"] = row.values["phone"]
    return keys


async def _stored_customers(write: Write, kind: ImportKind, keys_of_rows: Sequence[Mapping[str, Any]]) -> _Customers:
    rows: dict[int, Any] = {}
    for key in _KEYS:
        values = {keys.get(key) for keys in keys_of_rows}
        rows |= {row.id: row for row in await bulk.known(write, kind.table, key, values, locked=True)}
    batch = _Customers()
    for row in rows.values():
        batch.add(_Customer(kind, row.uuid, row), {"email_key": row.email_key, "phone": row.phone})
    return batch


def _apply(
    batch: _Customers, kind: ImportKind, references: References, row: CheckedRow, keys: Mapping[str, Any]
) -> list[Reject]:
    customer = batch.find(keys)
    for key, column in (("email_key", "email"), ("phone", "phone")):
        owner = batch.owner(key, keys.get(key))
        if owner is not None and owner is not customer:
            return [Reject(row.line, column, "belongs to another customer than the rest of the row")]
    if rejects := references.unknown(row):
        return rejects
    if customer is None:
        customer = _Customer(kind, keys["uuid"] or uuid4())
        batch.add(customer, keys)
    else:
        batch.set_contacts(customer, keys)
    customer.columns |= kind.values_to_store(row) | references.location_column(row)
    if "tags" in row.values:
        customer.tag_ids = references.tag_ids(row)
    return []


async def _add(write: Write, kind: ImportKind, new: Sequence[_Customer], now: datetime) -> None:
    rows = [kind.new_row({**customer.columns, "uuid": customer.uuid}, now) for customer in new]
    await bulk.add(write, kind.table, [{**row, **derived(row)} for row in rows])
    tagged = {customer.uuid: customer.tag_ids for customer in new if customer.tag_ids}
    ids = await bulk.ids(write, kind.table, tagged)
    await customers.set_tags(write, {ids[uuid]: tag_ids for uuid, tag_ids in tagged.items()})


async def _change(write: Write, stored: Sequence[_Customer], now: datetime) -> None:
    changes = {customer.stored.id: differences(customer.stored, customer.columns) for customer in stored}
    tags = await _changed_tags(write, stored)
    # An address may pass from one customer to another: it is first taken from its old owner.
    contacts = {"email": "email_key", "phone": "phone"}
    freed = [
        (id_, {key: None for name, key in contacts.items() if name in columns}) for id_, columns in changes.items()
    ]
    await bulk.change(write, "customer", [(id_, columns) for id_, columns in freed if columns])
    await bulk.change(
        write,
        "customer",
        [
            (customer.stored.id, {**changes[customer.stored.id], **_derived_columns(customer), "updated_at": now})
            for customer in stored
            if changes[customer.stored.id] or customer.stored.id in tags
        ],
    )
    await customers.set_tags(write, tags)


def _derived_columns(customer: _Customer) -> dict[str, Any]:
    """Return the derived columns of a stored customer.

    An email that did not change keeps its key, which `db upgrade` may have made unique.
    """
    columns = derived(customer.columns)
    if customer.columns["email"] == customer.stored.email:
        del columns["email_key"]
    return columns


async def _changed_tags(write: Write, stored: Sequence[_Customer]) -> dict[int, tuple[int, ...]]:
    new_tags = {customer.stored.id: customer.tag_ids for customer in stored if customer.tag_ids is not None}
    if not new_tags:
        return {}
    old_tags = await write.values(catalog.tags_of(list(new_tags)), list(new_tags))
    return {
        id_: tag_ids
        for (id_, tag_ids), tags in zip(new_tags.items(), old_tags, strict=True)
        if set(tag_ids) != {tag.id for tag in tags}
    }
