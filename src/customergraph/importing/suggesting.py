"""A mapping to begin with, from the names of a file's columns."""

from collections.abc import Iterator
from typing import BinaryIO, Never

import orjson

from customergraph.errors import CommandRefused
from customergraph.importing.files import Content, Format
from customergraph.importing.headers import Header, missing
from customergraph.importing.kind import ImportKind
from customergraph.importing.layouts import Layouts
from customergraph.importing.mapped import MappedLayout
from customergraph.importing.mapping import mapping, presets

_VALUES = """
[values]
# country = "NL"              # of phones without a country code
# days = "dmy"                # or "mdy", "ymd": dates like 01/02/2024
# zone = "Europe/Berlin"      # of days, and of times that say no zone
# amounts = "major"           # amounts like 1,234.50
# tag_separator = ";"
"""


class _NamesRead(Exception):
    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        self.names = names


class _FirstNames(Layouts):
    """Takes the names of the first row, and ends the reading there."""

    def of(self, names: tuple[str, ...]) -> Never:
        raise _NamesRead(names)


def suggestion(file: BinaryIO, format_: Format, encoding: str | None, kind: ImportKind) -> str:
    """Return a mapping (TOML) of the columns of a file whose names are known; raises CommandRefused without a row."""
    return "".join(f"{line}\n" for line in _lines(_names(Content(file, format_, encoding), kind), kind)) + _VALUES


def _names(content: Content, kind: ImportKind) -> tuple[str, ...]:
    try:
        for _ in content.records(_FirstNames(kind), lambda _count: None):
            pass
    except _NamesRead as read:
        return read.names
    raise CommandRefused("there is no row whose columns can be named")


def _lines(names: tuple[str, ...], kind: ImportKind) -> Iterator[str]:
    for preset in presets():
        layout = MappedLayout(mapping(preset).mapping, names, kind)
        if not layout.problems and not layout.absent:
            yield f"# The preset {preset} fits this file: --map {preset}"
    yield f'kind = "{kind.name}"'
    yield ""
    yield "[columns]"
    header = Header(names, kind.rules)
    columns = dict(zip(reversed(header.meanings), reversed(names), strict=True))
    for column in kind.rules:
        if column in columns:
            yield f"{column} = {_quoted(columns[column])}"
    for problem in missing(set(filter(None, header.meanings)), kind.required, kind.customer_keys):
        yield f"# {problem}: name one of the file's"
    unread = [name for name in names if name and name not in columns.values()]
    yield from (f"# not read: {_quoted(name)}" for name in unread)


def _quoted(text: str) -> str:
    """Return a text as TOML has it, which is as JSON has it."""
    return orjson.dumps(text).decode()
