"""Runs one operation on either executor, and compares what they answer."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import ExecutionResult
from strawberry.execution import optimized_is_awaitable

from customergraph.execution.breadth_first import BreadthFirst
from customergraph.execution.documents import Document, Documents
from customergraph.execution.field_errors import DepthFirst, Failed, Place
from customergraph.execution.limits import Limits
from execution.small_schema import Executor, Faults, World, schema

core = schema._schema  # noqa: SLF001 - Strawberry shows it nowhere else
# As large as Hypothesis likes.
documents = Documents(core, Limits(fields=10**6, aliases=10**6, aliases_of_a_field=10**6, directives=10**6))


@dataclass
class Executed:
    executor: Any
    data: Any
    errors: list[dict[str, Any]]
    world: World


def read(text: str) -> Document:
    return asyncio.run(documents.read(text))


def execute(
    kind: type[DepthFirst], text: str, variables: dict[str, Any] | None = None, faults: Faults = frozenset()
) -> Executed:
    """Execute the only operation of a valid document in a world with these faults."""
    document = read(text)
    assert document.tree, document.errors
    assert not document.errors, document.errors
    world = World(faults)
    options: dict[str, Any] = {"plans": document.plans} if issubclass(kind, BreadthFirst) else {}
    executor = kind.build(
        core,
        document.tree,
        context_value=world,
        raw_variable_values=variables or {},
        is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]
        **options,
    )
    assert not isinstance(executor, list), executor

    async def run() -> ExecutionResult:
        result: Any = executor.execute_operation()
        answer: ExecutionResult = await result if optimized_is_awaitable(result) else result
        # What graphql-core has given up goes on for a while.
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)
        return answer

    result = asyncio.run(run())
    data = None if result.data is None else orjson.loads(orjson.dumps(result.data))
    return Executed(executor, data, [dict(error.formatted) for error in result.errors or ()], world)


def breadth_first(text: str, variables: dict[str, Any] | None = None, faults: Faults = frozenset()) -> Executed:
    return execute(Executor, text, variables, faults)


def assert_same(text: str, variables: dict[str, Any] | None = None, faults: Faults = frozenset()) -> Executed:
    """Assert that both executors answer alike; gives what the breadth-first one did.

    Where several errors null the same place, the specification lets one of them be told.
    The depth-first executor tells the first that happened: it has to be one of those that
    the other one met.
    """
    ours, theirs = breadth_first(text, variables, faults), execute(DepthFirst, text, variables, faults)
    asked = (text, variables, sorted(faults))
    assert orjson.dumps(ours.data) == orjson.dumps(theirs.data), asked
    met = {place: list(_all(failed)) for failed, place in ours.executor.failures}
    if all(len(failures) == 1 for failures in met.values()):
        assert ours.errors == theirs.errors, asked
        return ours
    assert len(ours.errors) == len(theirs.errors), asked
    possible = [[dict(one.located().formatted) for one in failures] for failures in met.values()]
    for error in ours.errors:
        assert any(error in errors for errors in possible), asked
    for error in theirs.errors:
        alike = [errors for errors in possible if error in errors]
        assert any(one in errors for errors in alike for one in ours.errors), asked
    return ours


def _all(failed: Failed) -> Iterator[Failed]:
    yield failed
    for other in failed.others:
        yield from _all(other)


def places(executed: Executed) -> set[Place]:
    return {place for _, place in executed.executor.failures}
