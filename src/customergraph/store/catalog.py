"""Locations and tags."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Text, select
from sqlalchemy.sql import Executable

from customergraph.rows import Row
from customergraph.store.batches import each
from customergraph.store.entities import LOCATION, TAG, Entity
from customergraph.store.rows import Columns
from customergraph.store.statements import cached
from customergraph.store.tables import customer_tag, location, tag
from customergraph.store.tenancy import in_project
from customergraph.store.transactions import Transaction

_SLUGS = select(each("slugs", Text).c.value)
_LOCATION_IDS = select(location.c.slug, location.c.id).where(in_project(location), location.c.slug.in_(_SLUGS))
_TAG_IDS = select(tag.c.slug, tag.c.id).where(in_project(tag), tag.c.slug.in_(_SLUGS))


@cached
def _all_statement(entity: Entity, columns: Columns) -> Executable:
    table = entity.table
    return select(*entity.selected(columns)).where(in_project(table)).order_by(table.c.name_key, table.c.id)


async def locations(read: Transaction, columns: Columns = None) -> Sequence[Row]:
    """Return all locations in the order of folded name, then id."""
    return await read.rows(_all_statement(LOCATION, columns))


async def tags(read: Transaction, columns: Columns = None) -> Sequence[Row]:
    """Return all tags in the order of folded name, then id."""
    return await read.rows(_all_statement(TAG, columns))


@cached
def _tags_of_statement(columns: Columns) -> Executable:
    return (
        select(*TAG.selected(columns), customer_tag.c.customer_id)
        .select_from(customer_tag.join(tag, tag.c.id == customer_tag.c.tag_id))
        .where(
            in_project(customer_tag), in_project(tag), customer_tag.c.customer_id.in_(select(each("parents").c.value))
        )
        .order_by(tag.c.name_key, tag.c.id)
    )


async def tags_of(read: Transaction, customer_ids: Sequence[int], *, columns: Columns = None) -> list[list[Row]]:
    """Return the tags of each customer in the order of folded name, then id."""
    tags_by_customer: dict[int, list[Row]] = {id_: [] for id_ in customer_ids}
    for row in await read.rows(_tags_of_statement(columns), {"parents": customer_ids}):
        tags_by_customer[row.customer_id].append(row)
    return [tags_by_customer[id_] for id_ in customer_ids]


async def location_ids(transaction: Transaction, slugs: Collection[str]) -> Mapping[str, int]:
    """Return the id of the location with each slug; slugs without a location are left out."""
    return {row.slug: row.id for row in await transaction.rows(_LOCATION_IDS, {"slugs": list(slugs)})}


async def tag_ids(transaction: Transaction, slugs: Collection[str]) -> Mapping[str, int]:
    """Return the id of the tag with each slug; slugs without a tag are left out."""
    return {row.slug: row.id for row in await transaction.rows(_TAG_IDS, {"slugs": list(slugs)})}
