"""Depth-first execution: graphql-core's executor, which completes one object after another."""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from inspect import isawaitable
from typing import Any

from graphql import (
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLList,
    GraphQLOutputType,
    GraphQLResolveInfo,
    default_field_resolver,
    default_type_resolver,
)
from graphql.execution import Executor
from graphql.pyutils import Path

from customergraph.execution.arguments import argument_values
from customergraph.execution.field_errors import reported_errors
from customergraph.execution.graphql_core import Definitions, FieldDetailsList, PlacedErrors, VariableValues
from customergraph.execution.strawberry_internals import is_awaitable

# Lists of more items are completed in turn.
LONG_LIST = 3
# How long the event loop is held at most, but for one list.
TIME_SLICE_SECONDS = 0.005


class DepthFirst(Executor[Any]):
    """Executes one operation as graphql-core does; of several errors for one place it reports the first."""

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
        self._turn = asyncio.Lock()
        self._since = time.perf_counter()

    async def execute(self) -> ExecutionResult:
        result: Any = self.execute_operation()
        return await result if isawaitable(result) else result  # type: ignore[no-any-return]

    def complete_list_value(
        self,
        return_type: GraphQLList[GraphQLOutputType],
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """Complete a list; one of some length in its turn, between which others are answered."""
        arguments = (return_type, field_details_list, info, path, result, position_context)
        complete = partial(super().complete_list_value, *arguments)
        is_long = isinstance(result, Sequence) and len(result) > LONG_LIST
        return self._complete_in_turn(complete) if is_long else complete()

    async def _complete_in_turn(self, complete: Callable[[], Any]) -> Any:
        async with self._turn:
            if time.perf_counter() - self._since > TIME_SLICE_SECONDS:
                await asyncio.sleep(0)
                self._since = time.perf_counter()
            completed = complete()
        return await completed if isawaitable(completed) else completed

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
