"""Locations and tags."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Table, Text, select
from sqlalchemy.sql import Executable

from customergraph.rows import Row
from customergraph.store.batches import each
from customergraph.store.database import Read, Transaction
from customergraph.store.rows import Columns, chosen
from customergraph.store.statements import remembered
from customergraph.store.tables import customer_tag, location, tag
from customergraph.store.tenancy import found_are_ours, ours

_SLUGS = select(each("slugs", Text).c.value)
_LOCATION_IDS = select(location.c.slug, location.c.id).where(ours(location), location.c.slug.in_(_SLUGS))
_TAG_IDS = select(tag.c.slug, tag.c.id).where(ours(tag), tag.c.slug.in_(_SLUGS))


@remembered
def _all_statement(table: Table, columns: Columns) -> Executable:
    return select(*chosen(table.c, columns, "id")).where(ours(table)).order_by(table.c.name_key, table.c.id)


async def locations(read: Transaction, columns: Columns = None) -> Sequence[Row]:
    """Give all locations by folded name, then id."""
    return await read.rows(_all_statement(location, columns))


async def tags(read: Transaction, columns: Columns = None) -> Sequence[Row]:
    """Give all tags by folded name, then id."""
    return await read.rows(_all_statement(tag, columns))


@remembered
def _by_ids_statement(table: Table, columns: Columns) -> Executable:
    is_one = table.c.id.in_(select(each("ids").c.value))
    return select(*chosen(table.c, columns, "id")).where(found_are_ours(table), is_one)


async def locations_by_ids(read: Read, ids: Sequence[int], *, columns: Columns) -> list[Row | None]:
    return await _by_ids(read, _by_ids_statement(location, columns), ids)


async def tags_by_ids(read: Read, ids: Sequence[int], *, columns: Columns) -> list[Row | None]:
    return await _by_ids(read, _by_ids_statement(tag, columns), ids)


async def _by_ids(read: Read, statement: Executable, ids: Sequence[int]) -> list[Row | None]:
    found = {row.id: row for row in await read.rows(statement, {"ids": ids})}
    return [found.get(id_) for id_ in ids]


@remembered
def _tags_of_statement(columns: Columns) -> Executable:
    return (
        select(*chosen(tag.c, columns, "id"), customer_tag.c.customer_id)
        .select_from(customer_tag.join(tag, tag.c.id == customer_tag.c.tag_id))
        .where(ours(customer_tag), ours(tag), customer_tag.c.customer_id.in_(select(each("parents").c.value)))
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
