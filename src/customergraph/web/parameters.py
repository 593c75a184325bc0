"""The parameters of a GraphQL request over HTTP (GraphQL over HTTP, "Request Parameters")."""

from types import NoneType
from typing import Any

from graphql import OperationType
from starlette.requests import Request

from customergraph.errors import PersistedQueryNotSupported
from customergraph.gateway.document_files import plain_id
from customergraph.gateway.request import GraphQLRequest
from customergraph.settings import Settings
from customergraph.web import body
from customergraph.web.bad_request import BadRequest

_BY_GET = frozenset({OperationType.QUERY})
_BY_POST = _BY_GET | {OperationType.MUTATION}
_BY_STREAM = frozenset({OperationType.SUBSCRIPTION})
# A union of types would be made anew for each request.
_OBJECT_OR_NONE, _TEXT_OR_NONE = (dict, NoneType), (str, NoneType)


async def read(request: Request, settings: Settings, *, streams: bool = False) -> GraphQLRequest:
    """Read the parameters of a request, whose answer may be a stream; raises BadRequest for no GraphQL request."""
    more = _BY_STREAM if streams else frozenset()
    if request.method != "POST":
        return _checked(_of_query_string(request), _BY_GET | more)
    return _checked(await body.read(request, settings.body_limit, settings.body_timeout), _BY_POST | more)


def of_message(parameters: object) -> GraphQLRequest:
    """Return the request that a message of a WebSocket holds; raises BadRequest."""
    return _checked(parameters, _BY_POST | _BY_STREAM)


def of_body(parameters: object) -> GraphQLRequest:
    """Return the request that a JSON body of a POST holds; raises BadRequest."""
    return _checked(parameters, _BY_POST)


def _of_query_string(request: Request) -> dict[str, Any]:
    parameters: dict[str, Any] = dict(request.query_params)
    for name in ("variables", "extensions"):
        text = parameters.pop(name, None)
        if text:
            parameters[name] = body.parsed(text, f"`{name}`")
    return parameters


def _checked(parameters: object, kinds: frozenset[OperationType]) -> GraphQLRequest:
    if not isinstance(parameters, dict):
        raise BadRequest('The body must be a JSON object, like {"query": "{ project { name } }"}.')
    for name in ("variables", "extensions"):
        if not isinstance(parameters.get(name), _OBJECT_OR_NONE):
            raise BadRequest(f"`{name}` must be a JSON object.")
    operation_name = parameters.get("operationName")
    if not isinstance(operation_name, _TEXT_OR_NONE):
        raise BadRequest("`operationName` must be a string.")
    query = _query(parameters)
    document_id = _document_id(parameters)
    if query is None and document_id is None:
        raise BadRequest("`query` is missing: give the text of a GraphQL document.")
    return GraphQLRequest(
        query, parameters.get("variables"), operation_name or None, kinds, document_id, _explains(parameters)
    )


def _explains(parameters: dict[str, Any]) -> bool:
    explain = (parameters.get("extensions") or {}).get("explain", False)
    if not isinstance(explain, bool):
        raise BadRequest("`extensions.explain` must be true or false.")
    return explain


def _query(parameters: dict[str, Any]) -> str | None:
    query = parameters.get("query")
    if not isinstance(query, _TEXT_OR_NONE):
        raise BadRequest("`query` must be a string, the text of a GraphQL document.")
    return query if query and query.strip() else None


def _document_id(parameters: dict[str, Any]) -> str | None:
    """Return what stands for the document: the hash of Apollo's protocol, or the id of the draft's parameter."""
    persisted = (parameters.get("extensions") or {}).get("persistedQuery")
    if persisted is None:
        return _listed_id(parameters)
    if not isinstance(persisted, dict) or not isinstance(persisted.get("sha256Hash"), str):
        raise BadRequest("`extensions.persistedQuery` must be an object with `version` and `sha256Hash`.")
    if persisted.get("version") != 1:
        raise PersistedQueryNotSupported
    return str(persisted["sha256Hash"])


def _listed_id(parameters: dict[str, Any]) -> str | None:
    """Return `documentId` (GraphQL over HTTP, draft appendix "Persisted Documents"), which stands without `query`."""
    id_ = parameters.get("documentId")
    if id_ is None:
        return None
    if not isinstance(id_, str) or parameters.get("query") is not None:
        raise BadRequest("`documentId` must be a string, and stands in place of `query`.")
    return plain_id(id_)
