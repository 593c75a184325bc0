"""Batches that are read at once, level below level: the keys of one may be a column of another one's rows."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from customergraph.rows import Rows
from customergraph.store.rows import Prepared
from customergraph.store.tenancy import TENANT

# So many batches are read at once. A larger statement would take long to plan, and more columns than a row may have.
MAX_BATCHES = 20
_PARAMETER = re.compile(r"\$(\d+)")


class FromParent(NamedTuple):
    """Keys that are a column of an earlier batch's rows."""

    batch: int
    column: str


class Link(NamedTuple):
    """The parameter of a batch that has such keys."""

    parameter: str
    parent: FromParent


def link_of(parameters: Mapping[str, Any]) -> Link | None:
    """Return the link of a batch to its parent; None where its keys are known."""
    for name, value in parameters.items():
        if type(value) is FromParent:
            return Link(name, value)
    return None


@dataclass(frozen=True, eq=False)
class LinkedStatements:
    """The prepared statements of batches, and the link of each."""

    statements: Sequence[Prepared]
    links: Sequence[Link | None]

    @cached_property
    def as_json(self) -> list[str]:
        """The statements for SQLite, each of whose one row has a JSON array of each column.

        Python's driver lets other threads go on before each row, which for thousands of rows takes longer than to
        read them. An ordered subquery of an aggregate keeps its order (SQLite's documentation, "The SQLite Query
        Optimizer Overview", subquery flattening).
        """
        return [
            f"SELECT {_arrays(statement, 'json_group_array')} FROM ({statement.sql}) AS a"  # noqa: S608 - as below
            for statement in self.statements
        ]

    @cached_property
    def merged(self) -> "Merged":
        """The same as one statement, for PostgreSQL."""
        return Merged(self.statements, self.links)


class Merged:
    """One statement, whose one row has an array of each column of each batch.

    It is a snapshot by itself, and the driver reads arrays in two thirds of the time of rows. The rows of a
    subquery reach `array_agg` in its order (PostgreSQL's documentation, "Aggregate Functions"). The rows of
    a batch that others are linked to are computed once.
    """

    def __init__(self, statements: Sequence[Prepared], links: Sequence[Link | None]) -> None:
        self._statements = statements
        self._links = links
        # The number of each parameter, by its batch and its name.
        self._numbers: dict[tuple[int, str], int] = {}
        texts = [self._renumbered(index) for index in range(len(statements))]
        parents = sorted({link.parent.batch for link in links if link})
        shared = ", ".join(f"r{index} AS MATERIALIZED ({texts[index]})" for index in parents)
        sources = [f"r{index}" if index in parents else f"({text})" for index, text in enumerate(texts)]
        # Texts of SQLAlchemy, and names of columns, alone.
        rows = ", ".join(
            f"(SELECT {_arrays(statement, 'array_agg')} FROM {source} AS a) AS s{index}"  # noqa: S608
            for index, (statement, source) in enumerate(zip(statements, sources, strict=True))
        )
        select = f"SELECT * FROM {rows}"  # noqa: S608
        self.sql = f"WITH {shared} {select}" if parents else select

    def _renumbered(self, index: int) -> str:
        statement, link = self._statements[index], self._links[index]

        def parameter(match: re.Match[str]) -> str:
            name = statement.names[int(match[1]) - 1]
            if link and name == link.parameter:
                return f'ARRAY(SELECT DISTINCT a."{link.parent.column}" FROM r{link.parent.batch} AS a)'  # noqa: S608
            # All batches have the same project.
            place = (0 if name == TENANT.key else index, name)
            return f"${self._numbers.setdefault(place, len(self._numbers) + 1)}"

        return _PARAMETER.sub(parameter, statement.sql)

    def arguments(self, parameters: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Return the driver's arguments, of the parameters of each batch."""
        return [self._statements[index].argument(name, parameters[index]) for index, name in self._numbers]

    def rows(self, record: Sequence[Any]) -> list[Rows]:
        """Make the rows of each batch."""
        arrays = tuple(record)
        rows, start = [], 0
        for statement in self._statements:
            stop = start + len(statement.columns)
            rows.append(statement.of_arrays(arrays[start:stop]))
            start = stop
        return rows


def _arrays(statement: Prepared, function: str) -> str:
    return ", ".join(f'{function}(a."{name}")' for name in statement.columns)
