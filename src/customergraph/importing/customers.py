"""Importing customers: which row is whom, and what of it is new."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from customergraph.domain import moments
from customergraph.domain.customer import TEXT_RULES, derived
from customergraph.importing.batch import Batch, Saved
from customergraph.importing.files import Reject
from customergraph.importing.rows import Row, email_key
from customergraph.store import bulk, catalog
from customergraph.store.database import Write

_TEXTS = tuple(TEXT_RULES)
_TIMES = ("signed_up_at", "unsubscribed_at", "archived_at", "created_at")
_NEVER_BLANK: Mapping[str, Any] = {"has_subscription": False}
_OWN = (*_TEXTS, *_TIMES, "has_subscription", "location_id")


class _Person:
    """A customer of this batch: as the store has it, if it does, and as the file's rows leave it."""

    __slots__ = ("columns", "id", "keys", "stored", "tag_ids", "uuid")

    def __init__(self, uuid: UUID, stored: Any = None) -> None:
        self.uuid = uuid
        self.stored = stored
        self.id: int | None = stored and stored.id
        self.columns: dict[str, Any] = (
            {name: getattr(stored, name) for name in _OWN} if stored else dict.fromkeys(_OWN)
        )
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
        for key in keys.keys() & {"email_key", "phone"}:
            known, old, new = self._by[key], person.keys.get(key), keys[key]
            if old is not None:
                del known[old]
            if new is not None:
                known[new] = person
            person.keys[key] = new

    def find(self, keys: Mapping[str, Any]) -> _Person | None:
        """Find a person by uuid, else by email, else by phone."""
        return next((person for key in self._by if (person := self.owner(key, keys.get(key)))), None)

    def owner(self, key: str, value: Any) -> _Person | None:
        return None if value is None else self._by[key].get(value)


async def save(write: Write, batch: Batch, rows: Sequence[Row]) -> Saved:
    """Add the customers that are new, and change those that are known already."""
    people = await _known_people(write, rows)
    saved = Saved()
    for row in rows:
        rejects = _apply(people, batch, row)
        saved.rejects.extend(rejects)
    now = moments.now()
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


async def _known_people(write: Write, rows: Iterable[Row]) -> _People:
    people = _People()
    wanted = [_keys(row) for row in rows]
    found: dict[int, Any] = {}
    for key in ("uuid", "email_key", "phone"):
        for stored in await bulk.known(write, "customer", key, {keys.get(key) for keys in wanted}):
            found[stored.id] = stored
    for stored in found.values():
        keys = {"email_key": stored.email_key, "phone": stored.phone}
        people.add(_Person(stored.uuid, stored), keys)
    return people


def _apply(people: _People, batch: Batch, row: Row) -> list[Reject]:
    keys = _keys(row)
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
    for name in (*_TEXTS, *_TIMES, *_NEVER_BLANK):
        if name in row.values:
            person.columns[name] = row.values[name]
    if row.values.get("created_at") is None:
        person.columns["created_at"] = person.stored.created_at if person.stored else None
    if "location" in row.values:
        person.columns["location_id"] = location_id
    for name, default in _NEVER_BLANK.items():
        if person.columns[name] is None:
            person.columns[name] = default
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
    ids = {row.uuid: row.id for row in await bulk.known(write, "customer", "uuid", tagged)}
    if tagged:
        await bulk.replace_tags(write, {ids[uuid]: tag_ids for uuid, tag_ids in tagged.items()})


async def _change(write: Write, people: Sequence[_Person], now: datetime) -> None:
    changes = {person.id: person.changes() for person in people}
    tags = await _changed_tags(write, people)
    # An address may pass from one customer to another: it is first taken from its old owner.
    contacts = {"email": "email_key", "phone": "phone"}
    freed = [
        (person.id, {contacts[name]: None for name in contacts if name in changes[person.id]})
        for person in people
    ]
    await bulk.change(write, "customer", [(id_, columns) for id_, columns in freed if columns])
    await bulk.change(
        write,
        "customer",
        [
            (person.id, {**changes[person.id], **derived(person.columns), "updated_at": now})
            for person in people
            if changes[person.id] or person.id in tags
        ],
    )
    if tags:
        await bulk.replace_tags(write, tags)


async def _changed_tags(write: Write, people: Sequence[_Person]) -> dict[int, tuple[int, ...]]:
    told = {person.id: person.tag_ids for person in people if person.id and person.tag_ids is not None}
    if not told:
        return {}
    stored = await catalog.tags_of(write, list(told))
    return {
        id_: tag_ids
        for (id_, tag_ids), tags in zip(told.items(), stored, strict=True)
        if set(tag_ids) != {tag.id for tag in tags}
    }
