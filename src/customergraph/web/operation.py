"""One operation: admitted, charged, executed within its time, and answered with its cost."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, OperationType

from customergraph.domain.principal import Scope
from customergraph.errors import (
    BadRequest,
    LimitExceeded,
    OperationKindRefused,
    Overloaded,
    RequestRefused,
    TimedOut,
    Unauthenticated,
)
from customergraph.execution.documents import AnyDocument
from customergraph.execution.limits import check_values
from customergraph.execution.operation import Operation, RequestErrors, Result
from customergraph.schema.context import Context
from customergraph.schema.errors import Change, MutationFailed, format_error
from customergraph.schema.mutations.scopes import require_scopes
from customergraph.store.access import AuthenticatedToken
from customergraph.web.admission import AdmittedTurn
from customergraph.web.auth import ANONYMOUS
from customergraph.web.gateway import Gateway
from customergraph.web.throttle import Charge

# How long a statement of the embedded store may take to notice that it is to stop.
INTERRUPTED_SECONDS = 0.5

_BY_GET = frozenset({OperationType.QUERY})
_BY_POST = _BY_GET | {OperationType.MUTATION}

Watch = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """The parameters of a GraphQL request, of the right types."""

    query: str
    variables: dict[str, Any] | None
    operation_name: str | None
    by_get: bool

    @classmethod
    def of(cls, parameters: object, *, by_get: bool) -> "GraphQLRequest":
        """Check what was sent; raises BadRequest for what is no GraphQL request."""
        if not isinstance(parameters, dict):
            raise BadRequest('The body must be a JSON object, like {"query": "{ project { name } }"}.')
        query = parameters.get("query")
        if not isinstance(query, str) or not query.strip():
            raise BadRequest("`query` is missing: give the text of a GraphQL document.")
        for name in ("variables", "extensions"):
            if not isinstance(parameters.get(name), dict | None):
                raise BadRequest(f"`{name}` must be a JSON object.")
        operation_name = parameters.get("operationName")
        if not isinstance(operation_name, str | None):
            raise BadRequest("`operationName` must be a string.")
        return cls(query, parameters.get("variables"), operation_name or None, by_get)

    @property
    def kinds(self) -> frozenset[OperationType]:
        """The kinds of operation that may come this way."""
        return _BY_GET if self.by_get else _BY_POST


@dataclass(slots=True)
class Answer:
    """What an operation is answered; `refused` says why it was not begun, `objects` how many it gave."""

    body: dict[str, Any]
    refused: RequestRefused | None = None
    objects: int = 0

    @property
    def is_begun(self) -> bool:
        return "data" in self.body


class ClientGone(Exception):
    """The client went away before its operation ended; nobody waits for an answer."""


async def answer(gateway: Gateway, request: GraphQLRequest, use: AuthenticatedToken, gone: Watch) -> Answer:
    """Execute an operation for a token; `gone` ends when the client does."""
    charge = Charge()
    try:
        async with gateway.admission.turn(use.token_id) as turn:
            result = await _executed(gateway, request, use, gone, charge, turn)
    except RequestErrors as refused:
        before = refused.before_execution
        result = Answer({"errors": [format_error(error, before_execution=before) for error in refused.errors]})
    except RequestRefused as refused:
        error = GraphQLError(str(refused), original_error=refused)
        result = Answer({"errors": [format_error(error, before_execution=False)]}, refused)
    result.objects = charge.actual
    result.body["extensions"] = cost_told(gateway, charge.requested, charge.actual)
    return result


def cost_told(gateway: Gateway, requested: int = 0, actual: int = 0) -> dict[str, Any]:
    """Tell what an operation cost; nothing for one that was sent away before it was read."""
    return {"cost": {"requested": requested, "actual": actual, "limit": gateway.settings.cost_limit}}


async def _executed(
    gateway: Gateway, request: GraphQLRequest, use: AuthenticatedToken, gone: Watch, charge: Charge, turn: AdmittedTurn
) -> Answer:
    check_values(request.variables, gateway.limits)
    document = await _read(gateway, request.query, use, gone)
    operation = _prepared(document, request, hide_suggestions=use is ANONYMOUS)
    _require_scope(gateway, operation, use)
    charge.requested = operation.cost.requested
    if charge.requested > gateway.settings.cost_limit:
        raise LimitExceeded("COST_LIMIT", "objects that it may return", charge.requested, gateway.settings.cost_limit)
    if operation.kind is OperationType.MUTATION:
        await turn.write()
    new_context = Context(gateway.database, use.principal, use.token_id)
    async with gateway.throttle.charged(use.token_id, charge), new_context as context:
        with _faults_of(operation, context), gateway.stoppable(context):
            result = await _in_time(operation, context, gone, gateway.settings.deadline)
            charge.actual = result.objects
            return Answer(_body(result, operation, context))


async def _read(gateway: Gateway, text: str, use: AuthenticatedToken, gone: Watch) -> AnyDocument:
    """Give the document of a text; one that is new waits for its token's turn, and no longer than its client."""
    document = gateway.documents.remembered(text)
    if document is not None:
        return document
    reading = asyncio.ensure_future(gateway.documents.read(text, use.token_id))
    watch = asyncio.ensure_future(gone())
    try:
        await asyncio.wait({reading, watch}, timeout=gateway.settings.deadline, return_when=asyncio.FIRST_COMPLETED)
        if not reading.done():
            raise ClientGone if watch.done() else Overloaded
        return reading.result()
    finally:
        reading.cancel()
        watch.cancel()


