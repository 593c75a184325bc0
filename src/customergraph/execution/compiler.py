"""The compiler of plans: it numbers the places of a plan, and writes the function that makes the answer.

The function makes the objects of each place, from the last place to the first, and completes only what takes
no more than a look.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from graphql import get_nullable_type, is_list_type, is_non_null_type

from customergraph.execution.leaves import Unsure
from customergraph.execution.places import Load, Place
from customergraph.execution.plan import PlannedField, ResolverKind, Selection

# Objects of a place that holds no others are made in parts of this size. Others have their turn in between.
PART_SIZE = 2_000

# Each takes 0.1 ms to be compiled, on the event loop. graphql-core executes larger operations.
MAX_PLACES = 200

_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*", re.ASCII)
# Where a place has the objects of a field.
_LOADED = {
    ResolverKind.BATCHED: "loads",
    ResolverKind.HELD: "held",
    ResolverKind.COUNTS: "parts",
    ResolverKind.MADE: "made",
}
_LEAVES = {ResolverKind.ATTRIBUTE, ResolverKind.COMPUTED}


class NotCompiled(Exception):
    """A plan that has a field of a kind that only the general way knows."""


class Compiler:
    """Numbers the places of a plan, and writes the function that makes its answers."""

    def __init__(self) -> None:
        self.places: list[Place] = []
        self.counts = 0
        self.functions: dict[str, Any] = {}
        self._lines: list[str] = []

    def source(self) -> str:
        """Return the text of the function. The root's objects are the last that it makes."""
        return "\n".join(["def answer(objects, where, counts):", *self._lines, "    yield made_0[0]", ""])

    def place(self, selection: Selection) -> int:
        """Number a selection and those below it, and write how their objects are made."""
        number = len(self.places)
        if number >= MAX_PLACES:
            raise NotCompiled(f"An operation of more than {MAX_PLACES} selections")
        place = Place(number, selection)
        self.places.append(place)
        entries = [(planned.key, self._value(place, planned)) for planned in selection.fields]
        self._write(place, entries)
        held = [self.places[load.target] for load in place.held]
        place.leads_on = bool(place.loads or place.counts or place.parts or place.made) or any(
            one.leads_on for one in held
        )
        holds_lists = any(load.planned.is_list for load in place.held)
        place.is_unshared = place.leads_on or holds_lists or any(one.is_unshared for one in held)
        return number

    def _value(self, place: Place, planned: PlannedField) -> str:
        """Write the values of a field, one of each object."""
        if planned.resolver is ResolverKind.TYPENAME:
            return f"[{planned.parent.name!r}] * count"
        if planned.resolver is ResolverKind.COUNT:
            place.counts.append(Load(planned, self.counts))
            self.counts += 1
            return self._leaf(planned, f"counts[{self.counts - 1}]")
        if planned.resolver in _LEAVES and planned.leaf and not planned.is_list:
            return self._leaf(planned, self._column(planned))
        if planned.resolver in _LEAVES and planned.leaf and _is_list_of_required(planned.definition.type):
            return self._lists(planned, self._column(planned))
        is_loaded = planned.resolver in _LOADED
        if planned.object_type is None or not is_loaded or _is_list_of_lists(planned.definition.type):
            raise NotCompiled(f"{planned.name} has a resolver of its own")
        target = self.place(planned.below.of(planned.object_type))
        loads: list[Load] = getattr(place, _LOADED[planned.resolver])
        loads.append(Load(planned, target, planned.below.columns))
        return self._objects(planned, target)

    def _leaf(self, planned: PlannedField, values: str) -> str:
        leaf: Any = planned.leaf
        name = f"{leaf.name}" if planned.is_required else f"{leaf.name}_or_null"
        name = self._name(name, leaf.required if planned.is_required else leaf.or_null)
        return f"{name}({values})"

    def _lists(self, planned: PlannedField, values: str) -> str:
        """Write lists of leaves, none of which may be null, and neither may an entry."""
        leaf: Any = planned.leaf
        return f"lists({self._name(leaf.name, leaf.required)}, {values})"

    def _name(self, name: str, function: Any) -> str:
        """Name a function of the schema; two of one name get names of their own."""
        while self.functions.setdefault(name, function) != function:
            name += "_"
        return name

    def _column(self, planned: PlannedField) -> str:
        if planned.resolver is ResolverKind.ATTRIBUTE:
            return f"column({planned.declared.python_name!r})"
        name = self._name(planned.name.replace(".", "_"), planned.declared.by_column)
        columns = ", ".join(f"column({one!r})" for one in planned.declared.reads)
        return f"{name}({columns})"

    @staticmethod
    def _objects(planned: PlannedField, target: int) -> str:
        made = f"made_{target}"
        if planned.resolver is ResolverKind.HELD and not planned.is_list:
            return made
        one = f"{made}[at[0]:at[1]]" if planned.is_list else f"{made}[at]"
        if planned.is_required:
            return f"[{one} for at in present(where[{target}])]"
        return f"[None if at is None else {one} for at in where[{target}]]"

    def _write(self, place: Place, entries: Sequence[tuple[str, str]]) -> None:
        """Write the statement that makes the objects of a place: one dictionary of each row of their values."""
        number = place.number
        part = "part" if place.is_flat else f"objects[{number}]"
        names = [f"v{index}" for index in range(len(entries))]
        pairs = ", ".join(f"{_literal(key)}: {name}" for (key, _), name in zip(entries, names, strict=True))
        columns = [values for _, values in entries] or ["range(count)"]
        display = [
            "[",
            f"    {{{pairs}}}",
            f"    for {', '.join(names) or '_'}, in zip(",
            *(f"        {values}," for values in columns),
            "        strict=True,",
            "    )",
            "]",
        ]
        if place.is_flat:
            lines = [
                f"made_{number} = []",
                f"for part in parts(objects[{number}]):",
                "    column, count = part.column, part.count",
                f"    made_{number} += {display[0]}",
                *(f"    {line}" for line in display[1:]),
                "    yield",
            ]
        else:
            lines = [
                f"column, count = {part}.column, {part}.count",
                f"made_{number} = {display[0]}",
                *display[1:],
                "yield",
            ]
        self._lines += [f"    # {place.selection.type.name}", *(f"    {line}" for line in lines)]


