"""Plans: what an operation selects, worked out once for all its executions and all its objects.

A plan depends on the document, on which of its operations is run, and on the variables that
`@skip` and `@include` ask; all other variables only fill it in.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import chain
from typing import Any

import strawberry
from graphql import (
    DirectiveNode,
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    Node,
    OperationType,
    TypeNameMetaFieldDef,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import CollectedFields, FieldDetailsList, collect_fields, collect_subfields
from graphql.execution.values import get_argument_values
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from customergraph.execution.fields import BatchedField, Columns, ComputedField, takes_any
from customergraph.execution.leaves import Leaf, Native
from customergraph.execution.limits import nodes

# Each set of values of the variables that decide what is skipped is a plan of its own.
REMEMBERED = 16
_CONDITIONS = {"skip", "include"}
_INCREMENTAL = {"defer", "stream"}
_INTROSPECTION = {"__schema", "__type"}


class Way(Enum):
    """How the values of a field are had."""

    TYPENAME = auto()
    ATTRIBUTE = auto()
    COMPUTED = auto()
    BATCHED = auto()
    CALLED = auto()
    """Its resolver is any Python, called for each object."""

    @classmethod
    def of(cls, definition: GraphQLField) -> "Way":
        declared = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if definition is TypeNameMetaFieldDef:
            return cls.TYPENAME
        if not isinstance(declared, StrawberryField) or declared.extensions:
            return cls.CALLED
        if isinstance(declared, BatchedField):
            return cls.BATCHED
        if isinstance(declared, ComputedField):
            return cls.COMPUTED
        is_attribute = declared.is_basic_field and declared.default_resolver is getattr
        return cls.ATTRIBUTE if is_attribute else cls.CALLED


@dataclass(slots=True, eq=False)
class PlannedField:
    """A field of a selection, with all that is the same for every object that has it."""

    key: str
    parent: GraphQLObjectType
    definition: GraphQLField
    details: FieldDetailsList
    way: Way
    declared: Any
    # What completes its values: a leaf's, or those of the types that its objects may have.
    leaf: Leaf | None
    below: "Selections"
    is_list: bool
    is_required: bool
    # Whether what it gives is of one type, whatever it is.
    takes_any: bool
    # What a field that is loaded is to have; and whether the field waits for nothing.
    columns: Columns = None
    is_immediate: bool = False
    # Arguments that depend on no variable: as they are coerced, and as the resolver takes them.
    _coerced: dict[str, Any] | None = None
    _converted: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        """The type and the name of the field, as messages have them."""
        return f"{self.parent}.{self.details[0].node.name.value}"

    def arguments(self, executor: Executor[Any]) -> dict[str, Any]:
        """Give the arguments, coerced; raises what is wrong with them."""
        if self._coerced is not None:
            return self._coerced
        node = self.details[0].node
        found = get_argument_values(self.definition, node, executor.variable_values, None, executor.hide_suggestions)
        if not any(isinstance(one, VariableNode) for argument in node.arguments or () for one in nodes(argument)):
            self._coerced = found
        return found

    def converted(self, executor: Executor[Any]) -> dict[str, Any]:
        """Give the arguments as Strawberry hands them to a resolver."""
        if self._converted is not None:
            return self._converted
        schema: strawberry.Schema = executor.schema.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
        registry, config = schema.schema_converter.scalar_registry, schema.config
        found = convert_arguments(self.arguments(executor), self.declared.arguments, registry, config)
        if self._coerced is not None:
            self._converted = found
        return found


@dataclass(slots=True, eq=False)
class Selection:
    """The fields that objects of one type are asked for, in the order of the answer."""

    type: GraphQLObjectType
    fields: list[PlannedField]
    keys: tuple[str, ...] = field(init=False)
    is_immediate: bool = field(init=False)

    def __post_init__(self) -> None:
        self.keys = tuple(planned.key for planned in self.fields)
        self.is_immediate = all(planned.is_immediate for planned in self.fields)

    @property
    def columns(self) -> Columns:
        """The names that are read of an object, and of what it holds; None where that cannot be told."""
        found: set[str] = set()
        for one in self.fields:
            names = _read(one)
            if names is None:
                return None
            found |= names
        return frozenset(found)


def _read(planned: PlannedField) -> Columns:
    """Tell what a field reads of its object, and of the objects that this one holds."""
    if planned.way is Way.TYPENAME:
        return frozenset()
    if planned.way is Way.CALLED:
        return None
    if planned.way is Way.BATCHED:
        return frozenset({planned.declared.key} - {None})
    own = {planned.declared.python_name} if planned.way is Way.ATTRIBUTE else planned.declared.columns
    below = frozenset() if planned.leaf else planned.below.columns
    return None if below is None else below | own


class Selections:
    """What is selected of a field's objects, by their type."""

    def __init__(self, plan: "Plan", type_: Any, details: FieldDetailsList) -> None:
        self._plan = plan
        self._type = type_
        self._details = details
        self._known: dict[str, Selection] = {}

    def of(self, type_: GraphQLObjectType) -> Selection:
        """Give what is selected of objects of a type."""
        known = self._known.get(type_.name)
        if known is None:
            known = self._known[type_.name] = self._plan.selection(type_, self._details)
        return known

    @property
    def is_immediate(self) -> bool:
        """Whether nothing below waits; what may be of several types is not asked."""
        return is_object_type(self._type) and self.of(self._type).is_immediate

    @property
    def columns(self) -> Columns:
        """The names that are read of the field's objects; None where they may be of several types."""
        return self.of(self._type).columns if is_object_type(self._type) else None


