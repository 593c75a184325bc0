"""The locations and tags that entries name by their slugs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from customergraph.domain.entry import Entry
from customergraph.domain.mistakes import Mistakes
from customergraph.errors import UserErrorCode
from customergraph.store import catalog
from customergraph.store.transactions import Write


@dataclass(frozen=True, slots=True)
class References:
    """The ids of locations and tags by their slugs, of those that entries name and the project has."""

    locations: Mapping[str, int]
    tags: Mapping[str, int]

    @classmethod
    async def read(cls, write: Write, entries: Sequence[Entry]) -> "References":
        locations = {slug for entry in entries if (slug := entry.values.get("location_slug"))}
        tags = {slug for entry in entries for slug in entry.values.get("tag_slugs") or ()}
        return cls(
            await catalog.location_ids(write, locations) if locations else {},
            await catalog.tag_ids(write, tags) if tags else {},
        )

    def refuse_unknown(self, entry: Entry, mistakes: Mistakes) -> None:
        """Add a mistake for each slug that the project does not have."""
        location = entry.values.get("location_slug")
        if location and location not in self.locations:
            reason = "names no location of this project"
            mistakes.add((*entry.field, "location_slug"), UserErrorCode.NOT_FOUND, reason, location)
        for slug, place in (entry.values.get("tag_slugs") or {}).items():
            if slug not in self.tags:
                reason = "names no tag of this project"
                mistakes.add((*entry.field, "tag_slugs", place), UserErrorCode.NOT_FOUND, reason, slug)

    def location_column(self, entry: Entry) -> dict[str, int | None]:
        """Return the value of `location_id`; nothing where the entry does not name a location."""
        if "location_slug" not in entry.values:
            return {}
        slug = entry.values["location_slug"]
        return {"location_id": self.locations[slug] if slug else None}

    def tag_ids(self, entry: Entry) -> tuple[int, ...] | None:
        """Return the ids of the entry's tags; None where it does not say them."""
        if "tag_slugs" not in entry.values:
            return None
        return tuple(self.tags[slug] for slug in entry.values["tag_slugs"] or ())
