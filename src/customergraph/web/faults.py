"""Answers to requests that end in an exception. The middleware around it adds the headers."""

import asyncio

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from customergraph.web.entrance import stopped
from customergraph.web.graphql import refused


class Faults:
    """Answers a fault, and a request that is canceled because the server stops."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def tracked_send(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, tracked_send)
        except asyncio.CancelledError:
            if has_begun:
                raise
            await _answer(stopped(), scope, receive, send)
        except Exception as error:
            if has_begun:
                raise
            await _answer(error, scope, receive, send)


async def _answer(error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
    response = await refused(Request(scope), error)
    await response(scope, receive, send)