class Plan:
    """What one operation selects, where the variables that decide what is skipped have these values."""

    def __init__(self, executor: Executor[Any], native: Native) -> None:
        self._schema = executor.schema
        self._fragments = executor.fragments
        self._variables = executor.variable_values
        self._operation = executor.operation
        self._native = native
        root = executor.schema.get_root_type(executor.operation.operation)
        assert root is not None  # noqa: S101 - the document is valid
        collected = collect_fields(
            self._schema, self._fragments, self._variables, root, self._operation, executor.hide_suggestions
        )
        self.root = self._selection(root, collected)

    def selection(self, type_: GraphQLObjectType, details: FieldDetailsList) -> Selection:
        """Plan what is selected below a field, of objects of a type."""
        collected = collect_subfields(
            self._schema, self._fragments, self._variables, self._operation, type_, details, hide_suggestions=True
        )
        return self._selection(type_, collected)

    def _selection(self, type_: Any, collected: CollectedFields) -> Selection:
        groups = collected.grouped_field_set.items()
        return Selection(type_, [self._planned(type_, key, details) for key, details in groups])

    def _planned(self, parent: GraphQLObjectType, key: str, details: FieldDetailsList) -> PlannedField:
        definition = self._schema.get_field(parent, details[0].node.name.value)
        assert definition is not None  # noqa: S101 - the document is valid
        named = get_named_type(definition.type)
        planned = PlannedField(
            key,
            parent,
            definition,
            details,
            Way.of(definition),
            definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF),
            Leaf(named, self._native) if is_leaf_type(named) else None,
            Selections(self, named, details),
            is_list_type(get_nullable_type(definition.type)),
            is_non_null_type(definition.type),
            is_object_type(named) and named.is_type_of in {None, takes_any},
        )
        if planned.way is Way.BATCHED and planned.leaf is None:
            planned.columns = planned.below.columns
        waits = planned.way in {Way.BATCHED, Way.CALLED}
        planned.is_immediate = not waits and (planned.leaf is not None or planned.below.is_immediate)
        return planned


@dataclass(slots=True)
class Plans:
    """The plans of one document's operations, in bounded number."""

    definitions: Sequence[Node]
    _known: OrderedDict[Any, Plan | None] = field(default_factory=OrderedDict)
    _deciding: tuple[str, ...] | None = None

    def of(self, executor: Executor[Any], native: Native) -> Plan | None:
        """Give the plan of the operation that an executor is to run; None for one that has to be run depth-first."""
        if self._deciding is None:
            self._deciding = tuple(set(_deciding(self.definitions)))
        name, values = executor.operation.name, executor.variable_values.coerced
        key = (name and name.value, *(values.get(variable) for variable in self._deciding))
        if key not in self._known:
            self._known[key] = Plan(executor, native) if _is_covered(executor) else None
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return self._known[key]


def _deciding(definitions: Sequence[Node]) -> Iterator[str]:
    """Name the variables that decide what is skipped."""
    for node in chain.from_iterable(map(nodes, definitions)):
        if isinstance(node, DirectiveNode) and node.name.value in _CONDITIONS:
            yield from (one.name.value for one in nodes(node) if isinstance(one, VariableNode))


def _is_covered(executor: Executor[Any]) -> bool:
    """Tell whether plans can say all that an operation asks for."""
    operation = executor.operation
    has_middleware = executor.middleware_manager and executor.middleware_manager.middlewares
    if operation.operation is OperationType.SUBSCRIPTION or has_middleware or not executor.error_propagation:
        return False
    asked = list(chain.from_iterable(map(nodes, (operation, *executor.fragment_definitions.values()))))
    if any(isinstance(node, DirectiveNode) and node.name.value in _INCREMENTAL for node in asked):
        return False
    return not any(isinstance(node, FieldNode) and node.name.value in _INTROSPECTION for node in asked)
