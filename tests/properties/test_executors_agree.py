"""Whatever operation a schema allows, and whatever goes wrong in it, both ways of executing answer alike.

Operations are made from the small schema: aliases, merged fields, fragments of every kind, directives,
variables with and without values and defaults, null where it may not be among them, on up to five levels.
Two in three have no fields but those that plans are compiled of. More by hand:
CUSTOMERGRAPH_TESTS_COMPARED=20000 compares so many.
"""

import os
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputObjectType,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_composite_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    is_required_argument,
)
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from execution.executing import assert_same
from execution.small_schema import PEOPLE, Faults, core

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("CUSTOMERGRAPH_TESTS_COMPARED", "500"))
LEVELS = 5

WHOLE = [-1, 0, 1, 2, 3, 4, 6, 9]
COLUMNS = ("name", "nick", "age", "height", "rank", "born", "seen", "scores", "kind")
LOADERS = (
    *("person", "friends", "grid", "table", "pet", "people3", "rivals3", "rivals4", "shadows0", "shadows2"),
    *("circle1", "circle2", "circle4", "sizes", "tallies", "born"),
)
# What only graphql-core executes, and what is null where it may not be.
NOT_COMPILED = frozenset(
    "scores rivals grid table pet greeting promise company chief selected beings owner oldest".split()
)
faults: st.SearchStrategy[Faults] = st.just(frozenset()) | st.frozensets(
    st.tuples(st.sampled_from(COLUMNS), st.integers(1, PEOPLE))
    | st.tuples(st.sampled_from(LOADERS), st.integers(0, PEOPLE))
    | st.tuples(st.just("name"), st.integers(-PEOPLE, -1)),
    max_size=3,
)


