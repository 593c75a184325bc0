"""What systemd, which starts the gateway, tells it and is told: sd_listen_fds(3) and sd_notify(3)."""

import os
import socket
from contextlib import suppress

READY, STOPPING = "READY=1", "STOPPING=1"
_FIRST_PASSED = 3


def passes_sockets() -> bool:
    """Return whether systemd has opened sockets for this process, because it has a socket unit."""
    return os.environ.get("LISTEN_PID") == str(os.getpid())


def passed_sockets() -> list[socket.socket]:
    """Take the sockets that systemd has opened for this process; may be called once."""
    count = int(os.environ["LISTEN_FDS"]) if passes_sockets() else 0
    sockets = [socket.socket(fileno=number) for number in range(_FIRST_PASSED, _FIRST_PASSED + count)]
    for own in sockets:
        # Workers get copies of their own.
        own.set_inheritable(False)
    return sockets


def tell(state: str) -> None:
    """Send a state that systemd knows; does nothing where no service manager listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        # The name of an abstract socket is written with an @.
        channel.connect("\0" + address[1:] if address.startswith("@") else address)
        channel.sendall(state.encode())
