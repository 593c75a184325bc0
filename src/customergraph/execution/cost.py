"""The cost of an operation: the number of objects that it may return at most, by its `first` arguments.

An object counts 1, a plain list of objects 10 of them, and each field of a mutation 10
more; connections, edges, page info and what is no object count nothing. The same rule
gives the actual cost: the objects that were returned.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLIncludeDirective,
    GraphQLSchema,
    GraphQLSkipDirective,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
)
from graphql.execution.values import VariableValues, get_argument_values, get_directive_values

from customergraph.domain.paging import LARGEST_PAGE, PAGE

PLAIN_LIST = 10
MUTATION_FIELD = 10
# By their names, as Relay's specification tells them.
_COUNT_NOTHING = ("Connection", "Edge", "PageInfo")


@dataclass(slots=True)
class _Entry:
    """A field that gives objects: how many at most, what each counts, and what is below each."""

    many: int
    own: int
    extra: int
    below: "Cost"

    def or_(self, other: "_Entry") -> "_Entry":
        """Give what stands under one key of the answer for objects of two types."""
        below = Cost(self.below.alternatives + other.below.alternatives)
        return _Entry(max(self.many, other.many), max(self.own, other.own), max(self.extra, other.extra), below)


@dataclass(slots=True)
class Cost:
    """What a selection set counts, as the fields of each type that its objects may have."""

    alternatives: list[dict[str, _Entry]] = field(default_factory=list)
    _any: dict[str, _Entry] | None = None

    @property
    def requested(self) -> int:
        """The number of objects at most."""
        return max(
            (
                sum(entry.extra + entry.many * (entry.own + entry.below.requested) for entry in entries.values())
                for entries in self.alternatives
            ),
            default=0,
        )

    def actual(self, data: Mapping[str, Any] | None) -> int:
        """Count the objects of an answer."""
        if data is None:
            return 0
        return sum(
            entry.extra + entry.below._of_values(data[key], entry.own)  # noqa: SLF001 - its own kind
            for key, entry in self._of_any_type().items()
            if key in data
        )

    def _of_any_type(self) -> dict[str, _Entry]:
        """Give the fields of all types together: an answer does not tell of which type an object is."""
        if self._any is None:
            self._any = {}
            for entries in self.alternatives:
                for key, entry in entries.items():
                    self._any[key] = self._any[key].or_(entry) if key in self._any else entry
        return self._any

    def _of_values(self, value: Any, own: int) -> int:
        if value is None:
            return 0
        if not isinstance(value, list):
            return own + self.actual(value)
        if not any(self.alternatives):
            return own * sum(one is not None for one in value)
        return sum(self._of_values(one, own) for one in value)


def cost(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, variables: VariableValues
) -> Cost:
    """Reckon what an operation of a valid document costs with these variables."""
    extra = MUTATION_FIELD if operation.operation is OperationType.MUTATION else 0
    root = schema.get_root_type(operation.operation)
    return _Reckoning(schema, document, variables).of(root, [operation.selection_set], extra=extra)


def counted(objects: Mapping[str, int]) -> int:
    """Give the actual cost of a query that gave so many objects of each type."""
    return sum(count for name, count in objects.items() if not name.endswith(_COUNT_NOTHING))


class _Reckoning:
    """Reckons the selection sets of one operation."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: VariableValues) -> None:
        self._schema = schema
        self._variables = variables
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }

    def of(self, type_: Any, selections: Iterable[SelectionSetNode], *, page: int = 0, extra: int = 0) -> Cost:
        """Reckon selection sets on a type; `page` is the size of the page that the type is a connection of."""
        types = self._schema.get_possible_types(type_) if is_abstract_type(type_) else [type_]
        return Cost([self._of_object(one, list(selections), page, extra) for one in types])

    def _of_object(self, type_: Any, selections: list[SelectionSetNode], page: int, extra: int) -> dict[str, _Entry]:
        groups: dict[str, list[FieldNode]] = {}
        for node in self._selected(type_, selections, set()):
            groups.setdefault((node.alias or node.name).value, []).append(node)
        entries = {key: self._entry(type_, nodes, page, extra) for key, nodes in groups.items()}
        return {key: entry for key, entry in entries.items() if entry is not None}

    def _entry(self, parent: Any, nodes: list[FieldNode], page: int, extra: int) -> _Entry | None:
        definition = self._schema.get_field(parent, nodes[0].name.value)
        assert definition is not None  # noqa: S101 - the document is valid
        named = get_named_type(definition.type)
        if is_leaf_type(named):
            return None
        arguments = get_argument_values(definition, nodes[0], self._variables)
        many = 1
        if is_list_type(get_nullable_type(definition.type)):
            # What is asked for by a list of ids may be more than a plain list's ten.
            many = page or max(PLAIN_LIST, *(len(value) for value in arguments.values() if isinstance(value, list)), 0)
        own = 0 if named.name.endswith(_COUNT_NOTHING) else 1
        below = [node.selection_set for node in nodes if node.selection_set]
        size = _page_size(definition, arguments) if named.name.endswith("Connection") else 0
        return _Entry(many, own, extra, self.of(named, below, page=size))

    def _selected(self, type_: Any, selections: Iterable[SelectionSetNode], spread: set[str]) -> Iterator[FieldNode]:
        """Give the fields that objects of the type answer, through fragments."""
        for selection_set in selections:
            for node in selection_set.selections:
                if not self._is_included(node):
                    continue
                if isinstance(node, FieldNode):
                    yield node
                    continue
                fragment: Any = node if isinstance(node, InlineFragmentNode) else self._unspread(node, spread)
                if fragment is not None and self._applies(fragment, type_):
                    yield from self._selected(type_, [fragment.selection_set], spread)

    def _unspread(self, node: Any, spread: set[str]) -> FragmentDefinitionNode | None:
        if node.name.value in spread:
            return None
        spread.add(node.name.value)
        return self._fragments[node.name.value]

    def _applies(self, fragment: Any, type_: Any) -> bool:
        if fragment.type_condition is None:
            return True
        condition: Any = self._schema.get_type(fragment.type_condition.name.value)
        return condition is type_ or (is_abstract_type(condition) and self._schema.is_sub_type(condition, type_))

    def _is_included(self, node: SelectionNode) -> bool:
        if not node.directives:
            return True
        skip = get_directive_values(GraphQLSkipDirective, node, self._variables)
        include = get_directive_values(GraphQLIncludeDirective, node, self._variables)
        return not (skip and skip["if"]) and not (include and not include["if"])


def _page_size(definition: Any, arguments: Mapping[str, Any]) -> int:
    size = arguments.get("first") or arguments.get("last")
    if size is None:
        default = definition.args["first"].default_value if "first" in definition.args else None
        size = default if isinstance(default, int) else PAGE
    # A size outside is refused where it is resolved.
    return min(max(size, 0), LARGEST_PAGE)
