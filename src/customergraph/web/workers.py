"""Worker processes on the same sockets, and the supervisor that starts, watches, replaces and stops them."""

import signal
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait

import structlog
import uvicorn

from customergraph.errors import CommandRefused
from customergraph.web import service_manager, terminal
from customergraph.web.listening import Listener
from customergraph.web.server import GRACE_SECONDS
from customergraph.web.worker import START_SECONDS, Worker

# How often workers are pinged, and how often until they serve for the first time.
PING_SECONDS = 1.0
START_PING_SECONDS = 0.1
# How long after its grace a worker may take to close its files and connections.
STOPPED_SECONDS = 3.0
_STEP_SECONDS = 0.02
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

_log = structlog.get_logger()


class Supervisor:
    """Keeps a number of workers alive until a signal stops it. SIGHUP replaces each worker by a new one.

    A SIGHUP that the closing of the terminal has sent stops it.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        listener: Listener,
        count: int,
        drain: float,
        forget: Callable[[int], None] | None = None,
    ) -> None:
        self._config = config
        self._listener = listener
        self._count = count
        self._drain = drain
        # Called with the process id of a worker that has ended.
        self._forget = forget
        # Unless the command is told to outlive its terminal, as `nohup` does.
        self._ends_with_terminal = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN and terminal.is_there()
        self._has_started = False
        self._is_stopping = False
        self._workers: list[Worker] = []
        self._retired: list[Worker] = []
        self._signals: deque[int] = deque()

    def run(self) -> None:
        """Start the workers, and return when they have ended; raises CommandRefused when they cannot start."""
        with _signals() as signaled:
            self._workers = [self._start() for _ in range(self._count)]
            try:
                while not self._is_to_stop(signaled, self._pause()):
                    self._replace_dead()
                    self._tell_once_ready()
                    if signal.SIGHUP in self._signals:
                        self._signals.clear()
                        self._replace_all(signaled)
                self._go_on_unready(signaled)
            finally:
                self._stop()

    def _start(self) -> Worker:
        worker = Worker.start(self._config, self._listener.sockets, self._drain)
        if self._is_stopping:
            worker.turn_unready()
        return worker

    def _pause(self) -> float:
        """Return how long to wait for signals: less until the workers serve for the first time."""
        return PING_SECONDS if self._has_started else START_PING_SECONDS

    def _tell_once_ready(self) -> None:
        if not self._has_started and all(worker.has_started for worker in self._workers):
            self._has_started = True
            service_manager.tell(service_manager.READY)

    def _is_to_stop(self, signaled: socket.socket, seconds: float) -> bool:
        """Wait for a signal, the end of a worker, or some time; returns whether a signal says to stop."""
        sentinels = [worker.process.sentinel for worker in (*self._workers, *self._retired)]
        if self._is_told_to_stop:
            return True
        if signaled in wait([signaled, *sentinels], timeout=seconds):
            self._signals.extend(signaled.recv(1024))
            if signal.SIGHUP in self._signals and self._ends_with_terminal and not terminal.is_there():
                self._signals.append(signal.SIGTERM)
        return self._is_told_to_stop

    @property
    def _is_told_to_stop(self) -> bool:
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

    def _has_ended(self, worker: Worker) -> None:
        if self._forget is not None and worker.process.pid is not None:
            self._forget(worker.process.pid)

    def _replace_all(self, signaled: socket.socket) -> None:
        """Replace each worker by a new one, which serves before the old one stops."""
        for place in range(self._count):
            new = self._start()
            if not self._starts(new, signaled):
                self._give_up(new)
                return
            old, self._workers[place] = self._workers[place], new
            self._retired.append(old)
            old.stop()

    def _give_up(self, new: Worker) -> None:
        if self._is_told_to_stop:
            # It may have begun to serve, and stops as the others do.
            self._retired.append(new)
        else:
            new.end()
            _log.error("worker_not_replaced", pid=new.process.pid)

    def _starts(self, worker: Worker, signaled: socket.socket) -> bool:
        until = time.monotonic() + START_SECONDS
        while not worker.has_started and worker.process.is_alive() and time.monotonic() < until:
            worker.ping()
            if self._is_to_stop(signaled, _STEP_SECONDS):
                return False
            worker.hear()
            # The others are to be watched for all this time: silence would count as their end.
            self._replace_dead()
        return worker.has_started

    def _go_on_unready(self, signaled: socket.socket) -> None:
        """Let the workers say that they are not ready, and go on for the time of the drain, until another signal."""
        self._is_stopping = True
        for worker in (*self._workers, *self._retired):
            worker.turn_unready()
        if not self._drain or [*self._signals] != [signal.SIGTERM]:
            return
        _log.info("draining", seconds=self._drain)
        self._signals.clear()
        until = time.monotonic() + self._drain
        while (left := until - time.monotonic()) > 0 and not self._is_to_stop(signaled, min(left, PING_SECONDS)):
            self._replace_dead()

    def _stop(self) -> None:
        """Refuse new connections, and wait until the workers end."""
        service_manager.tell(service_manager.STOPPING)
        workers = [*self._workers, *self._retired]
        for worker in workers:
            worker.ping()
        self._listener.close()
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
