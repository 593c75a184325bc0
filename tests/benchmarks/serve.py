"""One of the two servers that `benchmarks.measure` measures, in a process of its own; prints its port."""

import socket
import sys

import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from benchmarks import by_hand
from customergraph.settings import Settings
from customergraph.web.app import create_app
from statements import recorded

APPS = {"gateway": create_app, "by_hand": by_hand.create_app}


def main(which: str, database_url: str) -> None:
    """Serve until a signal comes; `/statements` tells how many there were since it was last asked."""
    # Nobody is to be sent away: no bucket is ever empty.
    app = APPS[which](Settings(database_url=database_url, bucket_size=10**9, bucket_refill=10**9))
    with recorded() as found, socket.create_server(("127.0.0.1", 0)) as listening:

        async def statements(_request: Request) -> Response:
            count = len(found)
            found.clear()
            return PlainTextResponse(str(count))

        app.router.routes.append(Route("/statements", statements))
        print(listening.getsockname()[1], flush=True)  # noqa: T201 - what the parent waits for
        uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none")).run([listening])


if __name__ == "__main__":
    main(*sys.argv[1:])
