"""The page at `/`, which says what this is and where it goes on from here."""

from collections.abc import Awaitable, Callable
from importlib.metadata import metadata

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from customergraph.web import pages

_ABOUT = metadata("customergraph")
_LINKS = {
    "graphql": "GraphiQL: write queries, and read the documentation of every field",
    "dashboard": "Dashboard: an example that asks by fetch alone, and shows what it asks",
    "readme": "README",
    "healthz": "Health: whether the process lives",
    "readyz": "Readiness: whether the store answers",
}


def landing(*, graphiql: bool, dashboard: bool) -> Callable[[Request], Awaitable[Response]]:
    """Make the endpoint of `/`, whose page links to the pages that are served."""
    served = {"graphql": graphiql, "dashboard": dashboard}
    links = {address: text for address, text in _LINKS.items() if served.get(address, True)}
    items = "\n        ".join(f'<li><a href="{address}">{text}</a></li>' for address, text in links.items())

    async def endpoint(request: Request) -> Response:
        if not pages.wants_html(request):
            # As for any other address that has no GraphQL.
            raise HTTPException(404)
        policy = "img-src 'self'; style-src 'self'"
        return pages.page(request, "landing.html", policy, version=_ABOUT["Version"], links=items)

    return endpoint


async def readme(_request: Request) -> Response:
    """Answer with README as the package carries it."""
    return PlainTextResponse(_ABOUT["Description"])
