"""The execution of one operation."""

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

from graphql import GraphQLError, GraphQLSchema
from strawberry.execution import optimized_is_awaitable

from customergraph.execution.breadth_first import BreadthFirst
from customergraph.execution.documents import Document
from customergraph.execution.field_errors import DepthFirst


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an operation; `objects` counts them by type, where the executor counted."""

    data: dict[str, Any] | None
    errors: list[GraphQLError]
    objects: Mapping[str, int] | None = None


async def run(
    executor: type[DepthFirst],
    schema: GraphQLSchema,
    document: Document,
    operation_name: str | None,
    variables: dict[str, Any] | None,
    context: Any,
) -> Outcome:
    """Execute an operation of a valid document."""
    assert document.tree is not None  # noqa: S101 - a valid document has one
    options: dict[str, Any] = {"plans": document.plans} if issubclass(executor, BreadthFirst) else {}
    built = executor.build(
        schema,
        document.tree,
        context_value=context,
        raw_variable_values=variables,
        operation_name=operation_name,
        # It gives a bool where a TypeGuard is wanted.
        is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]
        hide_suggestions=True,
        **options,
    )
    if isinstance(built, list):
        return Outcome(None, built)
    found: Any = built.execute_operation()
    result = await found if isawaitable(found) else found
    return Outcome(result.data, result.errors or [], getattr(built, "objects", None))
