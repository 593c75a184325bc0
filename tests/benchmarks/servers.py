"""The servers that are measured, each a process of its own, and their counts."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks import requests
from benchmarks.load import Load


@dataclass
class Server:
    """A server process, and a client that speaks to it."""

    process: subprocess.Popen[str]
    http: httpx.Client

    def request(self, name: str) -> httpx.Request:
        """Return the request of that name, in the way that this server takes it."""
        raise NotImplementedError

    def ask(self, name: str) -> httpx.Response:
        return self.http.send(self.request(name))

    def load(self, name: str) -> Load:
        """Return the request of that name, ready to be repeated."""
        return Load(self.request(name), len(self.ask(name).content), self.cpu_seconds)

    def cpu_seconds(self) -> float:
        """Return the CPU time that the process has used, in user and system mode, in all its threads."""
        # The clock of another process, as clock_getcpuclockid(3) makes it on Linux.
        return time.clock_gettime(~self.process.pid << 3 | 2)

    def take_value(self, path: str) -> float:
        """Return a count of the server, and reset it."""
        return float(self.http.get(path).text)

    def statements(self, name: str) -> int:
        """Count the statements of one request."""
        self.take_value("/statements")
        self.ask(name)
        return int(self.take_value("/statements"))

    def forget_peak(self) -> None:
        """Reset the peak of memory to the current use."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5", encoding="ascii")

    def peak_bytes(self) -> int:
        """Return the most memory that the process had since the peak was forgotten."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines()
        (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
        return int(peak) * 1024


class Gateway(Server):
    def request(self, name: str) -> httpx.Request:
        return requests.to_gateway(self.http, name)


class ByHand(Server):
    def request(self, name: str) -> httpx.Request:
        return requests.to_endpoint(self.http, name)


# The servers by their names in `benchmarks.serve`.
KINDS: dict[str, type[Server]] = {
    "hand_written": ByHand,
    "bare": ByHand,
    "floor": ByHand,
    "gateway": Gateway,
    "depth_first": Gateway,
}


@contextmanager
def serving(which: str, database_url: str, token: str) -> Iterator[Server]:
    """Run one of the servers of `benchmarks.serve`."""
    command = [sys.executable, "-m", "benchmarks.serve", which, database_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{process.stdout.readline().strip()}"
        # Without compression, unless a request asks for it.
        headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
        try:
            with httpx.Client(base_url=url, headers=headers, timeout=60) as http:
                yield KINDS[which](process, http)
        finally:
            process.terminate()
