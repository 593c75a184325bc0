"""Look-ups of rows by id and uuid, for any entity."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Uuid, select
from sqlalchemy.sql import Executable

from customergraph.rows import Row
from customergraph.store.batches import each
from customergraph.store.entities import Entity
from customergraph.store.rows import Columns
from customergraph.store.statements import cached
from customergraph.store.tenancy import in_project, in_project_by_id
from customergraph.store.transactions import Read


async def by_ids(read: Read, ids: Sequence[int], entity: Entity, *, columns: Columns) -> list[Row | None]:
    """Return the row of each id; None for an id that the project does not have."""
    rows = {row.id: row for row in await read.rows(_by_ids_statement(entity, columns), {"ids": ids})}
    return [rows.get(id_) for id_ in ids]


async def by_uuids(read: Read, uuids: Sequence[UUID], entity: Entity, *, columns: Columns) -> list[Row | None]:
    """Return the row of each uuid; None for a uuid that the project does not have."""
    rows = {row.uuid: row for row in await read.rows(_by_uuids_statement(entity, columns), {"uuids": uuids})}
    return [rows.get(uuid) for uuid in uuids]


@cached
def _by_ids_statement(entity: Entity, columns: Columns) -> Executable:
    table = entity.table
    return select(*entity.selected(columns)).where(in_project_by_id(table), table.c.id.in_(select(each("ids").c.value)))


@cached
def _by_uuids_statement(entity: Entity, columns: Columns) -> Executable:
    table = entity.table
    has_uuid = table.c.uuid.in_(select(each("uuids", Uuid).c.value))
    return select(*entity.selected(columns, "uuid")).where(in_project(table), has_uuid)
