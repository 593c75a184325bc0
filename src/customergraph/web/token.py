"""Whose token a request carries."""

import orjson
from starlette.requests import Request
from starlette.responses import Response

from customergraph.gateway.gateway import Gateway
from customergraph.gateway.holder import holder
from customergraph.schema.scalars import JSON_OPTIONS
from customergraph.web import auth
from customergraph.web.graphql import record_of, refused
from customergraph.web.media_types import JSON


async def token(request: Request) -> Response:
    """Answer with the project and the scopes of the request's token."""
    gateway: Gateway = request.app.state.gateway
    try:
        body = await holder(gateway, await gateway.tokens.of(auth.secret(request), record_of(request)))
    except Exception as error:  # noqa: BLE001 - answered here, as a GraphQL request is
        return await refused(request, error)
    return Response(orjson.dumps(body, option=JSON_OPTIONS), headers={"Cache-Control": "no-store"}, media_type=JSON)
