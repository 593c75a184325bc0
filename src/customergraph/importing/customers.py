"""Importing customers: which row is whom, and what of it is new."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from customergraph.domain import timestamps
from customergraph.domain.customer import TEXT_RULES, derived
from customergraph.importing.batch import Batch, Saved
from customergraph.importing.files import Reject
from customergraph.importing.rows import Row, email_key
from customergraph.store import bulk, catalog, customers
from customergraph.store.transactions import Write

# The columns that are what their cells say.
_TOLD = frozenset((*TEXT_RULES, "signed_up_at", "unsubscribed_at", "archived_at", "created_at", "has_subscription"))
_OWN = (*sorted(_TOLD), "location_id")


class _Person:
    """A customer of this batch: as the store has it, if it does, and as the file's rows leave it."""

    __slots__ = ("columns", "keys", "stored", "tag_ids", "uuid")

    def __init__(self, uuid: UUID, stored: Any = None) -> None:
        self.uuid = uuid
        self.stored = stored
        self.columns: dict[str, Any] = {name: getattr(stored, name) for name in _OWN} if stored else dict.fromkeys(_OWN)
        self.tag_ids: tuple[int, ...] | None = None
        self.keys: dict[str, Any] = {}

    def changes(self) -> dict[str, Any]:
        """Give the columns that differ from what the store has."""
        return {name: value for name, value in self.columns.items() if getattr(self.stored, name) != value}


class _People:
    """The customers of a batch, by each of the keys that can name one."""

    def __init__(self) -> None:
        self.all: list[_Person] = []
        self._by: dict[str, dict[Any, _Person]] = {"uuid": {}, "email_key": {}, "phone": {}}

    def add(self, person: _Person, keys: Mapping[str, Any]) -> None:
        self.all.append(person)
        self._by["uuid"][person.uuid] = person
        self.name(person, keys)

    def name(self, person: _Person, keys: Mapping[str, Any]) -> None:
        """Let the email and phone of these keys lead to the person, and no others."""
        for key in ("email_key", "phone"):
            if key not in keys:
                continue
            known, old, new = self._by[key], person.keys.get(key), keys[key]
            if old is not None:
                del known[old]
            if new is not None:
                known[new] = person
            person.keys[key] = new

    def find(self, keys: Mapping[str, Any]) -> _Person | None:
        """Find a person by uuid, else by email, else by phone."""
        for key in self._by:
            person = self.owner(key, keys.get(key))
            if person is not None:
                return person
        return None

    def owner(self, key: str, value: Any) -> _Person | None:
        return None if value is None else self._by[key].get(value)


async def save(write: Write, batch: Batch, rows: Sequence[Row]) -> Saved:
    """Add the customers that are new, and change those that are known already."""
    keys = [_keys(row) for row in rows]
    people = await _known_people(write, keys)
    saved = Saved()
    for row, own in zip(rows, keys, strict=True):
        saved.rejects.extend(_apply(people, batch, row, own))
    now = timestamps.now()
    new = [person for person in people.all if person.stored is None]
    saved.added = len(new)
    saved.changed = len(rows) - saved.added - len({reject.line for reject in saved.rejects})
    await _change(write, [person for person in people.all if person.stored], now)
    await _add(write, new, now)
    return saved


def _keys(row: Row) -> dict[str, Any]:
    keys: dict[str, Any] = {"uuid": row.values.get("uuid")}
    if "email" in row.values:
        keys["email_key"] = email_key(row)
    if "phone" in row.values:
        keys["phone"] = row.values["phone"]
    return keys


async def _known_people(write: Write, wanted: Sequence[Mapping[str, Any]]) -> _People:
    people = _People()
    found: dict[int, Any] = {}
    for key in ("uuid", "email_key", "phone"):
        for stored in await bulk.known(write, "customer", key, {keys.get(key) for keys in wanted}, locked=True):
            found[stored.id] = stored
    for stored in found.values():
        keys = {"email_key": stored.email_key, "phone": stored.phone}
        people.add(_Person(stored.uuid, stored), keys)
    return people


def _apply(people: _People, batch: Batch, row: Row, keys: Mapping[str, Any]) -> list[Reject]:
    person = people.find(keys)
    for key, column in (("email_key", "email"), ("phone", "phone")):
        owner = people.owner(key, keys.get(key))
        if owner is not None and owner is not person:
            return [Reject(row.line, column, "belongs to another customer than the rest of the row")]
    location_id, tag_ids, rejects = batch.named(row)
    if rejects:
        return rejects
    if person is None:
        person = _Person(keys["uuid"] or uuid4())
        people.add(person, keys)
    else:
        people.name(person, keys)
    _fill(person, row, location_id, tag_ids)
    return []


def _fill(person: _Person, row: Row, location_id: int | None, tag_ids: tuple[int, ...] | None) -> None:
    for name, value in row.values.items():
        # A blank cell cannot clear the time at which the customer was added.
        if name in _TOLD and (value is not None or name != "created_at"):
            person.columns[name] = value
    person.columns["has_subscription"] = bool(person.columns["has_subscription"])
    if "location" in row.values:
        person.columns["location_id"] = location_id
    if tag_ids is not None:
        person.tag_ids = tag_ids


async def _add(write: Write, people: Sequence[_Person], now: datetime) -> None:
    rows = [
        {
            **person.columns,
            **derived(person.columns),
            "uuid": person.uuid,
            "created_at": person.columns["created_at"] or now,
            "updated_at": now,
            "has_clicked": False,
            "has_charges": False,
        }
        for person in people
    ]
    await bulk.add(write, "customer", rows)
    tagged = {person.uuid: person.tag_ids for person in people if person.tag_ids}
    ids = await bulk.ids(write, "customer", tagged)
    await customers.set_tags(write, {ids[uuid]: tag_ids for uuid, tag_ids in tagged.items()})


async def _change(write: Write, people: Sequence[_Person], now: datetime) -> None:
    changes = {person.stored.id: person.changes() for person in people}
    tags = await _changed_tags(write, people)
    # An address may pass from one customer to another: it is first taken from its old owner.
    contacts = {"email": "email_key", "phone": "phone"}
    freed = [
        (person.stored.id, {contacts[name]: None for name in contacts if name in changes[person.stored.id]})
        for person in people
    ]
    await bulk.change(write, "customer", [(id_, columns) for id_, columns in freed if columns])
    await bulk.change(
        write,
        "customer",
        [
            (person.stored.id, {**changes[person.stored.id], **_keys_of(person), "updated_at": now})
            for person in people
            if changes[person.stored.id] or person.stored.id in tags
        ],
    )
    await customers.set_tags(write, tags)


def _keys_of(person: _Person) -> dict[str, Any]:
    """Return the keys of a stored customer; an email that stays keeps its key, which db upgrade may have made."""
    keys = derived(person.columns)
    if person.columns["email"] == person.stored.email:
        del keys["email_key"]
    return keys


async def _changed_tags(write: Write, people: Sequence[_Person]) -> dict[int, tuple[int, ...]]:
    told = {person.stored.id: person.tag_ids for person in people if person.tag_ids is not None}
    if not told:
        return {}
    stored = await catalog.tags_of(write, list(told))
    return {
        id_: tag_ids
        for (id_, tag_ids), tags in zip(told.items(), stored, strict=True)
        if set(tag_ids) != {tag.id for tag in tags}
    }
