"""Locations and tags."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Table, Text, select
from sqlalchemy.sql import Executable

from customergraph.rows import Row
from customergraph.store.batches import each
from customergraph.store.database import Transaction
from customergraph.store.rows import Columns, chosen
from customergraph.store.statements import remembered
from customergraph.store.tables import customer_tag, location, tag
from customergraph.store.tenancy import in_project

_SLUGS = select(each("slugs", Text).c.value)
_LOCATION_IDS = select(location.c.slug, location.c.id).where(in_project(location), location.c.slug.in_(_SLUGS))
_TAG_IDS = select(tag.c.slug, tag.c.id).where(in_project(tag), tag.c.slug.in_(_SLUGS))


@remembered
def _all_statement(table: Table, columns: Columns) -> Executable:
    return select(*chosen(table.c, columns, "id")).where(in_project(table)).order_by(table.c.name_key, table.c.id)


async def locations(read: Transaction, columns: Columns = None) -> Sequence[Row]:
    """Give all locations by folded name, then id."""
    return await read.rows(_all_statement(location, columns))


async def tags(read: Transaction, columns: Columns = None) -> Sequence[Row]:
    """Give all tags by folded name, then id."""
    return await read.rows(_all_statement(tag, columns))


@remembered
def _tags_of_statement(columns: Columns) -> Executable:
    return (
        select(*chosen(tag.c, columns, "id"), customer_tag.c.customer_id)
        .select_from(customer_tag.join(tag, tag.c.id == customer_tag.c.tag_id))
        .where(
            in_project(customer_tag), in_project(tag), customer_tag.c.customer_id.in_(select(each("parents").c.value))
        )
        .order_by(tag.c.name_key, tag.c.id)
    )


async def tags_of(read: Transaction, customer_ids: Sequence[int], *, columns: Columns = None) -> list[list[Row]]:
    """Give the tags of each customer by folded name, then id."""
    found: dict[int, list[Row]] = {id_: [] for id_ in customer_ids}
    for row in await read.rows(_tags_of_statement(columns), {"parents": customer_ids}):
        found[row.customer_id].append(row)
    return [found[id_] for id_ in customer_ids]


async def location_ids(transaction: Transaction, slugs: Collection[str]) -> Mapping[str, int]:
    """Give the id of each slug that is a location's."""
    return {row.slug: row.id for row in await transaction.rows(_LOCATION_IDS, {"slugs": list(slugs)})}


async def tag_ids(transaction: Transaction, slugs: Collection[str]) -> Mapping[str, int]:
    """Give the id of each slug that is a tag's."""
    return {row.slug: row.id for row in await transaction.rows(_TAG_IDS, {"slugs": list(slugs)})}
