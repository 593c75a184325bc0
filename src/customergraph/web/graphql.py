"""GraphQL over HTTP: a request becomes an operation, and what came of it an answer."""

from dataclasses import dataclass
from typing import Any

import orjson
from graphql import ExecutionResult, GraphQLError
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.execution import ExecutionResult as StrawberryResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from customergraph.errors import (
    BadRequest,
    OperationUnresolved,
    RequestRefused,
    StoreUnavailable,
    Unauthenticated,
)
from customergraph.schema.context import Context
from customergraph.schema.errors import answered
from customergraph.schema.queries import schema
from customergraph.store import access
from customergraph.store.database import Database
from customergraph.web.auth import authenticated

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"

ALL_OPERATIONS = frozenset({OperationType.QUERY, OperationType.MUTATION})
BY_GET = frozenset({OperationType.QUERY})


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """The parameters of a GraphQL request, of the right types."""

    query: str
    variables: dict[str, Any] | None
    operation_name: str | None

    @classmethod
    def of(cls, parameters: object) -> "GraphQLRequest":
        """Check what was sent; raises BadRequest for what is no GraphQL request."""
        if not isinstance(parameters, dict):
            raise BadRequest('The body must be a JSON object, like {"query": "{ project { name } }"}.')
        query = parameters.get("query")
        if not isinstance(query, str) or not query.strip():
            raise BadRequest("`query` is missing: give the text of a GraphQL document.")
        variables = parameters.get("variables")
        if variables is not None and not isinstance(variables, dict):
            raise BadRequest("`variables` must be a JSON object.")
        operation_name = parameters.get("operationName")
        if operation_name is not None and not isinstance(operation_name, str):
            raise BadRequest("`operationName` must be a string.")
        return cls(query, variables, operation_name or None)


async def graphql(request: Request) -> Response:
    """Answer one GraphQL request."""
    database: Database = request.app.state.database
    use = await authenticated(request, database)
    by_get = request.method == "GET"
    asked = _from_address(request) if by_get else await _from_body(request)
    async with Context(database, use.principal) as context:
        result = await _executed(asked, context, by_get=by_get)
        response = _response(result, request)
    if use.to_be_noted:
        response.background = BackgroundTask(access.note_use, database, use.token_id)
    return response


async def refused(request: Request, error: Exception) -> Response:
    """Answer a request that could not be executed."""
    status, headers = _status(error)
    cause = GraphQLError(str(error), original_error=error)
    body = {"errors": [answered(cause, before_execution=False)]}
    return Response(orjson.dumps(body), status, headers, media_type=_media_type(request))


def _status(error: Exception) -> tuple[int, dict[str, str]]:
    if isinstance(error, Unauthenticated):
        return 401, {"WWW-Authenticate": "Bearer"}
    if isinstance(error, BadRequest):
        return error.status, {"Allow": "POST"} if error.status == 405 else {}  # noqa: PLR2004
    if isinstance(error, StoreUnavailable):
        return 503, {}
    return (400 if isinstance(error, RequestRefused) else 500), {}


async def _from_body(request: Request) -> GraphQLRequest:
    content_type, _, parameter = request.headers.get("content-type", "").lower().partition(";")
    if content_type.strip() != JSON or ("charset" in parameter and "utf-8" not in parameter):
        raise BadRequest(f"The body must be of Content-Type: {JSON}, in UTF-8.", 415)
    return GraphQLRequest.of(_json(await request.body(), "The body"))


def _from_address(request: Request) -> GraphQLRequest:
    parameters: dict[str, Any] = dict(request.query_params)
    if parameters.get("variables"):
        parameters["variables"] = _json(parameters["variables"], "`variables`")
    else:
        parameters.pop("variables", None)
    return GraphQLRequest.of(parameters)


def _json(text: str | bytes, name: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"{name} is not JSON in UTF-8: {error}.") from None


async def _executed(asked: GraphQLRequest, context: Context, *, by_get: bool) -> StrawberryResult | ExecutionResult:
    try:
        return await schema.execute(
            asked.query,
            variable_values=asked.variables,
            context_value=context,
            operation_name=asked.operation_name,
            allowed_operation_types=BY_GET if by_get else ALL_OPERATIONS,
        )
    except InvalidOperationTypeError:
        if by_get:
            raise BadRequest("Only queries can be sent by GET: send mutations by POST.", 405) from None
        raise BadRequest("There are no subscriptions here: send a query or a mutation.") from None
    except CannotGetOperationTypeError:
        raise OperationUnresolved("`operationName` names no operation of the document.") from None


def _response(result: StrawberryResult | ExecutionResult, request: Request) -> Response:
    errors = result.errors or []
    # Errors without a path came before execution: then there is no data at all, not even null.
    before_execution = isinstance(result, PreExecutionError)
    started = not before_execution and (not errors or any(error.path for error in errors))
    answer: dict[str, Any] = {"data": result.data} if started else {}
    if errors:
        answer["errors"] = [answered(error, before_execution=before_execution) for error in errors]
    media_type = _media_type(request)
    status = 200 if started or media_type == JSON else 400
    return Response(orjson.dumps(answer), status, media_type=media_type)


def _media_type(request: Request) -> str:
    """Choose the answer's media type: the specification's own where it is asked for, else plain JSON."""
    accepted = request.headers.get("accept", "").lower()
    return GRAPHQL_JSON if GRAPHQL_JSON in accepted else JSON
