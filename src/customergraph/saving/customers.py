"""Saving customers: which customer an entry names, what it changes, and whose an email or a phone is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple, Self
from uuid import UUID, uuid4

from customergraph.domain.contact import mailbox
from customergraph.domain.customer import derived
from customergraph.domain.entry import Entry
from customergraph.domain.mistakes import Mistakes
from customergraph.errors import UserErrorCode
from customergraph.saving.changes import differences
from customergraph.saving.kinds import OnKnown, SavedKind
from customergraph.saving.references import References
from customergraph.store import bulk, catalog, customers
from customergraph.store.transactions import Write

# The values of an entry that identify a customer, in the order in which an import looks it up, and their columns.
KEYS = {"uuid": "uuid", "email": "email_key", "phone": "phone"}
_CONTACTS = ("email", "phone")
_TAKEN = {"uuid": "belongs to a customer already", **dict.fromkeys(_CONTACTS, "belongs to another customer already")}
_SHARED_PHONE = "belongs to the record of another customer, who has another email"
# What an entry says of itself, and no column has from it.
_NO_COLUMNS = frozenset({"uuid", "location_slug", "tag_slugs"})


class SavedCustomer:
    """A customer of a batch: its stored row, if there is one, and its columns after the entries."""

    __slots__ = ("columns", "fills_tags", "keys", "stored", "tag_ids", "uuid")

    def __init__(self, uuid: UUID, stored: Any = None) -> None:
        self.uuid = uuid
        self.stored = stored
        self.columns: dict[str, Any] = {}
        self.tag_ids: tuple[int, ...] | None = None
        self.fills_tags = False
        self.keys: dict[str, Any] = {}

    def value(self, name: str) -> Any:
        """Return a column as the entries make it."""
        return self.columns[name] if name in self.columns else getattr(self.stored, name, None)


class _Keyed(NamedTuple):
    """An entry, and the keys among its values in the form in which they are compared."""

    entry: Entry
    keys: Mapping[str, Any]


class Customers:
    """The customers that a batch of entries names, by each key, locked in the order of their ids."""

    def __init__(self, kind: SavedKind, entries: Sequence[_Keyed], references: References) -> None:
        self._kind = kind
        self._entries = entries
        self._references = references
        self._all: list[SavedCustomer] = []
        self._by: dict[str, dict[Any, SavedCustomer]] = {key: {} for key in KEYS}

    @classmethod
    async def read(
        cls, write: Write, kind: SavedKind, entries: Sequence[Entry], identity: int | UUID | None = None
    ) -> Self:
        """Read and lock the customers whose key is that of an entry, and the one with this id or uuid."""
        keyed = [_Keyed(entry, _keys(entry)) for entry in entries]
        looked_up = {name: {keys[name] for _, keys in keyed if keys.get(name) is not None} for name in KEYS}
        if isinstance(identity, UUID):
            looked_up["uuid"].add(identity)
        ids = {identity} if isinstance(identity, int) else set()
        rows = await customers.locked_by(write, {"id": ids, **{KEYS[name]: keys for name, keys in looked_up.items()}})
        self = cls(kind, keyed, await References.read(write, entries))
        for row in rows:
            customer = SavedCustomer(row.uuid, row)
            self._add(customer, {"email": row.email_key, "phone": row.phone})
        return self

    def with_identity(self, identity: int | UUID | None) -> SavedCustomer | None:
        """Return the stored customer with this id or uuid."""
        return next((one for one in self._all if identity in {one.uuid, one.stored.id}), None)

    def put_all(self, by: Sequence[str], mistakes: Mistakes) -> list[SavedCustomer | None]:
        """Put each entry to the customer that the first of its keys in `by` names, or to a new one.

        Each must have one of them, and is judged as if the earlier ones were done. Returns the customer of each, None
        for one with mistakes.
        """
        return [self._put_by(by, keyed, mistakes) for keyed in self._entries]

    def put_rows(self, on_known: OnKnown, mistakes: Mistakes) -> list[SavedCustomer | None]:
        """Put the entry of each row of a file to the customer with its uuid, else its email, else its phone.

        A customer with its phone alone and another email is another person. Returns the same as `put_all`.
        """
        return [self._put_row(keyed, on_known, mistakes) for keyed in self._entries]

    def _put_row(self, keyed: _Keyed, on_known: OnKnown, mistakes: Mistakes) -> SavedCustomer | None:
        customer = self._find(tuple(KEYS), keyed.keys)
        if customer is not None:
            if self._is_another(customer, keyed.keys):
                mistakes.add((*keyed.entry.field, "phone"), UserErrorCode.TAKEN, _SHARED_PHONE)
                return None
            if on_known is OnKnown.SKIP:
                return customer
            if on_known is OnKnown.FILL:
                keyed = _filling(keyed, customer)
        return self._put(keyed, customer, mistakes)

    def _is_another(self, customer: SavedCustomer, keys: Mapping[str, Any]) -> bool:
        """Return whether only the phone of the keys is the customer's, who has another email."""
        if any(self._owner(name, keys.get(name)) for name in ("uuid", "email")):
            return False
        return None not in {keys.get("email"), customer.keys.get("email")}

    def put(self, customer: SavedCustomer | None, mistakes: Mistakes) -> SavedCustomer | None:
        """Put the only entry to this customer, or to a new one, as `put_all` does."""
        [keyed] = self._entries
        return self._put(keyed, customer, mistakes)

    def _put_by(self, by: Sequence[str], keyed: _Keyed, mistakes: Mistakes) -> SavedCustomer | None:
        if any(keyed.keys.get(name) is not None for name in by):
            return self._put(keyed, self._find(by, keyed.keys), mistakes)
        self._references.refuse_unknown(keyed.entry, mistakes)
        mistakes.add((*keyed.entry.field, by[0]), UserErrorCode.BLANK, "must not be blank: it says which customer")
        return None

    def _find(self, by: Sequence[str], keys: Mapping[str, Any]) -> SavedCustomer | None:
        return next(filter(None, (self._owner(name, keys.get(name)) for name in by)), None)

    def _owner(self, name: str, key: Any) -> SavedCustomer | None:
        return None if key is None else self._by[name].get(key)

    def _put(self, keyed: _Keyed, customer: SavedCustomer | None, mistakes: Mistakes) -> SavedCustomer | None:
        before = len(mistakes)
        self._references.refuse_unknown(keyed.entry, mistakes)
        self._kind.rules.refuse_blanks(keyed.entry, mistakes, is_new=customer is None)
        self._refuse_taken(keyed, customer, mistakes)
        if len(mistakes) > before:
            return None
        if customer is None:
            customer = SavedCustomer(keyed.keys.get("uuid") or uuid4())
            self._add(customer, keyed.keys)
        else:
            self._set_contacts(customer, keyed.keys)
        self._say(customer, keyed.entry)
        return customer

    def _refuse_taken(self, keyed: _Keyed, customer: SavedCustomer | None, mistakes: Mistakes) -> None:
        for name in KEYS if customer is None else _CONTACTS:
            owner = self._owner(name, keyed.keys.get(name))
            if owner is not None and owner is not customer:
                mistakes.add((*keyed.entry.field, name), UserErrorCode.TAKEN, _TAKEN[name])

    def _add(self, customer: SavedCustomer, keys: Mapping[str, Any]) -> None:
        self._all.append(customer)
        self._by["uuid"][customer.uuid] = customer
        self._set_contacts(customer, keys)

    def _set_contacts(self, customer: SavedCustomer, keys: Mapping[str, Any]) -> None:
        """Replace the customer's email and phone by those that are among the keys."""
        for name in _CONTACTS:
            if name not in keys:
                continue
            owners, old, new = self._by[name], customer.keys.get(name), keys[name]
            if old is not None:
                del owners[old]
            if new is not None:
                owners[new] = customer
            customer.keys[name] = new

    def _say(self, customer: SavedCustomer, entry: Entry) -> None:
        for name, value in entry.values.items():
            if name not in _NO_COLUMNS:
                customer.columns[name] = self._kind.value(name, value)
        customer.columns |= {name: value for name, value in entry.fills.items() if customer.value(name) is None}
        customer.columns |= self._references.location_column(entry)
        if "tag_slugs" in entry.values:
            customer.tag_ids = self._references.tag_ids(entry)

    async def write(self, write: Write, now: datetime) -> set[UUID]:
        """Add the customers that are new, and change those that the entries change; returns the uuids of these."""
        changed = await self._change(write, [customer for customer in self._all if customer.stored is not None], now)
        await self._insert(write, [customer for customer in self._all if customer.stored is None], now)
        return changed

    async def _insert(self, write: Write, new: Sequence[SavedCustomer], now: datetime) -> None:
        rows = [self._kind.new_row({**customer.columns, "uuid": customer.uuid}, now) for customer in new]
        ids = await bulk.add(write, self._kind.table, [{**row, **derived(row)} for row in rows])
        tagged = {id_: customer.tag_ids for id_, customer in zip(ids, new, strict=True) if customer.tag_ids}
        await customers.add_tags(write, tagged)

    async def _change(self, write: Write, stored: Sequence[SavedCustomer], now: datetime) -> set[UUID]:
        tags = await _changed_tags(write, stored)
        different = [(customer, differences(customer.stored, customer.columns)) for customer in stored]
        changes = [(customer, columns) for customer, columns in different if columns or customer.stored.id in tags]
        await self._free_contacts(write, changes)
        moment = dict.fromkeys(self._kind.now_when_changed, now)
        rows = [(customer.stored, {**columns, **_derived(customer), **moment}) for customer, columns in changes]
        await bulk.change_rows(write, self._kind.table, rows)
        await customers.set_tags(write, tags)
        return {customer.uuid for customer, _ in changes}

    async def _free_contacts(self, write: Write, changes: Iterable[tuple[SavedCustomer, Mapping[str, Any]]]) -> None:
        """Take the contacts that pass to another customer from their owners, since no two may have one."""
        freed = [
            (customer.stored, columns)
            for customer, changed in changes
            if (columns := {KEYS[name]: None for name in _CONTACTS if name in changed and self._passes(customer, name)})
        ]
        await bulk.change_rows(write, self._kind.table, freed)

    def _passes(self, customer: SavedCustomer, name: str) -> bool:
        """Return whether another customer gets what is this one's as it is stored."""
        return self._owner(name, getattr(customer.stored, KEYS[name])) not in {None, customer}


