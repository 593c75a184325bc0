"""Locations and tags."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Text, select
from sqlalchemy.sql import Executable

from customergraph.store.batches import each
from customergraph.store.database import Read, Transaction
from customergraph.store.tables import customer_tag, location, tag
from customergraph.store.tenancy import found_are_ours, ours

_SLUGS = select(each("slugs", Text).c.value)
_LOCATIONS = select(location).where(ours(location)).order_by(location.c.name_key, location.c.id)
_TAGS = select(tag).where(ours(tag)).order_by(tag.c.name_key, tag.c.id)
_LOCATIONS_BY_ID = select(location).where(found_are_ours(location), location.c.id.in_(select(each("ids").c.value)))
_TAGS_BY_ID = select(tag).where(found_are_ours(tag), tag.c.id.in_(select(each("ids").c.value)))
_LOCATION_IDS = select(location.c.slug, location.c.id).where(ours(location), location.c.slug.in_(_SLUGS))
_TAG_IDS = select(tag.c.slug, tag.c.id).where(ours(tag), tag.c.slug.in_(_SLUGS))
_TAGS_OF = (
    select(tag, customer_tag.c.customer_id)
    .select_from(customer_tag.join(tag, tag.c.id == customer_tag.c.tag_id))
    .where(ours(customer_tag), ours(tag), customer_tag.c.customer_id.in_(select(each("parents").c.value)))
)


async def locations(read: Transaction) -> Sequence[Row[Any]]:
    """Give all locations by folded name, then id."""
    return await read.rows(_LOCATIONS)


async def tags(read: Transaction) -> Sequence[Row[Any]]:
    """Give all tags by folded name, then id."""
    return await read.rows(_TAGS)


async def locations_by_ids(read: Read, ids: Sequence[int]) -> list[Row[Any] | None]:
    return await _by_ids(read, _LOCATIONS_BY_ID, ids)


async def tags_by_ids(read: Read, ids: Sequence[int]) -> list[Row[Any] | None]:
    return await _by_ids(read, _TAGS_BY_ID, ids)


async def _by_ids(read: Read, statement: Executable, ids: Sequence[int]) -> list[Row[Any] | None]:
    found = {row.id: row for row in await read.rows(statement, {"ids": ids})}
    return [found.get(id_) for id_ in ids]


async def tags_of(read: Transaction, customer_ids: Sequence[int]) -> list[list[Row[Any]]]:
    """Give the tags of each customer by folded name, then id."""
    found: dict[int, list[Row[Any]]] = {id_: [] for id_ in customer_ids}
    for row in await read.rows(_TAGS_OF, {"parents": customer_ids}):
        found[row.customer_id].append(row)
    return [sorted(found[id_], key=lambda row: (row.name_key, row.id)) for id_ in customer_ids]


async def location_ids(transaction: Transaction, slugs: Collection[str]) -> Mapping[str, int]:
    """Give the id of each slug that is a location's."""
    return {row.slug: row.id for row in await transaction.rows(_LOCATION_IDS, {"slugs": list(slugs)})}


async def tag_ids(transaction: Transaction, slugs: Collection[str]) -> Mapping[str, int]:
    """Give the id of each slug that is a tag's."""
    return {row.slug: row.id for row in await transaction.rows(_TAG_IDS, {"slugs": list(slugs)})}
