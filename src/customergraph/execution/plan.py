"""Plans: what an operation selects, worked out once for all its executions and all its objects.

A plan depends on the document, on the operation, and on the variables that `@skip` and
`@include` read. All other variables are its arguments' alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import chain
from typing import Any

from graphql import (
    DirectiveNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    OperationType,
    TypeNameMetaFieldDef,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)

from customergraph.execution.arguments import CONDITIONS, argument_values
from customergraph.execution.fields import (
    BatchedField,
    Columns,
    ComputedField,
    CountField,
    CountsField,
    HeldField,
    MadeField,
    accepts_any_source,
)
from customergraph.execution.graphql_core import (
    DISABLE_ERROR_PROPAGATION,
    CollectedFields,
    Definitions,
    FieldDetailsList,
    VariableValues,
)
from customergraph.execution.leaves import Leaf, Native
from customergraph.execution.nodes import nodes
from customergraph.execution.strawberry_internals import (
    StrawberryField,
    argument_names,
    convert_arguments,
    declared_field,
    reads_attribute,
)

# What a plan takes at most, measured with tracemalloc: itself, each of its fields, and each node that
# selects one or stands in its arguments.
_PLAN_BYTES = 2_000
_FIELD_BYTES = 1_300
_NODE_BYTES = 150
# Directives whose effects a plan does not know.
_UNPLANNED = {"defer", "stream", DISABLE_ERROR_PROPAGATION}


class ResolverKind(Enum):
    """How a field gets its values."""

    TYPENAME = auto()
    ATTRIBUTE = auto()
    COMPUTED = auto()
    BATCHED = auto()
    HELD = auto()
    COUNT = auto()
    COUNTS = auto()
    MADE = auto()
    RESOLVER = auto()
    """A Python function, called for each object."""

    @classmethod
    def of(cls, definition: GraphQLField) -> "ResolverKind":
        declared = declared_field(definition)
        if definition is TypeNameMetaFieldDef:
            return cls.TYPENAME
        if not isinstance(declared, StrawberryField) or declared.extensions:
            return cls.RESOLVER
        if type(declared) in _DECLARED:
            return _DECLARED[type(declared)]
        return cls.ATTRIBUTE if reads_attribute(declared) else cls.RESOLVER


_DECLARED: dict[type, ResolverKind] = {
    BatchedField: ResolverKind.BATCHED,
    ComputedField: ResolverKind.COMPUTED,
    CountField: ResolverKind.COUNT,
    CountsField: ResolverKind.COUNTS,
    HeldField: ResolverKind.HELD,
    MadeField: ResolverKind.MADE,
}


@dataclass(slots=True, eq=False)
class PlannedField:
    """A field of a selection, with all that is the same for every object that has it."""

    key: str
    parent: GraphQLObjectType
    definition: GraphQLField
    details: FieldDetailsList
    resolver: ResolverKind
    declared: Any
    # What completes its values: a leaf's, or those of the types that its objects may have.
    leaf: Leaf | None
    below: "Selections"
    is_list: bool
    is_required: bool
    # The type of its objects, where they are of one type whatever they are.
    object_type: GraphQLObjectType | None
    # Arguments that depend on no variable: as they are coerced, and as the resolver takes them.
    _coerced: dict[str, Any] | None = None
    _converted: dict[str, Any] | None = None
    # The resolver's arguments whose values are variables, with these; and its other arguments.
    _varying: Mapping[str, str] | None = None
    _constant: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The type and the name of the field, as messages have them."""
        return f"{self.parent}.{self.details[0].node.name.value}"

    def arguments(self, variables: VariableValues) -> dict[str, Any]:
        """Return the arguments, coerced; raises GraphQLError for a value that does not fit."""
        if self._coerced is not None:
            return self._coerced
        node = self.details[0].node
        arguments = argument_values(self.definition, node, variables)
        if not any(isinstance(child, VariableNode) for argument in node.arguments or () for child in nodes(argument)):
            self._coerced = arguments
        return arguments

    def converted(self, schema: GraphQLSchema, variables: VariableValues) -> dict[str, Any]:
        """Return the arguments as Strawberry passes them to a resolver."""
        if self._converted is not None:
            return self._converted
        if self._varying is not None:
            varying = {name: variables.coerced.get(variable) for name, variable in self._varying.items()}
            if None not in varying.values():
                return {**self._constant, **varying}
        arguments = convert_arguments(schema, self.declared, self.arguments(variables))
        if self._coerced is not None:
            self._converted = arguments
        else:
            self._keep_constant(schema, arguments)
        return arguments

    def _keep_constant(self, schema: GraphQLSchema, arguments: Mapping[str, Any]) -> None:
        """Keep the arguments that depend on no variable, if each of the others is a variable of a leaf type."""
        names = argument_names(schema, self.declared)
        varying: dict[str, str] = {}
        for argument in self.details[0].node.arguments or ():
            value = argument.value
            if isinstance(value, VariableNode):
                if not is_leaf_type(get_nullable_type(self.definition.args[argument.name.value].type)):
                    return
                varying[names[argument.name.value]] = value.name.value
            elif any(isinstance(node, VariableNode) for node in nodes(value)):
                return
        self._constant = {name: value for name, value in arguments.items() if name not in varying}
        self._varying = varying


