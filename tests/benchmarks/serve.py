"""One of the servers that are measured, in a process of its own; prints its port.

Three addresses count since their last request: `/statements` the statements that ran, `/prepared` those that
SQLAlchemy compiled for the gateway, and `/stall` the longest time in milliseconds that the event loop was held.
A heartbeat measures that time; the first request to `/stall` starts it.
"""

import asyncio
import socket
import sys
import time
from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import uvicorn
from sqlalchemy.engine import Dialect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from benchmarks import hand_written, hand_written_bare
from customergraph.settings import Settings
from customergraph.store.rows import Prepared
from customergraph.web.app import create_app
from customergraph.web.entrance import Entrance
from customergraph.web.garbage import freeze_startup_objects
from customergraph.web.server import configuration
from statements import recorded

BEAT_SECONDS = 0.001

APPS: dict[str, Callable[[Settings], Starlette | Entrance]] = {
    "gateway": create_app,
    "depth_first": create_app,
    "hand_written": hand_written.create_app,
    "bare": hand_written_bare.create_app,
    "floor": hand_written_bare.create_floor,
}


class _Heart:
    """Wakes up on the event loop all the time, and keeps the longest delay."""

    def __init__(self) -> None:
        self._latest = 0.0
        self._beating: asyncio.Task[None] | None = None

    def stall_ms(self) -> float:
        self._beating = self._beating or asyncio.ensure_future(self._beat())
        latest, self._latest = self._latest, 0.0
        return latest * 1000

    async def _beat(self) -> None:
        while True:
            due = time.perf_counter() + BEAT_SECONDS
            await asyncio.sleep(BEAT_SECONDS)
            self._latest = max(self._latest, time.perf_counter() - due)


def _record_prepared() -> list[str]:
    """Record the statements that the gateway compiles from now on; returns the list of them."""
    statements: list[str] = []
    prepare = Prepared.__init__

    @wraps(prepare)
    def init_and_record(self: Prepared, statement: Any, dialect: Dialect) -> None:
        prepare(self, statement, dialect)
        statements.append(self.sql)

    Prepared.__init__ = init_and_record  # type: ignore[method-assign]
    return statements


def _take_count(statements: list[str]) -> int:
    count = len(statements)
    statements.clear()
    return count


def _route(path: str, measure: Callable[[], float]) -> Route:
    async def endpoint(_request: Request) -> Response:
        return PlainTextResponse(str(measure()))

    return Route(path, endpoint)


def main(which: str, database_url: str) -> None:
    """Serve until a signal comes."""
    # No request is refused: no bucket is ever empty, and every request gets its turn.
    settings = Settings(
        database_url=database_url,
        bucket_size=10**9,
        bucket_refill=10**9,
        pool_timeout=60,
        deadline=60,
        compiled_plans=which != "depth_first",
    )
    app, prepared, heart = APPS[which](settings), _record_prepared(), _Heart()
    # The command `serve` does this too; here it applies to all servers.
    freeze_startup_objects()
    with recorded() as statements, socket.create_server(("127.0.0.1", 0)) as listening:
        starlette = app.app if isinstance(app, Entrance) else app
        starlette.router.routes += [
            _route("/statements", partial(_take_count, statements)),
            _route("/prepared", partial(_take_count, prepared)),
            _route("/stall", heart.stall_ms),
        ]
        print(listening.getsockname()[1], flush=True)  # noqa: T201 - what the parent waits for
        if isinstance(app, Entrance):
            # As `serve` runs it.
            uvicorn.Server(configuration(lambda: app, settings)).run([listening])
        else:
            uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, ws="none")).run([listening])


if __name__ == "__main__":
    main(*sys.argv[1:])