def _is_list_of_lists(type_: Any) -> bool:
    inner: Any = get_nullable_type(type_)
    return is_list_type(inner) and is_list_type(get_nullable_type(inner.of_type))


def _is_list_of_required(type_: Any) -> bool:
    """Return whether a type is a list that may not be null, of leaves that may not be null."""
    return is_non_null_type(type_) and is_list_type(type_.of_type) and is_non_null_type(type_.of_type.of_type)


def lists(complete: Callable[[Sequence[Any]], Sequence[Any]], values: Sequence[Any]) -> list[Sequence[Any]]:
    """Complete the entries of lists."""
    if any(not isinstance(value, list) for value in values):
        raise Unsure
    return [complete(value) for value in values]


def _literal(key: str) -> str:
    """Write a response key as a literal of Python; the document's parser has refused all other keys."""
    if not _NAME.fullmatch(key):
        raise NotCompiled(f"{key!r} is no name")
    return repr(key)


def parts(objects: Any) -> Iterator[Any]:
    """Yield objects in parts, and no part where there is no object."""
    count = objects.count
    if 0 < count <= PART_SIZE:
        yield objects
        return
    for start in range(0, count, PART_SIZE):
        yield objects.picked(range(start, min(start + PART_SIZE, count)))


def present(where: Sequence[Any]) -> Sequence[Any]:
    """Return where the objects of a field stand that may not be null."""
    if None in where:
        raise Unsure
    return where
