"""The application: its routes and middleware, as lists."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from customergraph import logs
from customergraph.gateway.gateway import Gateway
from customergraph.gateway.trusted import TrustedDocuments
from customergraph.settings import Settings
from customergraph.web import graphiql, pages, rate_limit
from customergraph.web.bad_request import BadRequest
from customergraph.web.compression import Compression
from customergraph.web.dashboard import dashboard
from customergraph.web.entrance import Entrance
from customergraph.web.faults import Faults
from customergraph.web.graphql import graphql, refused
from customergraph.web.health import healthz, readyz
from customergraph.web.hosts import Hosts
from customergraph.web.landing import landing, readme
from customergraph.web.metrics import Metrics
from customergraph.web.reports import Reports
from customergraph.web.request_id import HEADER, RequestId
from customergraph.web.socket_upgrade import Upgrades
from customergraph.web.token import token

# How long a thread that computes, as the reader of documents does, keeps the event loop waiting.
SWITCH_SECONDS = 0.001
# What scripts of other origins may send: ours, and what common clients and their tracing add.
ALLOWED_HEADERS = (
    "authorization content-type x-request-id apollographql-client-name apollographql-client-version"
    " apollo-require-preflight x-apollo-operation-name traceparent tracestate baggage sentry-trace x-requested-with"
).split()


def create_app(settings: Settings, *, shown_token: str | None = None, metrics: Metrics | None = None) -> Entrance:
    """Make the application over the configured store; `shown_token` stands ready in its pages.

    Raises CommandRefused for a trusted document that no request could have.
    """
    logs.configure()
    trusted = TrustedDocuments.of(settings)
    reports = Reports(settings, metrics)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Any]]:
        sys.setswitchinterval(SWITCH_SECONDS)
        app.state.gateway = Gateway.of(settings, trusted)
        sampling = asyncio.create_task(metrics.sample(app.state.gateway)) if metrics else None
        # The server calls the first two when it stops, and the last for a head that it refuses.
        yield {
            "stop": app.state.gateway.stop,
            "cut_streams": app.state.gateway.streams.stop,
            "refused_head": reports.refused_head,
        }
        if sampling:
            sampling.cancel()
        try:
            await app.state.gateway.close()
        finally:
            reports.close()

    async def endpoint(request: Request) -> Response:
        if settings.graphiql and pages.wants_html(request):
            return graphiql.page(request, shown_token, is_open=settings.open_introspection)
        return await graphql(request)

    app = Starlette(
        routes=[
            Route("/", landing(graphiql=settings.graphiql, dashboard=settings.dashboard), methods=["GET"]),
            *(_with_slash("/dashboard", dashboard(shown_token), ["GET"]) if settings.dashboard else ()),
            *_with_slash("/graphql", endpoint, ["GET", "POST"]),
            *_with_slash("/graphql/token", token, ["GET"]),
            *_with_slash("/readme", readme, ["GET"]),
            *_with_slash("/healthz", healthz, ["GET"]),
            *_with_slash("/readyz", readyz, ["GET"]),
            Mount("/static/bundle", graphiql.Bundle(directory=pages.STATIC / "bundle", check_dir=False)),
            Mount("/static", StaticFiles(directory=pages.STATIC)),
        ],
        middleware=[
            Middleware(RequestId, reports=reports),
            Middleware(
                CORSMiddleware,
                allow_origins=settings.cors_origins,
                allow_methods=["GET", "POST"],
                allow_headers=[*ALLOWED_HEADERS, *settings.cors_headers],
                expose_headers=[HEADER, "Retry-After", rate_limit.POLICY, rate_limit.LIMIT],
                max_age=86_400,
            ),
            Middleware(Compression),
            Middleware(Hosts, settings=settings),
            Middleware(Faults),
        ],
        exception_handlers={HTTPException: _http_refused, Exception: refused},
        lifespan=lifespan,
    )
    upgrades = Upgrades(app, settings, reports)
    app.router.routes += [WebSocketRoute(path, upgrades.__call__) for path in ("/graphql", "/graphql/")]
    # A redirect would lead to an address that is made of the request's Host.
    app.router.redirect_slashes = False
    return Entrance(app, settings, reports, Hosts(app, settings).accepts)


def _with_slash(path: str, endpoint: Callable[[Request], Awaitable[Response]], methods: list[str]) -> list[Route]:
    """Answer in the same way at a path and at the same with a slash."""
    return [Route(path, endpoint, methods=methods), Route(f"{path}/", endpoint, methods=methods)]


async def _http_refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - for the type checker
    response = await refused(request, BadRequest(f"{error.detail}.", error.status_code))
    response.headers.update(error.headers or {})
    return response
