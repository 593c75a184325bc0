"""WebSocket on one connection: uvicorn's protocol on websockets, which tells when what was sent is written out.

Written for uvicorn 0.54.
"""

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

# The extension of ASGI that waits until what was sent is written out.
WRITTEN = "customergraph.written"


class SocketProtocol(WebSocketsSansIOProtocol):
    """One connection. A client that does not read delays no stop."""

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if not self.handshake_complete:
            extensions: Any = self.scope["extensions"]
            extensions[WRITTEN] = self.writable.wait

    def shutdown(self) -> None:
        """Close with the code 1012, which says that the client is to connect again."""
        super().shutdown()
        if not self.writable.is_set():
            self.transport.abort()
