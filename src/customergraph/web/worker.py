"""One of several worker processes, as it runs and as its supervisor sees it.

A pipe leads from the supervisor to each worker. The supervisor sends pings, and messages that the gateway is
going to stop, and that the worker has to stop. When the supervisor is killed, the pipe closes, and the worker
stops too.
"""

import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

import uvicorn

from customergraph.web.server import Server

# After which silence a worker is replaced.
SILENCE_SECONDS = 15.0
# How long a worker may take to start. It does not answer pings while it imports modules.
START_SECONDS = 120.0
# A worker without a supervisor has to free the port soon.
ORPHAN_SECONDS = 1.0
# A worker that a signal tells to drain leaves it to the supervisor to end the drain, for this time.
_LATER_SECONDS = 5.0
_PING, _STARTED, _STARTING, _UNREADY, _STOP = b"ping", b"started", b"starting", b"unready", b"stop"

_spawn = multiprocessing.get_context("spawn")


def work(config: uvicorn.Config, sockets: list[socket.socket], parent: Connection, drain: float) -> None:
    """Serve in a worker process until the supervisor sends the stop message or is gone."""
    config.configure_logging()
    # A terminal that closes sends it to all processes. The supervisor knows what it means.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    server = Server(config, drain=drain and drain + _LATER_SECONDS)
    threading.Thread(target=_obey, args=(server, parent), daemon=True).start()
    server.run(sockets)


def _obey(server: Server, parent: Connection) -> None:
    is_dismissed = False
    try:
        while True:
            word = parent.recv_bytes()
            is_dismissed |= word == _STOP
            _follow(word, server, parent)
    except (EOFError, OSError):
        if not is_dismissed:
            _give_up(server)


def _follow(word: bytes, server: Server, parent: Connection) -> None:
    if word == _PING:
        parent.send_bytes(_STARTED if server.started else _STARTING)
    elif word == _UNREADY:
        server.is_stopping = True
    elif word == _STOP:
        server.stop()


def _give_up(server: Server) -> None:
    """End a worker without a supervisor: nobody else would end one that hangs."""
    server.grace = ORPHAN_SECONDS
    server.is_stopping = True
    server.stop()
    time.sleep(2 * ORPHAN_SECONDS - 0.2)
    os._exit(1)


@dataclass(slots=True)
class Worker:
    process: SpawnProcess
    pipe: Connection
    # Whether it has answered. Until then it imports modules, and accepts no connection.
    has_begun: bool = False
    has_started: bool = False
    # The worker is dead if it has not answered by then.
    deadline: float = field(default_factory=lambda: time.monotonic() + START_SECONDS)

    @classmethod
    def start(cls, config: uvicorn.Config, sockets: Sequence[socket.socket], drain: float) -> "Worker":
        pipe, end = _spawn.Pipe()
        process = _spawn.Process(target=work, args=(config, list(sockets), end, drain))
        process.start()
        end.close()
        return cls(process, pipe)

    def ping(self) -> None:
        self._send(_PING)

    def turn_unready(self) -> None:
        self._send(_UNREADY)

    def stop(self) -> None:
        """Let it end when its requests are answered."""
        self.hear()
        if self.has_begun:
            self._send(_STOP)
        else:
            self.process.kill()

    def _send(self, word: bytes) -> None:
        with suppress(OSError):  # It has ended; its process says so.
            self.pipe.send_bytes(word)

    def hear(self) -> None:
        """Receive its answers."""
        with suppress(EOFError, OSError):
            while self.pipe.poll():
                self.has_started = self.pipe.recv_bytes() == _STARTED
                self.has_begun = True
                self.deadline = time.monotonic() + SILENCE_SECONDS

    @property
    def is_alive(self) -> bool:
        return self.process.is_alive() and time.monotonic() < self.deadline

    def end(self) -> None:
        """Kill the process if it still runs."""
        self.process.kill()
        self.process.join()
        self.pipe.close()
