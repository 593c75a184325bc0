"""Messages to systemd, which starts the gateway (sd_notify(3)): when it serves, and when it stops."""

import os
import socket
from contextlib import suppress

READY, STOPPING = "READY=1", "STOPPING=1"


def tell(state: str) -> None:
    """Send a state that systemd knows; does nothing where no service manager listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        # The name of an abstract socket is written with an @.
        channel.connect("\0" + address[1:] if address.startswith("@") else address)
        channel.sendall(state.encode())
