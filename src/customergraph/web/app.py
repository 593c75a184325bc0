"""The application: its routes and middleware, as lists."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from customergraph import logs
from customergraph.errors import BadRequest
from customergraph.settings import Settings
from customergraph.web import graphiql
from customergraph.web.garbage import leave_out_what_stays
from customergraph.web.gateway import Gateway
from customergraph.web.graphql import graphql, refused
from customergraph.web.health import healthz, readyz
from customergraph.web.request_id import HEADER, RequestId

COMPRESSED_FROM_BYTES = 1000
# How long a thread that computes, as the reader of documents does, keeps the event loop waiting.
SWITCH_SECONDS = 0.001


def create_app(settings: Settings, *, shown_token: str | None = None) -> Starlette:
    """Make the application over the configured store; `shown_token` stands ready in GraphiQL."""
    logs.configure()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        sys.setswitchinterval(SWITCH_SECONDS)
        app.state.gateway = Gateway.of(settings)
        yield
        await app.state.gateway.close()

    async def endpoint(request: Request) -> Response:
        if settings.graphiql and graphiql.wanted(request):
            return graphiql.page(shown_token)
        return await graphql(request)

    return Starlette(
        routes=[
            Route("/graphql", endpoint, methods=["GET", "POST"]),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            *(
                [Mount("/graphiql", StaticFiles(packages=[("customergraph.web", "static")]))]
                if settings.graphiql
                else []
            ),
        ],
        middleware=[
            Middleware(RequestId),
            Middleware(
                CORSMiddleware,
                allow_origins=settings.cors_origins,
                allow_methods=["GET", "POST"],
                allow_headers=["Authorization", "Content-Type", HEADER],
                expose_headers=[HEADER, "Retry-After"],
                max_age=86_400,
            ),
            Middleware(GZipMiddleware, minimum_size=COMPRESSED_FROM_BYTES),
        ],
        exception_handlers={HTTPException: _http_refused, Exception: refused},
        lifespan=lifespan,
    )


async def _http_refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - for the type checker
    response = await refused(request, BadRequest(f"{error.detail}.", error.status_code))
    response.headers.update(error.headers or {})
    return response


def from_environment() -> Starlette:
    """Make the application in a worker process."""
    app = create_app(Settings.read())
    leave_out_what_stays()
    return app
