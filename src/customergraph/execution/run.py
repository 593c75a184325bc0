"""The execution of one operation."""

from inspect import isawaitable
from typing import Any

from graphql import ExecutionResult, GraphQLSchema, execute
from strawberry.execution import optimized_is_awaitable

from customergraph.execution.documents import Document


async def run(
    schema: GraphQLSchema,
    document: Document,
    operation_name: str | None,
    variables: dict[str, Any] | None,
    context: Any,
) -> ExecutionResult:
    """Execute an operation of a valid document."""
    assert document.tree is not None  # noqa: S101 - a valid document has one
    result = execute(
        schema,
        document.tree,
        context_value=context,
        variable_values=variables,
        operation_name=operation_name,
        # It gives a bool where a TypeGuard is wanted.
        is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]
        hide_suggestions=True,
    )
    return await result if isawaitable(result) else result
