"""What the rows of an import may name, and what came of a batch of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from customergraph.importing.files import Reject
from customergraph.importing.rows import Row


@dataclass(slots=True)
class Saved:
    """How many rows a batch added and changed, and why it rejected others."""

    added: int = 0
    changed: int = 0
    rejects: list[Reject] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Batch:
    """The ids of the project's locations and tags by their slugs."""

    locations: Mapping[str, int]
    tags: Mapping[str, int]

    def named(self, row: Row) -> tuple[int | None, tuple[int, ...] | None, list[Reject]]:
        """Find the location and the tags that a row names.

        The tags are None where the row has no such column: they stay as they are.
        """
        rejects: list[Reject] = []
        slug = row.values.get("location")
        location_id = self.locations.get(slug) if slug else None
        if slug and location_id is None:
            rejects.append(Reject(row.line, "location", f"no location has the slug {slug!r}"))
        if "tags" not in row.values:
            return location_id, None, rejects
        slugs = row.values["tags"] or ()
        rejects += [
            Reject(row.line, "tags", f"no tag has the slug {slug!r}") for slug in slugs if slug not in self.tags
        ]
        return location_id, tuple(self.tags[slug] for slug in slugs if slug in self.tags), rejects
