"""The sockets that a server listens on. The first process makes them and shares them with its workers."""

import contextlib
import ctypes
import select
import socket
import struct
from collections.abc import Iterable, Sequence
from typing import Any

from customergraph.errors import CommandRefused

BACKLOG = 2048
# How long a handshake may take to end, and how long a new connection may wait until it is accepted.
HANDSHAKE_SECONDS = 0.05
QUEUE_SECONDS = 1.0

# Linux, asm-generic/socket.h and linux/bpf_common.h: load the byte of a segment's flags, drop a segment with SYN.
_SO_ATTACH_FILTER = 26
_FLAGS_OFFSET, _SYN, _WHOLE = 13, 0x02, 0xFFFFFFFF
_WITHOUT_SYN = b"".join(
    struct.pack("=HBBI", *instruction)
    for instruction in ((0x30, 0, 0, _FLAGS_OFFSET), (0x45, 0, 1, _SYN), (0x06, 0, 0, 0), (0x06, 0, 0, _WHOLE))
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


def refuse_handshakes(sockets: Iterable[socket.socket]) -> None:
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
