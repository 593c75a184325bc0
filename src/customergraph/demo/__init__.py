"""A believable project, the same every time, and the embedded store that the command `demo` serves."""

import os
import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from customergraph.demo.people import SEED, Generator, HistoryCounts, Person
from customergraph.domain.text import fold
from customergraph.errors import CommandRefused
from customergraph.staging import Place
from customergraph.store import access, backups, bulk, catalog, customers, history, upgrades
from customergraph.store.database import DEMO_APPLICATION_ID, Database

SLUG = "harbor-dental"
TIMEZONE = "America/New_York"
USUAL_CUSTOMERS = 1_000
BATCH_CUSTOMERS = 1_000
TOKEN_LIFETIME = timedelta(hours=12)

_LOCATIONS = (
    ("downtown", "Downtown", "Harbor Dental Downtown", "DT", "12 Market St", "New York", "NY", "10004"),
    ("riverside", "Riverside", None, "RS", "88 River Rd", "New York", "NY", "10025"),
    ("brooklyn", "Brooklyn", "Harbor Dental Brooklyn", "BK", "401 Court St", "Brooklyn", "NY", "11231"),
    ("hoboken", "Hoboken", None, "HB", "7 Washington St", "Hoboken", "NJ", "07030"),
)
_TAGS = (
    ("vip", "VIP", "#d4af37", "star"),
    ("family-plan", "Family plan", "#2e86ab", "users"),
    ("new-patient", "New patient", "#57a773", "sparkles"),
    ("orthodontics", "Orthodontics", "#9b5de5", "smile"),
    ("late-payer", "Late payer", "#ee6352", "clock"),
    ("newsletter", "Newsletter", "#6c757d", None),
)


class NotMadeByDemo(CommandRefused):
    """A file that the demo did not make."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is not a file that the demo made")


async def fill(
    database: Database,
    customers: int,
    counts: HistoryCounts | None = None,
    advance: Callable[[int], None] = lambda _count: None,
) -> None:
    """Add the project to an empty store; `advance` is called with the number of customers of each batch."""
    await access.create_project(database, SLUG, "Harbor Dental", TIMEZONE)
    project_id = (await access.project_of_slug(database, SLUG)).id
    locations, tags = await _catalog(database, project_id)
    people = Generator(locations, tags, counts).people(customers)
    for batch in _batches(people):
        await _save(database, project_id, batch)
        advance(len(batch))


def _batches(people: Iterator[Person]) -> Iterator[list[Person]]:
    batch: list[Person] = []
    for person in people:
        batch.append(person)
        if len(batch) == BATCH_CUSTOMERS:
            yield batch
            batch = []
    if batch:
        yield batch


async def _catalog(database: Database, project_id: int) -> tuple[list[int], list[int]]:
    rand = random.Random(SEED)  # noqa: S311 - reproducible, nothing secret
    columns = ("slug", "name", "display_name", "code", "address1", "city", "state", "postal_code")
    places: list[dict[str, Any]] = [dict(zip(columns, place, strict=True)) for place in _LOCATIONS]
    labels: list[dict[str, Any]] = [dict(zip(("slug", "name", "color", "icon"), label, strict=True)) for label in _TAGS]
    for row in (*places, *labels):
        row |= {"uuid": UUID(int=rand.getrandbits(128), version=4), "name_key": fold(row["name"])}
    async with database.write(project_id) as write:
        await bulk.add(write, "location", places)
        await bulk.add(write, "tag", labels)
    async with database.read(project_id) as read:
        return (
            sorted(row.id for row in await catalog.locations(read)),
            sorted(row.id for row in await catalog.tags(read)),
        )


async def _save(database: Database, project_id: int, people: list[Person]) -> None:
    async with database.write(project_id) as write:
        ids = await bulk.add(write, "customer", [person.columns for person in people])
        await customers.add_tags(write, dict(zip(ids, (person.tags for person in people), strict=True)))
        for table in ("message", "review", "charge"):
            rows = [
                {**row, "customer_id": id_}
                for id_, person in zip(ids, people, strict=True)
                for row in getattr(person, f"{table}s")
            ]
            await bulk.add(write, table, rows)
            await history.refresh(write, bulk.TABLES[table], ids)


async def open_store(path: Path, customers: int, advance: Callable[[int], None]) -> str:
    """Make the demo's store, unless the demo has made it before; returns a new token, which replaces earlier ones.

    Raises NotMadeByDemo.
    """
    if _is_new(path):
        await _make(path, customers, advance)
    elif not _is_ours(path):
        raise NotMadeByDemo(path)
    database = Database(f"sqlite+aiosqlite:///{path}")
    try:
        await upgrades.upgrade(database)
        await backups.take_into_use(database)
        return await access.create_demo_token(database, SLUG, TOKEN_LIFETIME)
    finally:
        await database.close()


async def _make(path: Path, customers: int, advance: Callable[[int], None]) -> None:
    # A demo that is killed leaves no file at the path, and a file that another program puts there is not replaced.
    place = Place(path, "demo", is_ours=lambda _path: False)
    place.refuse_others()
    if not os.access(place.target.parent, os.W_OK):
        raise place.refusal("its folder is not writable")
    backups.refuse_companions(place)
    with place.temporary() as unfinished:
        database = Database(f"sqlite+aiosqlite:///{unfinished}")
        try:
            await upgrades.upgrade(database)
            await fill(database, customers, advance=advance)
            await database.mark_as_demo()
        finally:
            await database.close()
        place.put(unfinished)


def _is_new(path: Path) -> bool:
    return not path.exists()


def _is_ours(path: Path) -> bool:
    # The header is read without SQLite, which would change the database of another program when it opens it.
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            header = file.read(72)
    except OSError:
        return False
    return header.startswith(b"SQLite format 3\0") and int.from_bytes(header[68:72]) == DEMO_APPLICATION_ID
