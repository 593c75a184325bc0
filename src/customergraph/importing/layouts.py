"""Where the cells of a kind's columns are in the rows of a file, by its own names or by a mapping."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from customergraph.errors import CustomergraphError
from customergraph.importing.headers import Header, folded
from customergraph.importing.kind import ImportKind
from customergraph.importing.mapped import MappedLayout
from customergraph.importing.mapping import NamedMapping
from customergraph.importing.rows import Record

# JSON may have other names in each row.
_MAX_LAYOUTS = 1_000
MAPPING_HINT = "`customergraph import map --suggest FILE` writes a mapping, which can leave columns out"


class LayoutRefused(CustomergraphError):
    """Columns that do not fit the kind, or the mapping."""


class Layout(Protocol):
    """How the rows with the same columns are read."""

    def rows(self, record: Record) -> Sequence[dict[str, str]]:
        """Return the cells by column, of each row that the record makes: none, one, or more."""

    def own_name(self, column: str) -> str:
        """Return the file's own name of a column of the kind; the kind's name where the file has none."""

    def reads(self, name: str) -> bool:
        """Return whether the file's column of this name is read."""

    @property
    def columns(self) -> frozenset[str]:
        """The columns of the kind that rows may have."""

    @property
    def unread(self) -> Sequence[str]:
        """The names of the columns that are not read."""

    @property
    def absent(self) -> Sequence[str]:
        """The names that the mapping has, and the file not."""


class _DirectLayout:
    """The file's names mean the columns of the kind."""

    unread: Sequence[str] = ()
    absent: Sequence[str] = ()

    def __init__(self, columns: Mapping[str, str]) -> None:
        self._columns = tuple(columns.values())
        self._names = {column: name for name, column in columns.items()}
        self.columns = frozenset(self._columns)

    def rows(self, record: Record) -> Sequence[dict[str, str]]:
        return [dict(zip(self._columns, record.texts, strict=True))]

    def own_name(self, column: str) -> str:
        return self._names.get(column, column)

    def reads(self, name: str) -> bool:  # noqa: ARG002 - it reads all
        return True


class Layouts:
    """The layouts of a file's rows; those of CSV all have the columns of the header."""

    def __init__(self, kind: ImportKind, named: NamedMapping | None = None) -> None:
        self._kind = kind
        self._named = named
        self._layouts: dict[tuple[str, ...], Layout] = {}
        place = named.mapping.file if named else None
        self._header = place.header if place else None
        self.rows_at = place.rows if place else None
        self.header_hint = f" with the column {self._header!r}" if self._header else ""

    def has_header(self, names: Sequence[str]) -> bool:
        """Return whether this row can be the header."""
        return self._header is None or folded(self._header) in map(folded, names)

    def of(self, names: tuple[str, ...]) -> Layout:
        """Return the layout of rows with these columns; raises LayoutRefused with all that is wrong with them."""
        layout = self._layouts.get(names)
        if layout is None:
            if len(self._layouts) >= _MAX_LAYOUTS:
                self._layouts.clear()
            layout = self._layouts[names] = self._mapped(names) if self._named else self._direct(names)
        return layout

    @property
    def last(self) -> Layout | None:
        """The layout that was made last."""
        return next(reversed(self._layouts.values()), None)

    def _direct(self, names: tuple[str, ...]) -> Layout:
        kind = self._kind
        header = Header(names, kind.rules)
        problems = header.problems(kind.required, kind.customer_keys)
        if problems:
            hint = f"; {MAPPING_HINT}" if None in header.meanings else ""
            raise LayoutRefused(f"{'; '.join(problems)}. The columns are {', '.join(kind.rules)}{hint}")
        return _DirectLayout({name: meaning for name, meaning in zip(names, header.meanings, strict=True) if meaning})

    def _mapped(self, names: tuple[str, ...]) -> Layout:
        named = self._named
        assert named is not None  # noqa: S101 - for the type checker
        layout = MappedLayout(named.mapping, names, self._kind)
        if layout.problems:
            raise LayoutRefused(f"the mapping {named.name} does not fit: {'; '.join(layout.problems)}")
        return layout
