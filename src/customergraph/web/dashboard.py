"""The page `/dashboard`: an example for developers of dashboards, which asks the gateway by fetch alone."""

from collections.abc import Awaitable, Callable
from html import escape

from starlette.requests import Request
from starlette.responses import Response

from customergraph.web import pages

_POLICY = "connect-src 'self'; img-src 'self'; script-src 'self'; style-src 'self'"


def dashboard(token: str | None) -> Callable[[Request], Awaitable[Response]]:
    """Make the endpoint of the page, which has the token where there is one to give."""

    async def endpoint(request: Request) -> Response:
        return pages.page(request, "dashboard.html", _POLICY, token=escape(token or ""))

    return endpoint