def _keys(entry: Entry) -> dict[str, Any]:
    """Return the keys among the values of an entry."""
    keys = {name: entry.values[name] for name in KEYS if name in entry.values}
    if keys.get("email"):
        keys["email"] = mailbox(keys["email"])
    return keys


def _filling(keyed: _Keyed, customer: SavedCustomer) -> _Keyed:
    """Return what of an entry fills columns of the customer that are empty."""
    columns = {"location_slug": "location_id"}
    values = {
        name: value
        for name, value in keyed.entry.values.items()
        if name == "tag_slugs" or customer.value(columns.get(name, name)) is None
    }
    customer.fills_tags = "tag_slugs" in values
    keys = {name: key for name, key in keyed.keys.items() if name in values}
    return _Keyed(replace(keyed.entry, values=values), keys)


_TEXTS = ("first_name", "last_name", "email", "company", "phone")


def _derived(customer: SavedCustomer) -> dict[str, Any]:
    """Return the derived columns of a stored customer.

    An email that did not change keeps its key, which `db upgrade` may have made unique.
    """
    columns = derived({name: customer.value(name) for name in _TEXTS})
    if customer.value("email") == customer.stored.email:
        columns["email_key"] = customer.stored.email_key
    return columns


async def _changed_tags(write: Write, stored: Sequence[SavedCustomer]) -> dict[int, tuple[int, ...]]:
    new_tags = {customer.stored.id: customer.tag_ids for customer in stored if customer.tag_ids is not None}
    if not new_tags:
        return {}
    filled = {customer.stored.id for customer in stored if customer.fills_tags}
    old_tags = await write.values(catalog.tags_of(list(new_tags)), list(new_tags))
    return {
        id_: tag_ids
        for (id_, tag_ids), tags in zip(new_tags.items(), old_tags, strict=True)
        if set(tag_ids) != {tag.id for tag in tags} and not (tags and id_ in filled)
    }
