"""What execution uses of graphql-core that the library does not document. No other file touches its private parts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)
from graphql.execution.collect_fields import (
    CollectedFields,
    FieldDetailsList,
    FragmentDetails,
    collect_fields,
    collect_subfields,
)
from graphql.execution.executor import CollectedErrors
from graphql.execution.get_variable_signature import GraphQLVariableSignature as VariableSignature
from graphql.execution.get_variable_signature import get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource
from graphql.pyutils import Path
from graphql.type.directives import GraphQLDisableErrorPropagationDirective
from graphql.utilities.sort_value_node import sort_value_node

__all__ = [
    "DISABLE_ERROR_PROPAGATION",
    "CollectedFields",
    "Definitions",
    "FieldDetailsList",
    "PlacedErrors",
    "VariableSignature",
    "VariableValueSource",
    "VariableValues",
    "signatures",
    "sort_value_node",
]

DISABLE_ERROR_PROPAGATION = GraphQLDisableErrorPropagationDirective.name

# Keys of the answer, from its root.
Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Definitions:
    """One operation of a valid document, with the fragments that it may spread."""

    schema: GraphQLSchema
    operation: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    # The same fragments as the library collects fields from them.
    details: dict[str, FragmentDetails]

    @classmethod
    def of(
        cls, schema: GraphQLSchema, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
    ) -> Self:
        return cls(schema, operation, fragments, {name: FragmentDetails(node) for name, node in fragments.items()})

    @property
    def root(self) -> GraphQLObjectType:
        root = self.schema.get_root_type(self.operation.operation)
        assert root is not None  # noqa: S101 - the document is valid
        return root

    @property
    def root_names(self) -> Iterator[str]:
        """The names of the root's fields, skipped ones too."""
        return self._names(self.operation.selection_set)

    def _names(self, selections: SelectionSetNode) -> Iterator[str]:
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                yield selection.name.value
            elif isinstance(selection, InlineFragmentNode):
                yield from self._names(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode):
                yield from self._names(self.fragments[selection.name.value].selection_set)

    def root_fields(self, variables: VariableValues) -> CollectedFields:
        """Return the fields of the operation's root, through fragments and directives."""
        return collect_fields(self.schema, self.details, variables, self.root, self.operation, hide_suggestions=True)

    def fields_below(
        self, details: FieldDetailsList, type_: GraphQLObjectType, variables: VariableValues
    ) -> CollectedFields:
        """Return the fields that are selected below a field, for objects of a type."""
        return collect_subfields(
            self.schema, self.details, variables, self.operation, type_, details, hide_suggestions=True
        )


def signatures(definitions: Definitions) -> Iterator[VariableSignature]:
    """Yield the signature of each variable of a valid operation."""
    for definition in definitions.operation.variable_definitions or ():
        signature = get_variable_signature(definitions.schema, definition)
        assert isinstance(signature, VariableSignature)  # noqa: S101 - the document is valid
        yield signature


class PlacedErrors(CollectedErrors):
    """Remembers with each error the place that it made null."""

    __slots__ = ("placed",)

    def __init__(self) -> None:
        super().__init__()
        self.placed: list[tuple[GraphQLError, Place]] = []

    def add(self, error: GraphQLError, path: Path | None) -> None:
        self.placed.append((error, tuple(path.as_list()) if path else ()))
