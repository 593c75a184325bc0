"""The log of a project's changes, to which each write transaction appends its own (contract, `sync.md`, section 7).

Every write of an entity's rows has to be told to its transaction's `changes`. A statement that writes such rows and
is not marked by `recorded` is refused before it runs.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID
from weakref import WeakSet

from sqlalchemy import (
    BigInteger,
    Delete,
    Executable,
    Insert,
    Integer,
    Table,
    Update,
    bindparam,
    delete,
    func,
    insert,
    null,
    select,
    update,
)

from customergraph.domain import timestamps
from customergraph.domain.feed import CHANGE_KIND_OF, ENTITY_OF, ChangeAction, ChangeKind
from customergraph.store.batches import among
from customergraph.store.entities import CUSTOMER, ENTITIES
from customergraph.store.statements import cached
from customergraph.store.tables import change, customer_tag, feed
from customergraph.store.tenancy import TENANT, in_project, in_project_by_id
from customergraph.store.timestamps import Timestamp

if TYPE_CHECKING:
    from customergraph.store.transactions import Write

# A writer of n changes removes at most 2n + 10 that are too old.
REMOVED_FOR_EACH, REMOVED_BESIDES = 2, 10
INSERTED_AT_ONCE = 5_000

_KINDS: Mapping[Table, ChangeKind] = {entity.table: CHANGE_KIND_OF[kind] for kind, entity in ENTITIES.items()}
_TABLES: Mapping[ChangeKind, Table] = {kind: table for table, kind in _KINDS.items()}
_WRITTEN = {*_KINDS, customer_tag}
# Columns that are no field of their own, or that follow from others.
_UNNAMED = {"id", "project_id", "uuid", "updated_at", "name_key"} | CUSTOMER.internal
_FIELDS = {"location_id": "location", "customer_id": "customer"}

_checked: WeakSet[Executable] = WeakSet()

Statement = TypeVar("Statement", Insert, Update, Delete)


class UnrecordedWrite(Exception):
    """A write of an entity's rows that would leave no change: our mistake, whatever the request was."""


def recorded(statement: Statement) -> Statement:
    """Mark a statement that writes an entity's rows, of which the transaction's `changes` are told."""
    return statement.execution_options(recorded=True)


def check(statement: Executable) -> None:
    """Raise UnrecordedWrite for a statement that writes an entity's rows, and is not marked."""
    if not isinstance(statement, Insert | Update | Delete) or statement in _checked:
        return
    if statement.table in _WRITTEN and not statement.get_execution_options().get("recorded"):
        raise UnrecordedWrite(f"{type(statement).__name__} of {statement.table.description}")
    _checked.add(statement)


@dataclass(slots=True)
class _Subject:
    """What happened to one row; a uuid that is None is looked up before it is written."""

    action: ChangeAction
    id: int
    uuid: UUID | None = None
    customer_id: int | None = None
    fields: frozenset[str] = frozenset()


class Changes:
    """The changes of one transaction, each row once."""

    def __init__(self) -> None:
        self._subjects: dict[ChangeKind, dict[int, _Subject]] = defaultdict(dict)

    def added(self, table: Table, ids: Iterable[int], rows: Iterable[Mapping[str, Any]]) -> None:
        """Take notice of new rows of a table, and of their ids."""
        subjects = self._subjects[_KINDS[table]]
        for id_, row in zip(ids, rows, strict=True):
            subjects[id_] = _Subject(ChangeAction.CREATED, id_, row["uuid"], row.get("customer_id"))

    def updated(
        self,
        table: Table,
        id_: int,
        columns: Iterable[str],
        *,
        uuid: UUID | None = None,
        customer_id: int | None = None,
    ) -> None:
        """Take notice of columns of a stored row that have other values now, or of its `tags`."""
        subjects = self._subjects[_KINDS[table]]
        subject = subjects.get(id_)
        if subject is None:
            subject = subjects[id_] = _Subject(ChangeAction.UPDATED, id_)
        elif subject.action is ChangeAction.CREATED:
            return
        subject.uuid, subject.customer_id = uuid or subject.uuid, customer_id or subject.customer_id
        subject.fields |= {_FIELDS.get(name, name) for name in columns if name not in _UNNAMED}

    def deleted(self, table: Table, id_: int, uuid: UUID, customer_id: int | None) -> None:
        """Take notice of a row that is gone."""
        self._subjects[_KINDS[table]][id_] = _Subject(ChangeAction.DELETED, id_, uuid, customer_id)

    async def complete(self, write: "Write") -> None:
        """Look up the uuids that are not known: by at most one statement for each kind."""
        for kind, subjects in self._subjects.items():
            unknown_ids = [id_ for id_, subject in subjects.items() if subject.uuid is None and subject.fields]
            for row in await write.rows(_by_id(_TABLES[kind]), {"ids": unknown_ids}) if unknown_ids else ():
                subjects[row.id].uuid, subjects[row.id].customer_id = row.uuid, row.customer_id

    def ordered(self) -> "Ordered":
        """Return the changes in the order of the feed."""
        kept: list[tuple[ChangeKind, _Subject]] = []
        gone: list[tuple[ChangeKind, _Subject]] = []
        for kind in ENTITY_OF:
            subjects = self._subjects[kind]
            for subject in map(subjects.__getitem__, sorted(subjects)):
                if subject.action is ChangeAction.DELETED:
                    gone.append((kind, subject))
                elif subject.action is ChangeAction.CREATED or subject.fields:
                    kept.append((kind, subject))
        return kept + gone[::-1]


