"""Is the process alive, and can it serve."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

PATHS = ("/healthz", "/readyz")


async def healthz(_request: Request) -> Response:
    """Say that the process lives."""
    return PlainTextResponse("ok\n")


async def readyz(request: Request) -> Response:
    """Say whether the store answers: 200, or 503."""
    if await request.app.state.gateway.database.answers():
        return PlainTextResponse("ok\n")
    return PlainTextResponse("the store does not answer\n", 503)
