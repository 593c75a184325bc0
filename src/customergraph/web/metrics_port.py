"""The port on which Prometheus reads the metrics of all workers."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from customergraph.errors import SETTING_PREFIX, CommandRefused
from customergraph.settings import Settings
from customergraph.web.metrics import Metrics
from customergraph.web.operation_names import OperationNames

# The library's own: where it is set when the library is imported, metrics are kept in files, which others can read.
_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


@dataclass(frozen=True, slots=True)
class Exposition:
    """Where workers put their metrics: a folder that they share."""

    folder: Path

    def metrics(self) -> Metrics:
        """Make the metrics of the worker that this process is."""
        return Metrics(CollectorRegistry(), OperationNames(self.folder / "names"))

    def forget(self, pid: int) -> None:
        """Drop what a worker that has ended told of its state. What it counted stays."""
        mark_process_dead(pid, str(self.folder))  # type: ignore[no-untyped-call]


@contextmanager
def exposing(settings: Settings) -> Iterator[Exposition | None]:
    """Answer Prometheus in a thread of this process, if the settings say so.

    Raises CommandRefused where the port cannot be listened on.
    """
    if settings.metrics_port is None:
        yield None
        return
    registry = CollectorRegistry()
    Gauge("customergraph_info", "What runs.", ["version"], registry=registry).labels(version("customergraph")).set(1)
    with tempfile.TemporaryDirectory(prefix="customergraph-metrics-", ignore_cleanup_errors=True) as folder:
        server, thread = _listen(settings.host, settings.metrics_port, registry)
        try:
            # Workers inherit it, and import the library after that.
            os.environ[_FOLDER] = folder
            MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
            yield Exposition(Path(folder))
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def _listen(host: str, port: int, registry: CollectorRegistry) -> Any:
    try:
        return start_http_server(port, host, registry)
    except OSError as error:
        reason = f"cannot listen on {host}, port {port}: {error.strerror} (setting {SETTING_PREFIX}METRICS_PORT)"
        raise CommandRefused(reason) from None
