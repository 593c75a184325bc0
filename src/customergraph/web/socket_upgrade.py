"""Upgrades to WebSocket: by which names, from which pages, and with which token."""

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.websockets import WebSocket

from customergraph.errors import RequestRefused
from customergraph.gateway.gateway import Gateway
from customergraph.settings import Settings
from customergraph.web import auth
from customergraph.web.bad_request import BadRequest
from customergraph.web.entrance import refusal
from customergraph.web.hosts import MISDIRECTED_REQUEST, Hosts
from customergraph.web.media_types import JSON
from customergraph.web.reports import Reports
from customergraph.web.sockets import PROTOCOL, Socket

_FORBIDDEN = 403
_NOT_ACCEPTABLE = 4406


class Upgrades:
    """Answers upgrades, and then the messages on their connections."""

    def __init__(self, app: Starlette, settings: Settings, reports: Reports) -> None:
        self._app = app
        self._settings = settings
        self._reports = reports
        self._accepts = Hosts(app, settings).accepts

    async def __call__(self, websocket: WebSocket) -> None:
        gateway: Gateway = self._app.state.gateway
        record = self._reports.record("")
        try:
            self._refuse_strangers(websocket)
            secret = None if auth.is_anonymous(websocket) else auth.secret(websocket)
            if secret is not None:
                await gateway.tokens.of(secret, record)
        except RequestRefused as error:
            answer = refusal(gateway, error, JSON, record)
            response = Response(answer.pieces[0], answer.status, answer.headers, media_type=JSON)
            await websocket.send_denial_response(response)
            return
        if PROTOCOL not in websocket.scope["subprotocols"]:
            await websocket.accept()
            await websocket.close(_NOT_ACCEPTABLE, "Subprotocol not acceptable")
            return
        await websocket.accept(PROTOCOL)
        await Socket(websocket, gateway, self._reports, secret).serve()

    def _refuse_strangers(self, websocket: WebSocket) -> None:
        """Raise BadRequest for a name that is not the gateway's, and for a page that may not call it.

        A browser lets every page connect.
        """
        hosts = websocket.headers.getlist("host")
        if len(hosts) != 1 or not self._accepts(hosts[0].encode("latin-1")):
            raise BadRequest("The gateway is not served under the Host of this request.", MISDIRECTED_REQUEST)
        origin = websocket.headers.get("origin")
        if origin is not None and origin.partition("://")[2] != hosts[0] and origin not in self._settings.cors_origins:
            raise BadRequest("Pages of this origin may not call the gateway (setting CORS_ORIGINS).", _FORBIDDEN)
