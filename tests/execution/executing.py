"""Runs one operation on either executor, and compares what they answer."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import OperationType

from customergraph.execution.breadth_first import BreadthFirst
from customergraph.execution.documents import Documents
from customergraph.execution.field_errors import Failed
from customergraph.execution.graphql_core import Place
from customergraph.execution.limits import Limits
from customergraph.execution.operation import Document, Execution, RequestErrors
from execution.small_schema import NATIVE, Faults, World, core

# As large as Hypothesis likes.
_LIMITS = Limits(fields=10**6, repeated_fields=10**6, aliases=10**6, aliases_of_a_field=10**6, directives=10**6)
BREADTH_FIRST = Documents(Execution(core, NATIVE), _LIMITS)
DEPTH_FIRST = Documents(Execution(core, NATIVE, breadth_first=False), _LIMITS)
WITHOUT_NATIVE_SCALARS = Documents(Execution(core, {}), _LIMITS)


@dataclass
class Executed:
    executor: Any
    data: Any
    errors: list[dict[str, Any]]
    world: World


def execute(
    documents: Documents, text: str, variables: dict[str, Any] | None = None, faults: Faults = frozenset()
) -> Executed:
    """Execute the only operation of a valid document in a world with these faults.

    A request that is refused before it is executed has no data, and no executor.
    """
    world = World(faults)

    async def run() -> Executed:
        document = await documents.read(text, None)
        assert isinstance(document, Document), document
        try:
            operation = document.prepare(None, variables, {OperationType.QUERY, OperationType.MUTATION})
        except RequestErrors as refused:
            return Executed(None, None, [dict(error.formatted) for error in refused.errors], world)
        executor = operation.executor(world)
        result = await executor.execute()
        # What graphql-core has given up goes on for a while.
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)
        data = None if result.data is None else orjson.loads(orjson.dumps(result.data))
        return Executed(executor, data, [dict(error.formatted) for error in result.errors or ()], world)

    return asyncio.run(run())


def breadth_first(text: str, variables: dict[str, Any] | None = None, faults: Faults = frozenset()) -> Executed:
    return execute(BREADTH_FIRST, text, variables, faults)


def assert_same(text: str, variables: dict[str, Any] | None = None, faults: Faults = frozenset()) -> Executed:
    """Assert that both executors answer alike; returns what the breadth-first one did.

    Where several errors null the same place, the specification lets one of them be told.
    The depth-first executor tells the first that happened: it has to be one of those that
    the other one met.
    """
    breadth = breadth_first(text, variables, faults)
    depth = execute(DEPTH_FIRST, text, variables, faults)
    operation = (text, variables, sorted(faults))
    assert orjson.dumps(breadth.data) == orjson.dumps(depth.data), operation
    if breadth.executor is None or depth.executor is None:
        assert breadth.errors == depth.errors, operation
        assert (breadth.executor, depth.executor) == (None, None), operation
        return breadth
    met = {place: list(_all(failed)) for failed, place in failures(breadth)}
    if all(len(failures) == 1 for failures in met.values()):
        assert breadth.errors == depth.errors, operation
        return breadth
    assert len(breadth.errors) == len(depth.errors), operation
    possible = [[dict(one.located().formatted) for one in failures] for failures in met.values()]
    for error in breadth.errors:
        assert any(error in errors for errors in possible), operation
    for error in depth.errors:
        alike = [errors for errors in possible if error in errors]
        assert any(one in errors for errors in alike for one in breadth.errors), operation
    return breadth


def _all(failed: Failed) -> Iterator[Failed]:
    yield failed
    for other in failed.others:
        yield from _all(other)


def failures(executed: Executed) -> list[tuple[Failed, Place]]:
    """Give what became null, and where; what is left to graphql-core has none of them."""
    executor = executed.executor
    return executor.failures if isinstance(executor, BreadthFirst) else []


def places(executed: Executed) -> set[Place]:
    return {place for _, place in failures(executed)}
