"""The specification's "Field Selection Merging", in time that grows with the fields and not with their pairs.

graphql-core compares every two fields of one name, which takes more than a second for some
documents of 4 kB. Fields can be merged when each can be merged with the first of them, so
here each is compared once.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLNamedType,
    GraphQLOutputType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationRule,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    print_ast,
)

from customergraph.execution.graphql_core import sort_value_node


@dataclass(frozen=True, slots=True, eq=False)
class _Field:
    """A field where it is selected: of which type, and what it gives."""

    parent: Any
    node: FieldNode
    type: GraphQLOutputType

    @property
    def key(self) -> str:
        return (self.node.alias or self.node.name).value

    def call(self) -> tuple[str, ...]:
        """Return the field's name and its arguments, in one order however they were written."""
        arguments = (
            f"{node.name.value}: {print_ast(sort_value_node(node.value))}" for node in self.node.arguments or ()
        )
        return self.node.name.value, *sorted(arguments)


Conflict = tuple[_Field, _Field, str]


class FieldsThatCanBeMerged(ValidationRule):
    """Refuses fields that stand for one key of the answer and differ in shape, name or arguments.

    For documents that are valid otherwise: their fields are known, and no fragment spreads itself.
    """

    def enter_operation_definition(self, node: OperationDefinitionNode, *_args: object) -> None:
        root = self.context.schema.get_root_type(node.operation)
        fields = list(self._selected([(root, node.selection_set)]))
        conflict = self._conflict(fields, _all_together, _shape_conflict) or self._conflict(
            fields, _by_parent, _call_conflict
        )
        if conflict:
            one, other, reason = conflict
            message = f"Fields {one.key!r} conflict because {reason}. Use different aliases to fetch both."
            self.report_error(GraphQLError(message, [one.node, other.node]))

    def _conflict(self, fields: Sequence[_Field], parted: Any, conflict_in: Any) -> Conflict | None:
        waiting = [fields]
        while waiting:
            for same_key in _by_key(waiting.pop()):
                for together in parted(same_key):
                    conflict: Conflict | None = conflict_in(together)
                    if conflict:
                        return conflict
                    below = list(self._below(together))
                    if below:
                        waiting.append(below)
        return None

    def _below(self, fields: Iterable[_Field]) -> Iterator[_Field]:
        """Yield what is selected of the fields, as one selection set."""
        return self._selected(
            [(get_named_type(field.type), field.node.selection_set) for field in fields if field.node.selection_set]
        )

    def _selected(self, waiting: list[tuple[Any, SelectionSetNode]]) -> Iterator[_Field]:
        """Yield the fields of selection sets, through their fragments, each of which is entered once."""
        spread: set[str] = set()
        while waiting:
            type_, selections = waiting.pop()
            for selection in selections.selections:
                if isinstance(selection, FieldNode):
                    field = self.context.schema.get_field(type_, selection.name.value)
                    assert field is not None  # noqa: S101 - the document is valid otherwise
                    yield _Field(type_, selection, field.type)
                elif isinstance(selection, InlineFragmentNode):
                    condition = selection.type_condition
                    waiting.append((self._type(condition.name.value) if condition else type_, selection.selection_set))
                elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in spread:
                    spread.add(selection.name.value)
                    fragment = self.context.get_fragment(selection.name.value)
                    assert fragment is not None  # noqa: S101 - the same
                    waiting.append((self._type(fragment.type_condition.name.value), fragment.selection_set))

    def _type(self, name: str) -> GraphQLNamedType | None:
        return self.context.schema.get_type(name)


def _by_key(fields: Iterable[_Field]) -> Iterable[list[_Field]]:
    groups: dict[str, list[_Field]] = {}
    for field in fields:
        groups.setdefault(field.key, []).append(field)
    return groups.values()


def _all_together(fields: list[_Field]) -> list[list[_Field]]:
    return [fields]


def _by_parent(fields: list[_Field]) -> list[list[_Field]]:
    """Part fields into those that one object can have: an interface's are had by objects of every type."""
    of_any = [field for field in fields if not is_object_type(field.parent)]
    objects: dict[str, list[_Field]] = {}
    for field in fields:
        if is_object_type(field.parent):
            objects.setdefault(field.parent.name, list(of_any)).append(field)
    return list(objects.values()) or [of_any]


def _shape_conflict(fields: list[_Field]) -> Conflict | None:
    first = fields[0]
    for other in fields[1:]:
        if not _same_shape(first.type, other.type):
            return first, other, f"they give conflicting types {first.type} and {other.type}"
    return None


def _same_shape(one: Any, other: Any) -> bool:
    while is_non_null_type(one) or is_list_type(one):
        if is_non_null_type(one) is not is_non_null_type(other) or is_list_type(one) is not is_list_type(other):
            return False
        one, other = one.of_type, other.of_type
    if is_leaf_type(one) or is_leaf_type(other):
        return one is other
    return not (is_non_null_type(other) or is_list_type(other))


def _call_conflict(fields: list[_Field]) -> Conflict | None:
    if len(fields) == 1:
        return None
    first, call = fields[0], fields[0].call()
    for other in fields[1:]:
        if other.call() != call:
            different = other.call()[0] != call[0]
            names = f"{call[0]!r} and {other.call()[0]!r} are different fields"
            return first, other, names if different else "they have differing arguments"
    return None
