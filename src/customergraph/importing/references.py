"""The locations and tags that the rows of an import name."""

from collections.abc import Mapping
from dataclasses import dataclass

from customergraph.importing.rows import CheckedRow, Reject
from customergraph.store import catalog
from customergraph.store.transactions import Write


@dataclass(frozen=True, slots=True)
class References:
    """The ids of the project's locations and tags by their slugs."""

    locations: Mapping[str, int]
    tags: Mapping[str, int]

    @classmethod
    async def read(cls, write: Write) -> "References":
        return cls(
            {row.slug: row.id for row in await catalog.locations(write)},
            {row.slug: row.id for row in await catalog.tags(write)},
        )

    def unknown(self, row: CheckedRow) -> list[Reject]:
        """Return a reject for each slug of the row that the project does not have."""
        location, tags = row.values.get("location"), row.values.get("tags") or ()
        rejects = [Reject(row.line, "tags", f"no tag has the slug {slug!r}") for slug in tags if slug not in self.tags]
        if location and location not in self.locations:
            return [Reject(row.line, "location", f"no location has the slug {location!r}"), *rejects]
        return rejects

    def location_column(self, row: CheckedRow) -> dict[str, int | None]:
        """Return the value of `location_id`; nothing where the row has no such column."""
        if "location" not in row.values:
            return {}
        slug = row.values["location"]
        return {"location_id": self.locations[slug] if slug else None}

    def tag_ids(self, row: CheckedRow) -> tuple[int, ...] | None:
        """Return the ids of the row's tags; None where the row has no such column."""
        if "tags" not in row.values:
            return None
        return tuple(self.tags[slug] for slug in row.values["tags"] or ())
