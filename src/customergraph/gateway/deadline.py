"""The execution of an operation until it ends, its deadline passes, or its client disconnects."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from graphql import OperationType

from customergraph.errors import RequestRefused, TimedOut
from customergraph.execution.operation import Operation, Result
from customergraph.gateway.request import ClientDisconnected, Disconnected
from customergraph.schema.context import Context
from customergraph.schema.errors import Change, MutationFailed

# How long a statement of the embedded store may go on after it was told to stop.
INTERRUPTED_SECONDS = 0.5


async def run_in_time(operation: Operation, context: Context, disconnected: Disconnected, seconds: float) -> Result:
    """Run an operation. When it may not go on, stop it, in the store too.

    Raises ClientDisconnected, and TimedOut for a deadline. Of several mutations whose first ones are
    done at the deadline, those have their results and the others an error each.
    """
    task = asyncio.ensure_future(operation.run(context))
    watch = asyncio.ensure_future(disconnected())
    try:
        with _mutation_faults(operation, context):
            await asyncio.wait({task, watch}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                await _stop(task, context, seconds)
                if watch.done():
                    raise ClientDisconnected
                if task.cancelled() or not _has_some_changes(operation, context):
                    raise TimedOut(seconds, done=_all_done(operation, context))
            return task.result()
    finally:
        task.cancel()
        watch.cancel()


async def _stop(task: "asyncio.Task[Result]", context: Context, seconds: float) -> None:
    """Fail what the operation still has to do, so that it ends; cancel it if it does not."""
    await context.stop(lambda done: TimedOut(seconds, done=done))
    await asyncio.wait({task}, timeout=INTERRUPTED_SECONDS)
    if not context.is_committing:
        task.cancel()
    await asyncio.wait({task})


@contextmanager
def _mutation_faults(operation: Operation, context: Context) -> Iterator[None]:
    """Let a fault in a mutation say whether its changes were made."""
    try:
        yield
    except (RequestRefused, ClientDisconnected):
        raise
    except Exception as error:
        if operation.kind is not OperationType.MUTATION:
            raise
        raise MutationFailed(Change(_all_done(operation, context))) from error


def _mutations(operation: Operation) -> int:
    names = [planned.details[0].node.name.value for planned in operation.plan.root.fields]
    return sum(not name.startswith("__") for name in names)


def _all_done(operation: Operation, context: Context) -> bool | None:
    return context.all_done(_mutations(operation))


def _has_some_changes(operation: Operation, context: Context) -> bool:
    """Return whether only some of several mutations are done."""
    return _mutations(operation) > 1 and context.has_change