Ordered = list[tuple[ChangeKind, _Subject]]


def _columns(changes: Ordered) -> dict[str, list[Any]]:
    """Return changes by column, without their positions."""
    subjects = [subject for _, subject in changes]
    return {
        "kind": [kind for kind, _ in changes],
        "action": [subject.action for subject in subjects],
        "subject_id": [subject.id for subject in subjects],
        "subject_uuid": [subject.uuid for subject in subjects],
        "customer_id": [
            subject.id if kind is ChangeKind.CUSTOMER else subject.customer_id for kind, subject in changes
        ],
        "fields": [" ".join(sorted(subject.fields)) or None for subject in subjects],
    }


@cached
def _by_id(table: Table) -> Executable:
    owner = table.c.customer_id if "customer_id" in table.c else null().label("customer_id")
    return select(table.c.id, table.c.uuid, owner).where(in_project_by_id(table), among(table.c.id, "ids"))


_OLDEST_AT = select(change.c.at).where(in_project(change)).order_by(change.c.position).limit(1).scalar_subquery()
# Of two writers of one project the second waits here until what the first wrote is visible.
_ADVANCE = (
    update(feed)
    .where(in_project(feed))
    .values(position=feed.c.position + bindparam("count", type_=BigInteger))
    .returning(feed.c.position, _OLDEST_AT.label("oldest_at"))
)
_oldest = (
    select(change.c.position, change.c.at)
    .where(in_project(change))
    .order_by(change.c.position)
    .limit(bindparam("most", type_=Integer))
    .subquery("oldest")
)
_FIRST_KEPT = select(func.min(_oldest.c.position)).where(_oldest.c.at >= bindparam("since", type_=Timestamp))
_AFTER_OLDEST = select(func.max(_oldest.c.position) + 1)
# From the oldest on, so that what is kept has no hole, whatever the clocks of the writers said. Without both bounds
# PostgreSQL would expect a third of all changes, and read them all.
_REMOVE_OLD = delete(change).where(
    in_project(change),
    change.c.position >= select(func.min(_oldest.c.position)).scalar_subquery(),
    change.c.position < func.coalesce(_FIRST_KEPT.scalar_subquery(), _AFTER_OLDEST.scalar_subquery()),
)


_BEGIN = insert(feed).values(project_id=TENANT, position=bindparam("position", type_=BigInteger))


async def append(write: "Write", changes: Changes) -> None:
    """Append a transaction's changes to its project's feed: the last that is done before the commit."""
    await changes.complete(write)
    ordered = changes.ordered()
    count = len(ordered)
    if not count:
        return
    row = await write.row(_ADVANCE, {"count": count})
    if row is None:
        # The first writer of a project; another at the same time loses the race, and begins again.
        await write.change(_BEGIN, {"position": count})
    last = row.position if row else count
    at = timestamps.now()
    await _insert(write, ordered, last - count + 1, at)
    since = at - write.feed_kept
    if row and row.oldest_at and row.oldest_at < since:
        most = REMOVED_FOR_EACH * count + REMOVED_BESIDES
        await write.change(_REMOVE_OLD, {"since": since, "most": most})


async def _insert(write: "Write", ordered: Ordered, first: int, at: datetime) -> None:
    """Insert changes from a position on, so many at once that no other operation waits long meanwhile."""
    for start in range(0, len(ordered), INSERTED_AT_ONCE):
        changes = ordered[start : start + INSERTED_AT_ONCE]
        count, position = len(changes), first + start
        every = {"position": range(position, position + count), "at": [at] * count}
        await write.insert(change, {**_columns(changes), **every, "token_id": [write.token_id] * count})
