"""Saving messages, reviews and charges: whose each is, what it changes, and what customers remember of it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Self
from uuid import UUID, uuid4

from customergraph.domain.entry import Entry
from customergraph.domain.mistakes import Mistakes
from customergraph.domain.owner import NEEDED, NOT_ITS_OWN
from customergraph.errors import UserErrorCode
from customergraph.saving.changes import differences
from customergraph.saving.kinds import OnKnown, SavedKind
from customergraph.saving.owners import NAMES, Owners
from customergraph.saving.references import References
from customergraph.store import bulk, history
from customergraph.store.transactions import Write

# What an entry says of itself, and no column has from it.
_NO_COLUMNS = frozenset({"uuid", "location_slug", *NAMES})

# Adds what is wrong with an entry for a row as it is stored, or for a new one.
Judge = Callable[[Entry, Any, Mistakes], None]


class Record:
    """A message, a review or a charge of a batch: its stored row, if there is one, and what the entries say of it."""

    __slots__ = ("columns", "stored", "uuid")

    def __init__(self, uuid: UUID, stored: Any = None) -> None:
        self.uuid = uuid
        self.stored = stored
        self.columns: dict[str, Any] = {}

    def value(self, name: str) -> Any:
        """Return a column as the entries make it."""
        return self.columns[name] if name in self.columns else getattr(self.stored, name)


class Records:
    """The rows of one kind that a batch of entries names by their uuids, locked after their customers."""

    def __init__(
        self, kind: SavedKind, entries: Sequence[Entry], rows: Sequence[Any], owners: Owners, references: References
    ) -> None:
        self._kind = kind
        self._entries = entries
        self._owners = owners
        self._references = references
        self._by_uuid = {row.uuid: Record(row.uuid, row) for row in rows}

    @classmethod
    async def read(cls, write: Write, kind: SavedKind, entries: Sequence[Entry]) -> Self:
        """Read and lock the rows with the uuids of entries, and the customers whose they are or become."""
        uuids = {entry.values.get("uuid") for entry in entries}
        # Customers are locked before their messages, as acts on a customer do.
        known = await bulk.known(write, kind.table, "uuid", uuids)
        owners = await Owners.read(write, entries, {row.customer_id for row in known} - {None})
        rows = await bulk.known(write, kind.table, "uuid", uuids, locked=True) if known else []
        return cls(kind, entries, rows, owners, await References.read(write, entries))

    def put_all(self, mistakes: Mistakes, *, judge: Judge | None = None) -> list[Record | None]:
        """Put each entry to the row with its uuid, or to a new one.

        Returns the row of each, None for one with mistakes.
        """
        return [self._put(entry, mistakes, judge, from_file=False) for entry in self._entries]

    def put_rows(self, on_known: OnKnown, mistakes: Mistakes, *, without_customer: bool = False) -> list[Record | None]:
        """Put the entry of each row of a file as `put_all` does.

        It can give a row to another customer, and its email may be new to one that it names by phone. With
        `without_customer` a new row that names no known customer is nobody's.
        """
        return [self._put_row(entry, on_known, mistakes, without_customer=without_customer) for entry in self._entries]

    def _put_row(self, entry: Entry, on_known: OnKnown, mistakes: Mistakes, *, without_customer: bool) -> Record | None:
        record = self._by_uuid.get(entry.values.get("uuid"))
        if record is not None:
            if on_known is OnKnown.SKIP:
                return record
            if on_known is OnKnown.FILL:
                entry = _filling(entry, record)
        nobodys = without_customer and not self._owners.knows(entry)
        if nobodys:
            entry = replace(entry, values={name: entry.values[name] for name in entry.values if name not in NAMES})
        return self._put(entry, mistakes, None, from_file=True, nobodys=nobodys)

    def _put(
        self, entry: Entry, mistakes: Mistakes, judge: Judge | None, *, from_file: bool, nobodys: bool = False
    ) -> Record | None:
        before = len(mistakes)
        record = self._by_uuid.get(entry.values.get("uuid"))
        self._references.refuse_unknown(entry, mistakes)
        self._kind.rules.refuse_blanks(entry, mistakes, is_new=record is None)
        owner = self._owners.named(entry, mistakes, email_may_be_new=from_file)
        if not nobodys:
            self._refuse_owner(entry, record, owner, mistakes, may_move=from_file)
        if judge is not None:
            judge(entry, record and record.stored, mistakes)
        if len(mistakes) > before:
            return None
        if record is None:
            record = Record(entry.values.get("uuid") or uuid4())
            self._by_uuid[record.uuid] = record
        self._say(record, entry, owner)
        return record

    def _refuse_owner(
        self, entry: Entry, record: Record | None, owner: int | None, mistakes: Mistakes, *, may_move: bool
    ) -> None:
        """Add a mistake where a new row would be nobody's, or a known one another customer's than it is."""
        if record is None:
            if not any(entry.values.get(name) is not None for name in NAMES):
                mistakes.add((*entry.field, "customer_id"), UserErrorCode.BLANK, NEEDED)
        elif owner is not None and not may_move and owner != record.value("customer_id"):
            mistakes.add((*entry.field, "uuid"), UserErrorCode.TAKEN, NOT_ITS_OWN)

    def _say(self, record: Record, entry: Entry, owner: int | None) -> None:
        for name, value in entry.values.items():
            if name not in _NO_COLUMNS:
                record.columns[name] = self._kind.value(name, value)
        record.columns |= self._references.location_column(entry)
        if owner is not None:
            record.columns["customer_id"] = owner

    async def write(self, write: Write, now: datetime) -> set[UUID]:
        """Add the rows that are new, change those that the entries change, and refresh their customers' summaries.

        Returns the uuids of the rows that were changed.
        """
        records = self._by_uuid.values()
        new = [record.columns | {"uuid": record.uuid} for record in records if record.stored is None]
        await bulk.add(write, self._kind.table, [self._kind.new_row(columns, now) for columns in new])
        different = ((record.stored, differences(record.stored, record.columns)) for record in records if record.stored)
        changes = [(stored, columns) for stored, columns in different if columns]
        moment = dict.fromkeys(self._kind.now_when_changed, now)
        await bulk.change_rows(write, self._kind.table, [(stored, columns | moment) for stored, columns in changes])
        ids: set[Any] = {columns.get("customer_id") for columns in new}
        for stored, columns in changes:
            ids |= {stored.customer_id, columns.get("customer_id")}
        await history.refresh(write, self._kind.entity.table, ids - {None})
        return {stored.uuid for stored, _ in changes}


def _filling(entry: Entry, record: Record) -> Entry:
    """Return what of an entry fills columns of the row that are empty."""
    columns = {"location_slug": "location_id", **dict.fromkeys(NAMES, "customer_id")}
    values = {
        name: value
        for name, value in entry.values.items()
        if name == "uuid" or record.value(columns.get(name, name)) is None
    }
    return replace(entry, values=values)