class Drawing:
    """Draws one operation; what stands for one key of the answer is called alike wherever it stands."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._left_out: frozenset[str] = draw(st.sampled_from([NOT_COMPILED, NOT_COMPILED, frozenset()]))
        self._calls: dict[tuple[str, ...], str] = {}
        self._definitions: list[str] = []
        self._fragments: list[tuple[str, Any]] = []
        self.variables: dict[str, Any] = {}

    @property
    def is_compilable(self) -> bool:
        return bool(self._left_out)

    def operation(self) -> str:
        kind = "query" if self._left_out else self._draw(st.sampled_from(["query", "query", "query", "mutation"]))
        root = core.query_type if kind == "query" else core.mutation_type
        selection = self._selection(root, LEVELS)
        fragments = " ".join(text for text, _ in self._fragments)
        definitions = f"({', '.join(self._definitions)})" if self._definitions else ""
        return f"{kind} Q{definitions} {selection} {fragments}"

    def _selection(self, type_: Any, levels: int) -> str:
        parts = [self._part(type_, levels) for _ in range(self._draw(st.integers(1, 4)))]
        return "{ " + " ".join(parts) + " }"

    def _part(self, type_: Any, levels: int) -> str:
        kind = self._draw(st.sampled_from(["field"] * 5 + ["typename", "inline", "spread"]))
        is_root = type_ in {core.query_type, core.mutation_type}
        if kind == "typename" or (not is_object_type(type_) and not getattr(type_, "fields", None)):
            return f"__typename {self._directive()}" if kind != "inline" else self._inline(type_, levels)
        if kind == "inline" and not is_root:
            return self._inline(type_, levels)
        if kind == "spread" and not is_root:
            return self._spread(type_, levels)
        return self._field(type_, levels)

    def _field(self, type_: Any, levels: int) -> str:
        leaves = {name for name, field in type_.fields.items() if not is_composite_type(get_named_type(field.type))}
        names = sorted(set(leaves if levels <= 1 and leaves else type_.fields) - self._left_out)
        name = self._draw(st.sampled_from(names))
        field = type_.fields[name]
        alias = self._draw(st.sampled_from(["", "", "x", "y"]))
        key = f"{name}{alias}"
        # Objects of other types may have a field of the same name that takes other arguments.
        call = key, *field.args
        if call not in self._calls:
            self._calls[call] = self._arguments(field.args)
        named = get_named_type(field.type)
        below = self._selection(named, levels - 1) if is_composite_type(named) else ""
        return f"{f'{key}: ' if alias else ''}{name}{self._calls[call]} {self._directive()} {below}"

    def _inline(self, type_: Any, levels: int) -> str:
        condition = self._draw(st.sampled_from([None, *self._conditions(type_)]))
        on = f"on {condition}" if condition else ""
        inner = core.get_type(condition) if condition else type_
        return f"... {on} {self._directive()} {self._selection(inner, levels - 1)}" if levels > 1 else "__typename"

    def _spread(self, type_: Any, levels: int) -> str:
        if levels <= 1:
            return "__typename"
        known = [place for place, (_, on) in enumerate(self._fragments) if on in self._conditions(type_)]
        # One that is being drawn would spread itself.
        known = [place for place in known if self._fragments[place][0]]
        again: bool = self._draw(st.booleans())
        if known and again:
            return f"...F{self._draw(st.sampled_from(known))} {self._directive()}"
        condition = self._draw(st.sampled_from(self._conditions(type_)))
        place = len(self._fragments)
        self._fragments.append(("", condition))
        text = f"fragment F{place} on {condition} {self._selection(core.get_type(condition), levels - 1)}"
        self._fragments[place] = (text, condition)
        return f"...F{place} {self._directive()}"

    def _conditions(self, type_: Any) -> list[str]:
        possible = [one.name for one in core.get_possible_types(type_)] if is_abstract_type(type_) else [type_.name]
        return [*possible, *(["Being"] if "Person" in possible or "Robot" in possible else [])]

    def _directive(self) -> str:
        name = self._draw(st.sampled_from(["", "", "", "", "skip", "include"]))
        if not name:
            return ""
        value = self._draw(st.booleans())
        condition = self._required(core.type_map["Boolean"], value) if self._draw(st.booleans()) else str(value).lower()
        return f"@{name}(if: {condition})"

    def _arguments(self, arguments: dict[str, GraphQLArgument]) -> str:
        parts = [
            f"{name}: {self._argument(argument)}"
            for name, argument in arguments.items()
            if is_required_argument(argument) or self._draw(st.booleans())
        ]
        return f"({', '.join(parts)})" if parts else ""

    def _argument(self, argument: GraphQLArgument) -> str:
        return self._part_of_value(self._value(argument.type), argument.type, variables=3)

    def _part_of_value(self, value: Any, type_: Any, *, variables: int = 6) -> str:
        """Write a value or a part of one; one of so many is a variable."""
        if self._draw(st.integers(1, variables)) != 1:
            return self._literal(value, type_)
        if is_non_null_type(type_):
            return self._required(type_.of_type, value)
        is_given = self._draw(st.booleans())
        default = f" = {_literal(value, type_)}" if self._draw(st.booleans()) else ""
        return self._variable(f"{type_}{default}", value, is_given=is_given)

    def _literal(self, value: Any, type_: Any) -> str:
        """Write a value, parts of which may be variables."""
        inner: Any = get_nullable_type(type_)
        if value is not None and is_list_type(inner):
            return "[" + ", ".join(self._part_of_value(one, inner.of_type) for one in value) + "]"
        if value is not None and isinstance(inner, GraphQLInputObjectType):
            types = inner.fields
            fields = (f"{name}: {self._part_of_value(one, types[name].type)}" for name, one in value.items())
            return "{" + ", ".join(fields) + "}"
        return _literal(value, type_)

    def _required(self, type_: Any, value: Any) -> str:
        """Return a variable for a place where null may not stand: with a default it may be null all the same."""
        if self._draw(st.booleans()):
            return self._variable(f"{type_}!", value)
        given_ = None if self._draw(st.integers(0, 2)) == 0 else value
        return self._variable(f"{type_} = {_literal(value, type_)}", given_, is_given=self._draw(st.booleans()))

    def _variable(self, type_: str, value: Any, *, is_given: bool = True) -> str:
        name = f"v{len(self._definitions)}"
        self._definitions.append(f"${name}: {type_}")
        if is_given:
            self.variables[name] = value
        return f"${name}"

    def _value(self, type_: Any) -> Any:
        if not is_non_null_type(type_) and self._draw(st.integers(0, 4)) == 0:
            return None
        inner: Any = get_nullable_type(type_)
        if is_list_type(inner):
            return [self._value(inner.of_type) for _ in range(self._draw(st.integers(0, 3)))]
        if isinstance(inner, GraphQLEnumType):
            return self._draw(st.sampled_from(sorted(inner.values)))
        if isinstance(inner, GraphQLInputObjectType):
            return {name: self._value(field.type) for name, field in inner.fields.items()}
        numbers = [one for one in WHOLE if 1 <= one <= PEOPLE]
        texts = st.sampled_from(["", "you", 'a "b"'])
        by_name: dict[str, st.SearchStrategy[Any]] = {
            "Int": st.sampled_from(numbers if is_non_null_type(type_) else WHOLE),
            "String": texts,
            "Boolean": st.booleans(),
        }
        value: Any = self._draw(by_name[inner.name])
        return value


def _literal(value: Any, type_: Any) -> str:
    inner: Any = get_nullable_type(type_)
    if value is None:
        return "null"
    if is_list_type(inner):
        return "[" + ", ".join(_literal(one, inner.of_type) for one in value) + "]"
    if isinstance(inner, GraphQLInputObjectType):
        fields = (f"{name}: {_literal(one, inner.fields[name].type)}" for name, one in value.items())
        return "{" + ", ".join(fields) + "}"
    if isinstance(inner, GraphQLEnumType):
        return str(value)
    if isinstance(value, str):
        escaped = value.replace('"', '\\"')
        return f'"{escaped}"'
    return str(value).lower()


@st.composite
def operations(draw: st.DrawFn) -> tuple[str, dict[str, Any], bool]:
    """Draw an operation, its variables, and whether its plan is one that is compiled."""
    drawing = Drawing(draw)
    return drawing.operation(), drawing.variables, drawing.is_compilable


# Where a value fails at once, graphql-core leaves others of its level that would have to be awaited.
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(operations(), faults)
def test_both_ways_answer_alike_whatever_is_asked_and_whatever_fails(
    operation: tuple[str, dict[str, Any], bool], broken: Faults
) -> None:
    text, variables, is_compilable = operation

    executed = assert_same(text, variables, broken)

    event(f"errors: {min(len(executed.errors), 3)}")
    event(f"data: {executed.data is not None}")
    event(f"compiled: {executed.is_compiled}")
    assert executed.is_compiled or broken or executed.errors or not is_compilable, operation
