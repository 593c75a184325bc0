"""Rows that are read by a mapping."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from customergraph.domain import text
from customergraph.importing.cells import CANDIDATES
from customergraph.importing.headers import Header, folded, missing
from customergraph.importing.identity import uuid_of
from customergraph.importing.kind import ImportKind
from customergraph.importing.mapping import Mapping as MappingFile
from customergraph.importing.mapping import Part
from customergraph.importing.rows import Record

# What a source makes of a row's texts.
_Source = Callable[[Sequence[str]], str]

# Where one of these is not read as the mapping says, a row would get in that does not count, or an opt-out be lost.
_NEEDED = frozenset({"unsubscribed"})


class _Places:
    """The places of the names of a file; what the mapping names is noted."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self._exact = {name: place for place, name in reversed(list(enumerate(names)))}
        self._folded = {folded(name): place for place, name in reversed(list(enumerate(names)))}
        self._times = Counter(map(folded, names))
        self.read: dict[int, None] = {}
        self.absent: dict[str, None] = {}
        self.doubled: dict[str, None] = {}

    def of(self, name: str) -> int | None:
        place = self._exact.get(name, self._folded.get(folded(name)))
        if place is None:
            self.absent[name] = None
            return None
        if self.names.count(name) > 1 or (name not in self._exact and self._times[folded(name)] > 1):
            self.doubled[name] = None
        self.read[place] = None
        return place


class MappedLayout:
    """How a mapping reads the rows with these columns; `problems` says why it cannot."""

    def __init__(self, mapping: MappingFile, names: Sequence[str], kind: ImportKind) -> None:
        self._mapping = mapping
        self._places = _Places(names)
        self.problems: list[str] = []
        self._names: dict[str, str] = {}
        self._sources = {column: self._sources_of(column) for column in mapping.columns}
        self._sources = {column: sources for column, sources in self._sources.items() if sources}
        self._words = {column: {text.fold(word): to for word, to in words.items()} for column, words in _words(mapping)}
        self._refund = self._place(mapping.refund.amount if mapping.refund else None)
        self._id = self._place(mapping.id.column if mapping.id else None)
        self._only = [(self._place(name), set(map(text.fold, texts))) for name, texts in mapping.only.items()]
        self.problems += self._problems(kind)

    @property
    def columns(self) -> frozenset[str]:
        return frozenset((*self._sources, *self._mapping.defaults))

    @property
    def absent(self) -> Sequence[str]:
        return tuple(self._places.absent)

    @property
    def unread(self) -> Sequence[str]:
        return [name for place, name in enumerate(self._places.names) if place not in self._places.read and name]

    def reads(self, name: str) -> bool:
        return self._places.names.index(name) in self._places.read

    def own_name(self, column: str) -> str:
        return self._names.get(column, column)

    def _sources_of(self, column: str) -> list[_Source]:
        return [source for name in self._mapping.columns[column] if (source := self._source(column, name))]

    def _source(self, column: str, name: str | Part) -> _Source | None:
        if isinstance(name, str):
            own, part = name, None
        else:
            own = name.before_last_space or name.after_last_space or ""
            part = 2 if name.after_last_space else 0
        place = self._places.of(own)
        if place is None:
            return None
        self._names.setdefault(column, self._places.names[place])
        if part is None:
            return lambda texts: texts[place]
        return lambda texts: _parted(texts[place])[part]

    def _place(self, name: str | None) -> int | None:
        """Return the place of a column without which rows would be read wrongly."""
        if name is None:
            return None
        place = self._places.of(name)
        if place is None:
            self.problems.append(f"the file has no column {name!r}")
        return place

    def _problems(self, kind: ImportKind) -> Iterator[str]:
        mapping = self._mapping
        if mapping.kind is not None and mapping.kind != kind.name:
            yield f"it is one for {mapping.kind}"
        header = Header((), kind.rules)
        for column in dict.fromkeys((*mapping.columns, *mapping.defaults, *mapping.words, *mapping.first_valid)):
            if column not in kind.rules:
                nearest = header.nearest(column)
                yield f"{kind.name} have no column {column!r}" + (f" (did you mean {nearest!r}?)" if nearest else "")
        columns = {*self._sources, *mapping.defaults, *(("uuid",) if mapping.id else ())}
        needed = kind.required | (_NEEDED & mapping.columns.keys())
        for problem in missing(columns, needed, kind.customer_keys):
            yield f"{problem} in it, or in the file"
        for name in self._places.doubled:
            yield f"the file has the column {name!r} twice"
        if mapping.refund and "amount" not in kind.rules:
            yield f"{kind.name} have no refunds"

    def rows(self, record: Record) -> Sequence[dict[str, str]]:
        texts = record.texts
        if any(text.fold(texts[place].strip()) not in words for place, words in self._only if place is not None):
            return ()
        cells = dict(self._mapping.defaults)
        for column, sources in self._sources.items():
            cell = next((cell for source in sources if not text.is_blank(cell := source(texts))), "")
            if cell or column not in cells:
                cells[column] = cell
        for column, words in self._words.items():
            if column in cells:
                # A word of `unsubscribed` that the mapping does not know says nothing.
                other = "" if column == "unsubscribed" else cells[column]
                cells[column] = words.get(text.fold(cells[column].strip()), other)
        for column, separators in self._mapping.first_valid.items():
            if column in cells:
                cells[column] = _candidates(cells[column], separators)
        return self._identified(cells, texts)

    def _identified(self, cells: dict[str, str], texts: Sequence[str]) -> Sequence[dict[str, str]]:
        """Return the row with the uuid of its id, and the row of its refund."""
        id_ = texts[self._id].strip().removeprefix("'") if self._id is not None else ""
        name = self._mapping.id.name if self._mapping.id else ""
        if id_:
            cells["uuid"] = str(uuid_of(name, id_))
        refund = texts[self._refund] if self._refund is not None else ""
        if text.is_blank(refund) or not any(digit in refund for digit in "123456789"):
            return (cells,)
        again = {**cells, "amount": f"-{refund.strip()}"}
        if id_:
            again["uuid"] = str(uuid_of(name, f"{id_}:refund"))
        return (cells, again)


def _words(mapping: MappingFile) -> Iterator[tuple[str, Mapping[str, str]]]:
    yield from mapping.words.items()
    if mapping.unsubscribed:
        yield (
            "unsubscribed",
            {
                **dict.fromkeys(mapping.unsubscribed.yes, "yes"),
                **dict.fromkeys(mapping.unsubscribed.no, "no"),
            },
        )


def _candidates(cell: str, separators: Sequence[str]) -> str:
    """Return the texts between the separators, of which the first valid one is taken."""
    for separator in separators:
        cell = cell.replace(separator, CANDIDATES)
    return CANDIDATES.join(piece.strip() for piece in cell.split(CANDIDATES) if piece.strip())


def _parted(name: str) -> tuple[str, str, str]:
    """Return a name before its last space, the space, and what follows."""
    before, space, after = name.strip().rpartition(" ")
    return (before, space, after) if before else (after, "", "")
