"""Depth-first execution: graphql-core's executor, which completes one object after another."""

from collections.abc import Mapping
from inspect import isawaitable
from typing import Any

from graphql import (
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLOutputType,
    default_field_resolver,
    default_type_resolver,
)
from graphql.execution import Executor
from graphql.pyutils import Path

from customergraph.execution.arguments import argument_values
from customergraph.execution.field_errors import reported_errors
from customergraph.execution.graphql_core import Definitions, FieldDetailsList, PlacedErrors, VariableValues
from customergraph.execution.strawberry_internals import is_awaitable


class DepthFirst(Executor[Any]):
    """Executes one operation as graphql-core does, and reports its errors as breadth-first execution does."""

    # Nothing here counts objects.
    objects: Mapping[str, int] | None = None

    def __init__(self, definitions: Definitions, variables: VariableValues, context: Any) -> None:
        super().__init__(
            schema=definitions.schema,
            fragment_definitions=dict(definitions.fragments),
            fragments=definitions.details,
            root_value=None,
            context_value=context,
            operation=definitions.operation,
            variable_values=variables,
            field_resolver=default_field_resolver,
            type_resolver=default_type_resolver,
            subscribe_field_resolver=default_field_resolver,
            enable_early_execution=False,
            middleware_manager=None,
            # It gives a bool where a TypeGuard is expected.
            is_awaitable=is_awaitable,  # type: ignore[arg-type]
            is_async_iterable=None,
            hide_suggestions=True,
        )
        self.collected_errors: PlacedErrors = PlacedErrors()

    async def execute(self) -> ExecutionResult:
        result: Any = self.execute_operation()
        return await result if isawaitable(result) else result  # type: ignore[no-any-return]

    def handle_field_error(
        self, raw_error: Exception, return_type: GraphQLOutputType, field_details_list: FieldDetailsList, path: Path
    ) -> None:
        error = raw_error
        # An item of a list has no type's name in its path, and no arguments.
        if isinstance(raw_error, GraphQLError) and raw_error.path is None and path.typename:
            error = self._argument_error(field_details_list[0].node, path.typename, raw_error)
        super().handle_field_error(error, return_type, field_details_list, path)

    def _argument_error(self, node: FieldNode, type_name: str, raw_error: GraphQLError) -> GraphQLError:
        """Return what is wrong with a field's arguments, or the same error where its resolver was called."""
        parent: Any = self.schema.get_type(type_name)
        definition = self.schema.get_field(parent, node.name.value)
        assert definition is not None  # noqa: S101 - the document is valid
        try:
            argument_values(definition, node, self.variable_values)
        except GraphQLError as error:
            return error
        return raw_error

    def build_response(self, data: dict[str, Any] | None) -> ExecutionResult:
        return ExecutionResult(data, reported_errors(self.collected_errors.placed) or None)
