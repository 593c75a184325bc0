"""Several worker processes on the same sockets, and the supervisor that starts, watches, replaces and stops them.

A pipe leads from the supervisor to each worker. The supervisor sends pings, and a last message to
stop the worker. When the supervisor is killed, the pipe closes, and the worker stops too.
"""

import multiprocessing
import os
import signal
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

import structlog
import uvicorn

from customergraph.errors import CommandRefused
from customergraph.web import listening
from customergraph.web.server import GRACE_SECONDS, Server

# How often workers are pinged, and after which silence one is replaced.
PING_SECONDS = 1.0
SILENCE_SECONDS = 15.0
# How long a worker may take to start. It does not answer pings while it imports modules.
START_SECONDS = 120.0
# A worker without a supervisor has to free the port soon.
ORPHAN_SECONDS = 1.0
# How long after its grace a worker may take to close its files and connections.
STOPPED_SECONDS = 3.0
_STEP_SECONDS = 0.02
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_PING, _STARTED, _STARTING, _STOP = b"ping", b"started", b"starting", b"stop"

_spawn = multiprocessing.get_context("spawn")
_log = structlog.get_logger()


def work(config: uvicorn.Config, sockets: list[socket.socket], parent: Connection) -> None:
    """Serve in a worker process until the supervisor sends the stop message or is gone."""
    config.configure_logging()
    server = Server(config, shares_port=True)
    threading.Thread(target=_obey, args=(server, parent), daemon=True).start()
    server.run(sockets)


def _obey(server: Server, parent: Connection) -> None:
    try:
        while parent.recv_bytes() == _PING:
            parent.send_bytes(_STARTED if server.started else _STARTING)
    except (EOFError, OSError):
        server.grace = ORPHAN_SECONDS
        server.should_exit = True
        # Nobody else would end a worker that hangs.
        time.sleep(2 * ORPHAN_SECONDS - 0.2)
        os._exit(1)
    server.should_exit = True


@dataclass(slots=True)
class _Worker:
    process: SpawnProcess
    pipe: Connection
    has_started: bool = False
    # The worker is dead if it has not answered by then.
    deadline: float = field(default_factory=lambda: time.monotonic() + START_SECONDS)

    @classmethod
    def start(cls, config: uvicorn.Config, sockets: Sequence[socket.socket]) -> "_Worker":
        pipe, end = _spawn.Pipe()
        process = _spawn.Process(target=work, args=(config, list(sockets), end))
        process.start()
        end.close()
        return cls(process, pipe)

    def ping(self) -> None:
        self._send(_PING)

    def stop(self) -> None:
        self._send(_STOP)

    def _send(self, word: bytes) -> None:
        with suppress(OSError):  # It has ended; its process says so.
            self.pipe.send_bytes(word)

    def hear(self) -> None:
        """Receive its answers."""
        with suppress(EOFError, OSError):
            while self.pipe.poll():
                self.has_started = self.pipe.recv_bytes() == _STARTED
                self.deadline = time.monotonic() + SILENCE_SECONDS

    @property
    def is_alive(self) -> bool:
        return self.process.is_alive() and time.monotonic() < self.deadline

    def end(self) -> None:
        """Kill the process if it still runs."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


class Supervisor:
    """Keeps a number of workers alive until a signal stops it. SIGHUP replaces each worker by a new one."""

    def __init__(
        self,
        config: uvicorn.Config,
        sockets: Sequence[socket.socket],
        count: int,
        forget: Callable[[int], None] | None = None,
    ) -> None:
        self._config = config
        self._sockets = sockets
        self._count = count
        # Called with the process id of a worker that has ended.
        self._forget = forget
        self._workers: list[_Worker] = []
        self._retired: list[_Worker] = []
        self._signals: deque[int] = deque()

    def run(self) -> None:
        """Start the workers, and return when they have ended; raises CommandRefused when they cannot start."""
        with _signals() as signaled:
            self._workers = [self._start() for _ in range(self._count)]
            try:
                while not self._is_to_stop(signaled, PING_SECONDS):
                    self._replace_dead()
                    if signal.SIGHUP in self._signals:
                        self._signals.clear()
                        self._replace_all(signaled)
            finally:
                self._stop()

    def _start(self) -> _Worker:
        return _Worker.start(self._config, self._sockets)

    def _is_to_stop(self, signaled: socket.socket, seconds: float) -> bool:
        """Wait for a signal, the end of a worker, or some time; returns whether a signal says to stop."""
        sentinels = [worker.process.sentinel for worker in (*self._workers, *self._retired)]
        if signaled in wait([signaled, *sentinels], timeout=seconds):
            self._signals.extend(signaled.recv(1024))
        return signal.SIGTERM in self._signals or signal.SIGINT in self._signals

    def _replace_dead(self) -> None:
        for place, worker in enumerate(self._workers):
            worker.hear()
            if worker.is_alive:
                worker.ping()
                continue
            worker.end()
            if not worker.has_started and (worker.process.exitcode or 0) > 0:
                raise CommandRefused("a worker could not start: its log says why")
            self._has_ended(worker)
            _log.warning("worker_ended", pid=worker.process.pid, exit_code=worker.process.exitcode)
            self._workers[place] = self._start()
        for worker in [worker for worker in self._retired if not worker.process.is_alive()]:
            worker.end()
            self._has_ended(worker)
            self._retired.remove(worker)

    def _has_ended(self, worker: _Worker) -> None:
        if self._forget is not None and worker.process.pid is not None:
            self._forget(worker.process.pid)

    def _replace_all(self, signaled: socket.socket) -> None:
        """Replace each worker by a new one, which serves before the old one stops."""
        for place, old in enumerate(self._workers):
            new = self._start()
            if not self._starts(new, signaled):
                new.end()
                _log.error("worker_not_replaced", pid=old.process.pid)
                return
            self._workers[place] = new
            self._retired.append(old)
            old.stop()

    def _starts(self, worker: _Worker, signaled: socket.socket) -> bool:
        until = time.monotonic() + START_SECONDS
        while not worker.has_started and worker.process.is_alive() and time.monotonic() < until:
            worker.ping()
            if self._is_to_stop(signaled, _STEP_SECONDS):
                return False
            worker.hear()
        return worker.has_started

    def _stop(self) -> None:
        """Refuse new connections, let the workers accept those that were made, and wait until the workers end."""
        listening.refuse_handshakes(self._sockets)
        time.sleep(listening.HANDSHAKE_SECONDS)
        until = time.monotonic() + listening.QUEUE_SECONDS
        while listening.readable(self._sockets) and time.monotonic() < until:
            time.sleep(_STEP_SECONDS)
        for own in self._sockets:
            own.close()
        workers = [*self._workers, *self._retired]
        for worker in workers:
            worker.stop()
        until = time.monotonic() + GRACE_SECONDS + STOPPED_SECONDS
        for worker in workers:
            worker.process.join(max(0.0, until - time.monotonic()))
            worker.end()


@contextmanager
def _signals() -> Iterator[socket.socket]:
    """Yield a socket from which the numbers of signals are read, one byte each."""
    here, there = socket.socketpair()
    there.setblocking(False)  # noqa: FBT003 - Python's own signature
    handlers = {number: signal.signal(number, lambda *_: None) for number in _SIGNALS}
    signal.set_wakeup_fd(there.fileno())
    try:
        yield here
    finally:
        signal.set_wakeup_fd(-1)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        here.close()
        there.close()
