"""Executes one operation in both ways, and compares the answers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import OperationType

from customergraph.execution.cost import counted
from customergraph.execution.documents import Documents
from customergraph.execution.leaves import Unsure
from customergraph.execution.limits import Limits
from customergraph.execution.operation import Document, Execution, Operation, RequestErrors, Result
from customergraph.web.encoding import in_pieces
from execution.small_schema import NATIVE, Faults, World, core

# As large as Hypothesis likes.
_LIMITS = Limits(
    fields=10**6,
    repeated_fields=10**6,
    aliases=10**6,
    aliases_of_a_field=10**6,
    directives=10**6,
    name_characters=10**6,
)
COMPILED = Documents(Execution(core, NATIVE), _LIMITS)
GRAPHQL_CORE = Documents(Execution(core, NATIVE, compiles=False), _LIMITS)
WITHOUT_NATIVE_SCALARS = Documents(Execution(core, {}), _LIMITS)

Run = Callable[[Operation, World], Awaitable[Result]]


@dataclass
class Executed:
    data: Any
    errors: list[dict[str, Any]]
    # The actual cost.
    objects: int
    world: World
    # Whether the compiled plan was sure of the answer.
    is_compiled: bool = False


async def _general(operation: Operation, world: World) -> Result:
    return await operation.run(world)


async def _compiled(operation: Operation, world: World) -> Result:
    """Execute a compiled plan without the general way behind it; raises Unsure, also where nothing was compiled."""
    if operation.planned.compiled is None:
        raise Unsure
    data, objects = await operation.planned.compiled.execute(operation.definitions.schema, operation.variables, world)
    # The connection was given back with the last of what was read, and with nothing before.
    assert True not in world.reads.lasts[:-1]
    return Result(data, [], counted(objects) + operation.cost.prices.actual(data))


def execute(
    documents: Documents,
    text: str,
    variables: dict[str, Any] | None = None,
    faults: Faults = frozenset(),
    run: Run = _general,
    *,
    links: bool = True,
) -> Executed:
    """Execute the only operation of a valid document in a world with these faults.

    A request that is refused before it is executed has no data.
    """
    world = World(faults, links=links)

    async def executed() -> Executed:
        document = await documents.read(text, None)
        assert isinstance(document, Document), document
        try:
            operation = document.prepare(None, variables, {OperationType.QUERY, OperationType.MUTATION})
        except RequestErrors as refused:
            return Executed(None, [dict(error.formatted) for error in refused.errors], 0, world)
        result = await run(operation, world)
        # What graphql-core has given up goes on for a while.
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)
        written = orjson.dumps({"data": result.data})
        # A large answer is taken apart while it is written: nothing of it may stand at two places.
        assert b"".join(await in_pieces({"data": result.data})) == written
        data = orjson.loads(written)["data"]
        return Executed(data, [dict(error.formatted) for error in result.errors], result.objects, world)

    return asyncio.run(executed())


def compiled(
    text: str, variables: dict[str, Any] | None = None, faults: Faults = frozenset(), *, links: bool = True
) -> Executed | None:
    """Execute an operation by its compiled plan alone; None where that is not sure of the answer."""
    try:
        return execute(COMPILED, text, variables, faults, _compiled, links=links)
    except Unsure:
        return None


def assert_same(text: str, variables: dict[str, Any] | None = None, faults: Faults = frozenset()) -> Executed:
    """Assert that both ways answer alike, and that a compiled plan is sure of nothing but the right answer."""
    ours = execute(COMPILED, text, variables, faults)
    theirs = execute(GRAPHQL_CORE, text, variables, faults)
    asked = (text, variables, sorted(faults))
    assert orjson.dumps([ours.data, ours.errors]) == orjson.dumps([theirs.data, theirs.errors]), asked
    assert ours.objects == theirs.objects, asked
    at_once, by_level = (compiled(text, variables, faults, links=links) for links in (True, False))
    for alone in (at_once, by_level):
        if alone is not None:
            assert orjson.dumps(alone.data) == orjson.dumps(theirs.data), asked
            assert theirs.errors == alone.errors, asked
            assert alone.objects == theirs.objects, asked
    if by_level is not None:
        assert len(by_level.world.batches) <= len(theirs.world.batches), asked
    ours.is_compiled = at_once is not None and by_level is not None
    return ours
