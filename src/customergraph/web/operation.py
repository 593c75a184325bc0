"""One operation: admitted, charged, executed within its time, and answered with its cost."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, OperationDefinitionNode, OperationType
from graphql.execution.values import VariableValues, get_variable_values

from customergraph.domain.principal import Scope
from customergraph.errors import BadRequest, LimitExceeded, RequestRefused, TimedOut, Unauthenticated
from customergraph.execution.cost import Cost, cost, counted
from customergraph.execution.documents import ERRORS_TOLD, Document
from customergraph.execution.limits import check_values
from customergraph.execution.run import Outcome, run
from customergraph.schema.context import Context
from customergraph.schema.errors import answered
from customergraph.schema.queries import executable
from customergraph.store.access import TokenUse
from customergraph.web.auth import STRANGER
from customergraph.web.gateway import Gateway

# How long a statement of the embedded store may take to notice that it is to stop.
INTERRUPTED_SECONDS = 0.5

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


@dataclass(slots=True)
class _Bill:
    requested: int = 0
    actual: int = 0


async def answer(gateway: Gateway, asked: GraphQLRequest, use: TokenUse, gone: Watch) -> Answer:
    """Execute an operation for a token; `gone` ends when the client does."""
    bill = _Bill()
    try:
        async with gateway.admission.turn():
            result = await _answered(gateway, asked, use, gone, bill)
    except RequestRefused as refused:
        error = GraphQLError(str(refused), original_error=refused)
        result = Answer({"errors": [answered(error, before_execution=False)]}, refused)
    result.objects = bill.actual
    result.body["extensions"] = cost_told(gateway, bill.requested, bill.actual)
    return result


def cost_told(gateway: Gateway, requested: int = 0, actual: int = 0) -> dict[str, Any]:
    """Tell what an operation cost; nothing for one that was sent away before it was read."""
    return {"cost": {"requested": requested, "actual": actual, "limit": gateway.settings.cost_limit}}


async def _answered(gateway: Gateway, asked: GraphQLRequest, use: TokenUse, gone: Watch, bill: _Bill) -> Answer:
    check_values(asked.variables, gateway.limits)
    document = await gateway.documents.read(asked.query)
    if document.tree is None:
        return _invalid(document)
    operation = document.operation(asked.operation_name)
    _require_kind(operation, asked)
    if document.errors:
        return _invalid(document)
    is_open = gateway.settings.open_introspection and document.only_introspects(operation)
    if not is_open:
        _require_scope(operation, use)
    reckoned = _reckoned(document, operation, asked)
    bill.requested = reckoned.requested
    if bill.requested > gateway.settings.cost_limit:
        raise LimitExceeded("cost", bill.requested, gateway.settings.cost_limit)
    await gateway.throttle.charge(use.token_id, bill.requested)
    try:
        async with Context(gateway.database, use.principal) as context:
            work = run(gateway.executor, executable, document, asked.operation_name, asked.variables, context)
            outcome = await _in_time(work, context, gone, gateway.settings.deadline)
            bill.actual = _actual(reckoned, operation, outcome)
    finally:
        await gateway.throttle.give_back(use.token_id, bill.requested - bill.actual)
    return Answer(_body(outcome))


def _invalid(document: Document) -> Answer:
    return Answer({"errors": [answered(error, before_execution=True) for error in document.errors]})


def _require_kind(operation: OperationDefinitionNode, asked: GraphQLRequest) -> None:
    if operation.operation is OperationType.SUBSCRIPTION:
        raise BadRequest("There are no subscriptions here: send a query or a mutation.")
    if operation.operation is OperationType.MUTATION and asked.by_get:
        raise BadRequest("Only queries can be sent by GET: send mutations by POST.", 405)


def _require_scope(operation: OperationDefinitionNode, use: TokenUse) -> None:
    if use is STRANGER:
        raise Unauthenticated(
            "Without a token the schema alone may be asked for: send `Authorization: Bearer <token>`."
        )
    # Mutations' actions judge who may do them.
    if operation.operation is OperationType.QUERY:
        use.principal.require(Scope.READ)


def _reckoned(document: Document, operation: OperationDefinitionNode, asked: GraphQLRequest) -> Cost:
    """Reckon the cost; nothing for variables that do not fit, with which nothing is executed."""
    if operation.variable_definitions:
        return _reckoned_with(asked, document, operation)
    name = operation.name.value if operation.name else None
    if name not in document.costs:
        document.costs[name] = _reckoned_with(asked, document, operation)
    return document.costs[name]


def _reckoned_with(asked: GraphQLRequest, document: Document, operation: OperationDefinitionNode) -> Cost:
    variables = get_variable_values(
        executable, operation.variable_definitions or (), asked.variables or {}, max_errors=1, hide_suggestions=True
    )
    if not isinstance(variables, VariableValues) or document.tree is None:
        return Cost()
    try:
        return cost(executable, document.tree, operation, variables)
    except GraphQLError:
        return Cost()


def _actual(reckoned: Cost, operation: OperationDefinitionNode, outcome: Outcome) -> int:
    is_counted = outcome.objects is not None and not outcome.errors
    if is_counted and operation.operation is OperationType.QUERY:
        return counted(outcome.objects or {})
    return reckoned.actual(outcome.data)


async def _in_time(work: Any, context: Context, gone: Watch, seconds: float) -> Outcome:
    """Await the work until its deadline, and while its client waits for it; then stop it, in the store too."""
    task: asyncio.Task[Outcome] = asyncio.ensure_future(work)
    watch = asyncio.ensure_future(gone())
    try:
        await asyncio.wait({task, watch}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            await context.interrupt()
            await asyncio.wait({task}, timeout=INTERRUPTED_SECONDS)
            is_gone = watch.done()
            task.cancel()
            await asyncio.wait({task})
            raise ClientGone if is_gone else TimedOut(seconds)
        return task.result()
    finally:
        task.cancel()
        watch.cancel()


def _body(result: Outcome) -> dict[str, Any]:
    errors = result.errors
    # Errors without a path came before execution: then there is no data at all, not even null.
    begun = not errors or any(error.path for error in errors)
    body: dict[str, Any] = {"data": result.data} if begun else {}
    if errors:
        body["errors"] = [
            answered(error, before_execution=False) for error in (errors if begun else errors[:ERRORS_TOLD])
        ]
    return body
