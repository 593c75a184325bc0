"""The execution of an operation until it ends, its deadline passes, or its client disconnects."""

import asyncio
from enum import Enum, auto
from types import TracebackType

from graphql import OperationType

from customergraph.errors import RequestRefused, TimedOut
from customergraph.execution.operation import Operation
from customergraph.gateway.request import ClientDisconnected, Disconnected
from customergraph.schema.context import Context
from customergraph.schema.errors import Change, MutationFailed

# How long a statement of the embedded store may go on after it was told to stop.
INTERRUPTED_SECONDS = 0.5
# Most operations end before it is worth while to look whether their clients are still there.
WATCH_AFTER_SECONDS = 0.05


class _Reason(Enum):
    DEADLINE = auto()
    DISCONNECTED = auto()


class InTime:
    """A block in which an operation runs. When it may not go on, it is stopped, in the store too.

    Raises ClientDisconnected, and TimedOut at the deadline. Of several mutations whose first ones are
    done at the deadline, those have their results and the others an error each.
    """

    # Timers cost less than tasks, and most operations need no more.
    __slots__ = (
        "_context",
        "_disconnected",
        "_has_canceled",
        "_operation",
        "_reason",
        "_seconds",
        "_task",
        "_tasks",
        "_timers",
    )

    def __init__(self, operation: Operation, context: Context, disconnected: Disconnected, seconds: float) -> None:
        self._operation = operation
        self._context = context
        self._disconnected = disconnected
        self._seconds = seconds
        self._reason: _Reason | None = None
        self._has_canceled = False
        self._tasks: list[asyncio.Task[None]] = []

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        self._task = asyncio.current_task(loop)
        self._timers = (
            loop.call_later(self._seconds, self._stop, _Reason.DEADLINE),
            loop.call_later(WATCH_AFTER_SECONDS, self._watch),
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for timer in self._timers:
            timer.cancel()
        for task in self._tasks:
            task.cancel()
        if isinstance(error, asyncio.CancelledError):
            if not self._is_own_cancellation():
                return
        elif isinstance(error, Exception) and self._reason is None:
            _raise_failed_mutation(error, self._operation, self._context)
        if self._reason is _Reason.DISCONNECTED:
            raise ClientDisconnected from None
        if self._reason is _Reason.DEADLINE and (error or not _has_some_changes(self._operation, self._context)):
            raise TimedOut(self._seconds, done=_all_done(self._operation, self._context)) from None

    def _is_own_cancellation(self) -> bool:
        """Return whether the task was canceled here, and by nobody else; then it goes on."""
        return self._has_canceled and self._task is not None and self._task.uncancel() == 0

    def _watch(self) -> None:
        watch = asyncio.ensure_future(self._disconnected())
        watch.add_done_callback(self._notice_disconnected)
        self._tasks.append(watch)

    def _notice_disconnected(self, watch: "asyncio.Task[None]") -> None:
        if not watch.cancelled() and watch.exception() is None:
            self._stop(_Reason.DISCONNECTED)

    def _stop(self, reason: _Reason) -> None:
        if self._reason is None:
            self._reason = reason
            self._tasks.append(asyncio.ensure_future(self._stop_operation()))

    async def _stop_operation(self) -> None:
        """Fail what the operation still has to do, so that it ends; cancel it if it does not."""
        await self._context.stop(lambda done: TimedOut(self._seconds, done=done))
        await asyncio.sleep(INTERRUPTED_SECONDS)
        if not self._context.is_committing and self._task is not None:
            self._has_canceled = True
            self._task.cancel()


def _raise_failed_mutation(error: Exception, operation: Operation, context: Context) -> None:
    """For a fault in a mutation raise an error that says whether its changes were made."""
    if operation.kind is OperationType.MUTATION and not isinstance(error, RequestRefused):
        raise MutationFailed(Change(_all_done(operation, context))) from error


def _mutations(operation: Operation) -> int:
    names = [planned.details[0].node.name.value for planned in operation.plan.root.fields]
    return sum(not name.startswith("__") for name in names)


def _all_done(operation: Operation, context: Context) -> bool | None:
    return context.all_done(_mutations(operation))


def _has_some_changes(operation: Operation, context: Context) -> bool:
    """Return whether only some of several mutations are done."""
    return _mutations(operation) > 1 and context.has_change
