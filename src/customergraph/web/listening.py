"""The sockets that a server listens on. The supervisor makes them, or systemd does, and the workers share them."""

import contextlib
import ctypes
import select
import socket
import struct
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Self

from customergraph.errors import CommandRefused
from customergraph.web import service_manager

BACKLOG = 2048
# How long a handshake may take to end, and how long a new connection may wait until it is accepted.
HANDSHAKE_SECONDS = 0.05
QUEUE_SECONDS = 1.0
_STEP_SECONDS = 0.02

# Linux, asm-generic/socket.h and linux/bpf_common.h: load the byte of a segment's flags, drop a segment with SYN.
_SO_ATTACH_FILTER = 26
_FLAGS_OFFSET, _SYN, _WHOLE = 13, 0x02, 0xFFFFFFFF
_WITHOUT_SYN = b"".join(
    struct.pack("=HBBI", *instruction)
    for instruction in ((0x30, 0, 0, _FLAGS_OFFSET), (0x45, 0, 1, _SYN), (0x06, 0, 0, 0), (0x06, 0, 0, _WHOLE))
)


@dataclass(frozen=True, slots=True)
class Listener:
    """What clients connect to."""

    sockets: Sequence[socket.socket]
    host: str
    # systemd keeps them open while the gateway is restarted, and new connections wait in them.
    outlive_us: bool = False

    @classmethod
    def on(cls, host: str, port: int) -> Self:
        """Listen on the sockets that systemd has passed, or else on every address of a host.

        Raises CommandRefused with the reason where that fails.
        """
        passed = service_manager.passed_sockets()
        for own in passed:
            _refuse_other(own)
        if not passed:
            return cls(listen(host, port), host)
        addresses = [own.getsockname()[0] for own in passed]
        return cls(passed, min(addresses, key=lambda address: ip_address(address).is_loopback), outlive_us=True)

    def close(self) -> None:
        """Refuse new connections, let the workers accept those that were made, and close."""
        if not self.outlive_us:
            _refuse_handshakes(self.sockets)
            time.sleep(HANDSHAKE_SECONDS)
            until = time.monotonic() + QUEUE_SECONDS
            while readable(self.sockets) and time.monotonic() < until:
                time.sleep(_STEP_SECONDS)
        for own in self.sockets:
            own.close()


def _refuse_other(own: socket.socket) -> None:
    is_tcp = own.family in {socket.AF_INET, socket.AF_INET6} and own.type == socket.SOCK_STREAM
    if not is_tcp or not own.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        raise CommandRefused(
            "systemd passed a socket that does not listen for TCP: let the socket unit have ListenStream= with a port,"
            " and Accept=no"
        )


def listen(host: str, port: int) -> list[socket.socket]:
    """Listen on every address of a host; raises CommandRefused with the reason where that fails."""
    try:
        addresses = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        # The same address can come twice.
        return [_listening(family, address) for family, address in {(each[0], each[4][:2]): None for each in addresses}]
    except OSError as error:
        raise CommandRefused(f"cannot listen on {host}, port {port}: {error.strerror}") from None


def _listening(family: socket.AddressFamily, address: Sequence[Any]) -> socket.socket:
    return socket.create_server(tuple(address), family=family, backlog=BACKLOG)


def _refuse_handshakes(sockets: Iterable[socket.socket]) -> None:
    """Refuse new connections: the kernel drops the segments that begin one.

    The client's kernel sends it again, and finds the port closed. To close a socket at once would
    reset the connections that the kernel has made and nobody has accepted, which is what happens
    where there are no such filters.
    """
    for own in sockets:
        with contextlib.suppress(OSError):
            _attach(own, _WITHOUT_SYN)


def _attach(own: socket.socket, code: bytes) -> None:
    instructions = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("@HP", len(code) // 8, ctypes.addressof(instructions))
    own.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


def readable(sockets: Iterable[Any]) -> bool:
    """Return whether a connection or bytes wait on one of the sockets."""
    poll = select.poll()
    for own in sockets:
        poll.register(own.fileno(), select.POLLIN)
    return bool(poll.poll(0))
