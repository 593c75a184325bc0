"""Locations and tags."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Text, select
from sqlalchemy.sql import Executable

from customergraph.rows import Lists, Row, Rows, ranges_of
from customergraph.store.batches import Batch, among
from customergraph.store.entities import LOCATION, TAG, Entity
from customergraph.store.rows import Columns
from customergraph.store.statements import cached
from customergraph.store.tables import customer_tag, location, tag
from customergraph.store.tenancy import in_project
from customergraph.store.transactions import Transaction

_LOCATION_IDS = select(location.c.slug, location.c.id).where(
    in_project(location), among(location.c.slug, "slugs", Text)
)
_TAG_IDS = select(tag.c.slug, tag.c.id).where(in_project(tag), among(tag.c.slug, "slugs", Text))


@cached
def _all_statement(entity: Entity, columns: Columns) -> Executable:
    table = entity.table
    return select(*entity.selected(columns)).where(in_project(table)).order_by(table.c.name_key, table.c.id)


def every(_keys: Sequence[None], entity: Entity, *, columns: Columns) -> Batch:
    """Read all locations, or all tags, in the order of folded name, then id."""
    return Batch(_all_statement(entity, columns), {}, lambda rows, keys: Lists(rows, [(0, rows.count)] * len(keys)))


async def locations(transaction: Transaction) -> Sequence[Row]:
    return await transaction.rows(_all_statement(LOCATION, None))


async def tags(transaction: Transaction) -> Sequence[Row]:
    return await transaction.rows(_all_statement(TAG, None))


@cached
def _tags_of_statement(columns: Columns) -> Executable:
    return (
        select(*TAG.selected(columns), customer_tag.c.customer_id)
        .select_from(customer_tag.join(tag, tag.c.id == customer_tag.c.tag_id))
        .where(in_project(customer_tag), in_project(tag), among(customer_tag.c.customer_id, "parents"))
        .order_by(customer_tag.c.customer_id, tag.c.name_key, tag.c.id)
    )


def tags_of(customer_ids: Sequence[int], *, columns: Columns = None) -> Batch:
    """Read the tags of each customer in the order of folded name, then id."""
    return Batch(_tags_of_statement(columns), {"parents": customer_ids}, _by_customer)


def _by_customer(rows: Rows, customer_ids: Sequence[int]) -> Lists:
    return Lists(rows, ranges_of(customer_ids, rows.column("customer_id")))


async def location_ids(transaction: Transaction, slugs: Collection[str]) -> Mapping[str, int]:
    """Return the id of the location with each slug; slugs without a location are left out."""
    return {row.slug: row.id for row in await transaction.rows(_LOCATION_IDS, {"slugs": list(slugs)})}


async def tag_ids(transaction: Transaction, slugs: Collection[str]) -> Mapping[str, int]:
    """Return the id of the tag with each slug; slugs without a tag are left out."""
    return {row.slug: row.id for row in await transaction.rows(_TAG_IDS, {"slugs": list(slugs)})}
