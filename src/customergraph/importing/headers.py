"""The columns of a file by the names in its header, and all that is wrong with them."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from customergraph.domain import text

# An error names at most so many unknown columns, each with at most so many characters.
MAX_NAMES = 100
MAX_NAME_LENGTH = 40
_LEAST_LIKENESS = 0.8
_BETWEEN_WORDS = re.compile(r"[\s_\-]+")

# Names that mean one column in every file. None of them is a column's own name.
_COMMON = {
    "first_name": ("given name", "forename"),
    "last_name": ("surname", "family name"),
    "email": ("email address", "mail"),
    "phone": ("phone number", "mobile", "mobile phone", "mobile number", "cell phone", "telephone"),
    "company": ("company name", "organization", "organisation"),
    "notes": ("note",),
    "tags": ("tag",),
    "address1": ("address", "address line 1", "street", "street address"),
    "address2": ("address line 2",),
    "city": ("town",),
    "state": ("province", "region"),
    "postal_code": ("zip", "zip code", "postcode"),
    "score": ("rating", "stars"),
}


def folded(name: str) -> str:
    """Return the form in which two names are one that differ in case, spaces, hyphens and underscores."""
    return _BETWEEN_WORDS.sub("", text.fold(name))


def _known(columns: Iterable[str]) -> dict[str, str]:
    """Return the column that each folded name means."""
    known = {folded(name): column for column in columns for name in _COMMON.get(column, ())}
    return known | {folded(column): column for column in columns}


class Header:
    """The names of a file's columns, and the columns of the kind that they mean; None for an unknown name."""

    def __init__(self, names: Sequence[str], columns: Iterable[str]) -> None:
        self.names = names
        self.columns = tuple(columns)
        self._known = _known(self.columns)
        self.meanings = [self._known.get(folded(name)) for name in names]

    def nearest(self, name: str) -> str | None:
        """Return the column whose name is most like this one."""
        close = get_close_matches(folded(name), self._known, 1, _LEAST_LIKENESS)
        return self._known[close[0]] if close else None

    def problems(self, required: Iterable[str], one_of: Sequence[str]) -> list[str]:
        """Return all that is wrong: unknown names, two names of one column, and columns that are missing."""
        unknown = [name for name, meaning in zip(self.names, self.meanings, strict=True) if meaning is None]
        return [
            *([f"unknown {self._listed(unknown)}"] if unknown else []),
            *self._twice(),
            *missing(set(filter(None, self.meanings)), required, one_of),
        ]

    def _twice(self) -> Iterable[str]:
        names: Mapping[str, list[str]] = defaultdict(list)
        for name, meaning in zip(self.names, self.meanings, strict=True):
            if meaning is not None:
                names[meaning].append(name)
        for meaning, same in names.items():
            if len(set(same)) > 1:
                yield f"the columns {', '.join(map(repr, same))} are all {meaning!r}"
            elif len(same) > 1:
                yield f"the column {same[0]!r} is there twice"

    def _listed(self, names: Sequence[str]) -> str:
        """Write unknown names in a line of bounded length, each with the column that it resembles."""
        shown = ", ".join(map(self._shown, names[:MAX_NAMES]))
        more = f" and {len(names) - MAX_NAMES:,} more" if len(names) > MAX_NAMES else ""
        return f"{'columns' if len(names) > 1 else 'column'} {shown}{more}"

    def _shown(self, name: str) -> str:
        nearest = self.nearest(name[:MAX_NAME_LENGTH])
        return repr(name[:MAX_NAME_LENGTH]) + (f" (did you mean {nearest!r}?)" if nearest else "")


def missing(columns: set[str], required: Iterable[str], one_of: Sequence[str]) -> Iterable[str]:
    """Yield what is missing of the required columns, and of those of which one is enough."""
    for name in sorted(set(required) - columns):
        yield f"the column {name!r} is missing"
    if one_of and not columns.intersection(one_of):
        yield f"the column {' or '.join(map(repr, one_of))} is missing"
