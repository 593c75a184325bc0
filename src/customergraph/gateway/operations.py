"""The way of an operation: admitted, prepared, authorized, charged, executed within its time, and answered."""

import asyncio
import time
from typing import Any

from graphql import GraphQLError, OperationType

from customergraph.domain.feed import FeedReader
from customergraph.domain.principal import Scope
from customergraph.errors import LimitExceeded, Overloaded, RequestRefused, Unauthenticated
from customergraph.execution.documents import AnyDocument
from customergraph.execution.limits import check_values
from customergraph.execution.operation import Operation, RequestErrors, Result
from customergraph.gateway.admission import AdmittedTurn
from customergraph.gateway.deadline import InTime
from customergraph.gateway.explanation import statements_of
from customergraph.gateway.gateway import ANONYMOUS, Gateway
from customergraph.gateway.record import Record
from customergraph.gateway.request import Answer, ClientDisconnected, Disconnected, GraphQLRequest
from customergraph.gateway.throttle import BucketState, Charge
from customergraph.schema.context import Context
from customergraph.schema.errors import Change, format_error
from customergraph.schema.mutations.scopes import require_scopes
from customergraph.store.access import AuthenticatedToken


async def execute(
    gateway: Gateway, request: GraphQLRequest, token: AuthenticatedToken, disconnected: Disconnected, record: Record
) -> Answer:
    """Execute the operation of a request, unless it is refused, and record it. Raises ClientDisconnected."""
    charge = record.charge
    turn = gateway.admission.turn(token.token_id)
    try:
        async with turn:
            operation = await _prepare(gateway, request, token, disconnected, record)
            _require_affordable(gateway, operation, charge)
            if request.explains:
                answer = _explained(gateway, operation, token)
            elif operation.kind is OperationType.SUBSCRIPTION:
                answer = Answer({}, subscription=operation)
            else:
                answer = await charge_and_run(gateway, operation, token, disconnected, record, turn)
    except RequestErrors as errors:
        before = errors.before_execution
        answer = Answer({"errors": [format_error(error, before_execution=before) for error in errors.errors]})
    except RequestRefused as refusal:
        answer = refused(refusal)
    except ClientDisconnected:
        record.is_canceled = True
        raise
    finally:
        record.waited = turn.waited
    await complete(gateway, answer, token, record)
    return answer


def refused(refusal: RequestRefused) -> Answer:
    """Answer an operation that may not run."""
    error = GraphQLError(str(refusal), original_error=refusal)
    return Answer({"errors": [format_error(error, before_execution=False)]}, refusal)


async def complete(gateway: Gateway, answer: Answer, token: AuthenticatedToken, record: Record) -> None:
    """Record the errors of an answer, and add what it cost."""
    record.errors = answer.body.get("errors", ())
    answer.objects = record.charge.actual
    answer.bucket = await gateway.throttle.state(token.token_id, record.charge)
    answer.body.setdefault("extensions", {}).update(cost_extension(gateway, record.charge, answer.bucket))


def cost_extension(gateway: Gateway, charge: Charge, bucket: BucketState | None = None) -> dict[str, Any]:
    """Return what an answer says of its cost, and of the bucket that it was charged to."""
    cost: dict[str, Any] = {
        "requested": charge.requested,
        "actual": charge.actual,
        "limit": gateway.settings.cost_limit,
    }
    if bucket:
        cost["throttle"] = {
            "capacity": bucket.rate.capacity,
            "refillPerSecond": bucket.rate.refill,
            "available": bucket.available,
        }
    return {"cost": cost}


