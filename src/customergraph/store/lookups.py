"""Look-ups of rows by id and uuid, for any entity."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Uuid, select
from sqlalchemy.sql import Executable

from customergraph.store.batches import Batch, each, singles
from customergraph.store.entities import Entity
from customergraph.store.rows import Columns
from customergraph.store.statements import cached
from customergraph.store.tenancy import in_project, in_project_by_id

_BY_ID, _BY_UUID = singles("id"), singles("uuid")


def by_ids(ids: Sequence[int], entity: Entity, *, columns: Columns) -> Batch:
    """Read the row of each id; none for an id that the project does not have."""
    return Batch(_by_ids_statement(entity, columns), {"ids": ids}, _BY_ID)


def by_uuids(uuids: Sequence[UUID], entity: Entity, *, columns: Columns) -> Batch:
    """Read the row of each uuid; none for a uuid that the project does not have."""
    return Batch(_by_uuids_statement(entity, columns), {"uuids": uuids}, _BY_UUID)


@cached
def _by_ids_statement(entity: Entity, columns: Columns) -> Executable:
    table = entity.table
    return select(*entity.selected(columns)).where(in_project_by_id(table), table.c.id.in_(select(each("ids").c.value)))


@cached
def _by_uuids_statement(entity: Entity, columns: Columns) -> Executable:
    table = entity.table
    has_uuid = table.c.uuid.in_(select(each("uuids", Uuid).c.value))
    return select(*entity.selected(columns, "uuid")).where(in_project(table), has_uuid)
