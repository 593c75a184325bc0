"""Health checks: whether the process runs, and whether it can serve."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

PATHS = ("/healthz", "/readyz")


async def healthz(_request: Request) -> Response:
    """Answer 200 while the process runs."""
    return PlainTextResponse("ok\n")


async def readyz(request: Request) -> Response:
    """Answer 200 if the store answers and the gateway is not going to stop, else 503."""
    if request.state.is_stopping():
        return PlainTextResponse("the gateway stops\n", 503)
    if await request.app.state.gateway.database.answers():
        return PlainTextResponse("ok\n")
    return PlainTextResponse("the store does not answer\n", 503)