@dataclass(slots=True, eq=False)
class Selection:
    """The fields that are selected of objects of one type, in the order of the answer."""

    type: GraphQLObjectType
    fields: list[PlannedField]

    @property
    def columns(self) -> Columns:
        """The columns that the fields read of an object and of the rows it holds; None where that is not known."""
        columns: set[str] = set()
        for one in self.fields:
            names = _read(one)
            if names is None:
                return None
            columns |= names
        return frozenset(columns)


def _read(planned: PlannedField) -> Columns:
    """Tell what a field reads of its object, and of the objects that this one holds."""
    match planned.resolver:
        case ResolverKind.TYPENAME | ResolverKind.COUNT | ResolverKind.COUNTS | ResolverKind.MADE:
            return frozenset()
        case ResolverKind.ATTRIBUTE:
            return frozenset({planned.declared.python_name})
        case ResolverKind.COMPUTED:
            return planned.declared.columns  # type: ignore[no-any-return]
        case ResolverKind.BATCHED:
            return frozenset({planned.declared.key} - {None})
        case ResolverKind.HELD:
            return planned.below.columns
    return None


class Selections:
    """What is selected of a field's objects, by their type."""

    def __init__(self, planner: "Planner", type_: Any, details: FieldDetailsList) -> None:
        self._planner = planner
        self._type = type_
        self._details = details
        self._by_type: dict[str, Selection] = {}

    def of(self, type_: GraphQLObjectType) -> Selection:
        """Return what is selected of objects of a type."""
        selection = self._by_type.get(type_.name)
        if selection is None:
            selection = self._by_type[type_.name] = self._planner.selection(type_, self._details)
        return selection

    @property
    def type_name(self) -> str:
        """The name of the field's type: an object's, or an interface's."""
        return str(self._type.name)

    @property
    def each(self) -> list[Selection]:
        """What is selected of each type that the field's objects may have."""
        return [self.of(type_) for type_ in self._planner.possible_types(self._type)]

    @property
    def columns(self) -> Columns:
        """The names that are read of the field's objects; None where they may be of several types."""
        return self.of(self._type).columns if is_object_type(self._type) else None


class Planner:
    """Plans the selections of one operation, for one set of values of the variables that decide what is skipped.

    What it plans refers to it, and it to none of that: a plan that nobody uses is freed at once.
    """

    def __init__(self, definitions: Definitions, variables: VariableValues, native: Native) -> None:
        self.definitions = definitions
        self.planned_bytes = 0
        self._variables = variables
        self._native = native

    def root(self) -> Selection:
        """Plan what is selected of the root."""
        return self._selection(self.definitions.root, self.definitions.root_fields(self._variables))

    def possible_types(self, type_: Any) -> Sequence[GraphQLObjectType]:
        """Return the object types of a field's type."""
        return self.definitions.schema.get_possible_types(type_) if is_abstract_type(type_) else [type_]

    def selection(self, type_: GraphQLObjectType, details: FieldDetailsList) -> Selection:
        """Plan what is selected below a field, for objects of a type."""
        return self._selection(type_, self.definitions.fields_below(details, type_, self._variables))

    def _selection(self, type_: Any, collected: CollectedFields) -> Selection:
        groups = collected.grouped_field_set.items()
        return Selection(type_, [self._planned(type_, key, details) for key, details in groups])

    def _planned(self, parent: GraphQLObjectType, key: str, details: FieldDetailsList) -> PlannedField:
        arguments = chain.from_iterable(map(nodes, details[0].node.arguments or ()))
        self.planned_bytes += _FIELD_BYTES + _NODE_BYTES * (len(details) + sum(1 for _ in arguments))
        definition = self.definitions.schema.get_field(parent, details[0].node.name.value)
        assert definition is not None  # noqa: S101 - the document is valid
        named = get_named_type(definition.type)
        return PlannedField(
            key,
            parent,
            definition,
            details,
            ResolverKind.of(definition),
            declared_field(definition),
            Leaf(named, self._native) if is_leaf_type(named) else None,
            Selections(self, named, details),
            is_list_type(get_nullable_type(definition.type)),
            is_non_null_type(definition.type),
            named if is_object_type(named) and named.is_type_of in {None, accepts_any_source} else None,
        )


class Plan:
    """What one operation selects, as a planner of it plans."""

    def __init__(self, planner: Planner) -> None:
        self._planner = planner
        self.root = planner.root()
        self.may_be_compiled = _may_be_compiled(planner.definitions)
        self.is_mutation = planner.definitions.operation.operation is OperationType.MUTATION

    @property
    def bytes(self) -> int:
        """How much memory the plan takes at most; it grows where a type is met that was not planned for yet."""
        return _PLAN_BYTES + self._planner.planned_bytes


def deciding_variables(definitions: Definitions) -> tuple[str, ...]:
    """Name the variables that decide what is skipped."""
    directives = (
        node
        for node in chain.from_iterable(map(nodes, (definitions.operation, *definitions.fragments.values())))
        if isinstance(node, DirectiveNode) and node.name.value in CONDITIONS
    )
    variables = (node for directive in directives for node in nodes(directive) if isinstance(node, VariableNode))
    return tuple({node.name.value for node in variables})


def _may_be_compiled(definitions: Definitions) -> bool:
    """Return whether an operation reads, without directives that change how it is executed."""
    if definitions.operation.operation is OperationType.MUTATION:
        return False
    every_node = chain.from_iterable(map(nodes, (definitions.operation, *definitions.fragments.values())))
    return not any(isinstance(node, DirectiveNode) and node.name.value in _UNPLANNED for node in every_node)