def _prepared(document: AnyDocument, request: GraphQLRequest, *, hide_suggestions: bool) -> Operation:
    try:
        return document.prepare(
            request.operation_name, request.variables, request.kinds, hide_suggestions=hide_suggestions
        )
    except OperationKindRefused as refused:
        if refused.kind == OperationType.SUBSCRIPTION.value:
            raise BadRequest("There are no subscriptions here: send a query or a mutation.") from None
        raise BadRequest("Only queries can be sent by GET: send mutations by POST.", 405) from None


def _require_scope(gateway: Gateway, operation: Operation, use: AuthenticatedToken) -> None:
    if gateway.settings.open_introspection and operation.only_introspects:
        return
    if use is ANONYMOUS:
        raise Unauthenticated(
            "Without a token the schema alone may be asked for: send `Authorization: Bearer <token>`."
        )
    if operation.kind is OperationType.QUERY:
        use.principal.require(Scope.READ)
    else:
        # Of all mutations, before the first of them begins.
        require_scopes(use.principal, operation.root_fields)


@contextmanager
def _faults_of(operation: Operation, context: Context) -> Iterator[None]:
    """Let a fault in a mutation say whether its changes were made."""
    try:
        yield
    except (RequestRefused, ClientGone):
        raise
    except Exception as error:
        if operation.kind is not OperationType.MUTATION:
            raise
        raise MutationFailed(Change(_all_done(operation, context))) from error


def _all_done(operation: Operation, context: Context) -> bool | None:
    names = [planned.details[0].node.name.value for planned in operation.plan.root.fields]
    return context.all_done(sum(not name.startswith("__") for name in names))


async def _in_time(operation: Operation, context: Context, gone: Watch, seconds: float) -> Result:
    """Await the work until its deadline, and while its client waits for it; then stop it, in the store too."""
    task = asyncio.ensure_future(operation.run(context))
    watch = asyncio.ensure_future(gone())
    try:
        await asyncio.wait({task, watch}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            await context.interrupt()
            await asyncio.wait({task}, timeout=INTERRUPTED_SECONDS)
            is_gone = watch.done()
            task.cancel()
            await asyncio.wait({task})
            raise ClientGone if is_gone else TimedOut(seconds, done=_all_done(operation, context))
        return task.result()
    finally:
        task.cancel()
        watch.cancel()


def _body(result: Result, operation: Operation, context: Context) -> dict[str, Any]:
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = [
            format_error(error, before_execution=False, change=_change(error, operation, context))
            for error in result.errors
        ]
    return body


def _change(error: GraphQLError, operation: Operation, context: Context) -> Change | None:
    """Give the change of the mutation field that an error stands in."""
    if operation.kind is not OperationType.MUTATION or not error.path:
        return None
    return Change(context.is_done(error.path[0]))