async def _prepare(
    gateway: Gateway, request: GraphQLRequest, token: AuthenticatedToken, disconnected: Disconnected, record: Record
) -> Operation:
    """Read the document and prepare its operation. Raises RequestRefused or RequestErrors for what may not run."""
    check_values(request.variables, gateway.limits)
    text = gateway.persisted.text(request, token.principal.project_id)
    record.text = text
    document = gateway.documents.remembered(text)
    record.document_was_known = document is not None
    if document is None:
        started = time.perf_counter()
        document = await _read(gateway, text, token, disconnected)
        record.read_at = started, time.perf_counter()
    record.sha256, record.definition = document.sha256, document.definition(request.operation_name)
    operation = document.prepare(
        request.operation_name, request.variables, request.kinds, hide_suggestions=token is ANONYMOUS
    )
    _require_scope(gateway, operation, token)
    gateway.persisted.keep(request, token.principal.project_id)
    return operation


async def _read(gateway: Gateway, text: str, token: AuthenticatedToken, disconnected: Disconnected) -> AnyDocument:
    """Read a new document in its token's turn, no longer than until the deadline or until the client disconnects."""
    reading = asyncio.ensure_future(gateway.documents.read(text, token.token_id))
    watch = asyncio.ensure_future(disconnected())
    try:
        await asyncio.wait({reading, watch}, timeout=gateway.settings.deadline, return_when=asyncio.FIRST_COMPLETED)
        if not reading.done():
            raise ClientDisconnected if watch.done() else Overloaded
        return reading.result()
    finally:
        reading.cancel()
        watch.cancel()


def _require_scope(gateway: Gateway, operation: Operation, token: AuthenticatedToken) -> None:
    if gateway.settings.open_introspection and operation.only_introspects:
        return
    if token is ANONYMOUS:
        raise Unauthenticated(
            "Without a token the schema alone may be asked for: send `Authorization: Bearer <token>`."
        )
    if operation.kind is not OperationType.MUTATION:
        token.principal.require(Scope.READ)
    else:
        # Of all mutations, before the first of them begins.
        require_scopes(token.principal, operation.root_fields)


def _require_affordable(gateway: Gateway, operation: Operation, charge: Charge) -> None:
    charge.requested = operation.cost.requested
    if charge.requested > gateway.settings.cost_limit:
        raise LimitExceeded("COST_LIMIT", "objects that it may return", charge.requested, gateway.settings.cost_limit)


def _explained(gateway: Gateway, operation: Operation, token: AuthenticatedToken) -> Answer:
    """Answer how many statements an operation takes, which is neither charged nor run."""
    context = Context(gateway.database, token.principal, token.token_id)
    return Answer({"data": None, "extensions": {"explain": {"statements": statements_of(operation, context)}}})


async def charge_and_run(
    gateway: Gateway,
    operation: Operation,
    token: AuthenticatedToken,
    disconnected: Disconnected,
    record: Record,
    turn: AdmittedTurn,
    feed_reader: FeedReader | None = None,
) -> Answer:
    """Execute an operation, or an event of a subscription by its reader, in its turn and within its time."""
    charge = record.charge
    if operation.kind is OperationType.MUTATION:
        await turn.write()
    await gateway.throttle.take(token.token_id, charge)
    context = Context(gateway.database, token.principal, token.token_id, record.usage, feed_reader)
    # `stop` reaches it while it runs.
    gateway.running.add(context)
    try:
        with InTime(operation, context, disconnected, gateway.settings.deadline):
            result = await operation.run(context)
        charge.actual = result.objects
        record.objects = result.objects
        return Answer(_body(result, operation, context))
    finally:
        record.user_errors = context.user_errors
        gateway.running.discard(context)
        gateway.throttle.refund(token.token_id, charge)
        await context.close()


def _body(result: Result, operation: Operation, context: Context) -> dict[str, Any]:
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = [
            format_error(error, before_execution=False, change=_change(error, operation, context))
            for error in result.errors
        ]
    return body


def _change(error: GraphQLError, operation: Operation, context: Context) -> Change | None:
    """Return the change of the mutation field that an error stands in."""
    if operation.kind is not OperationType.MUTATION or not error.path:
        return None
    return Change(context.is_done(error.path[0]))
