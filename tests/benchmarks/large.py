"""Measures one large answer: 100 customers, each with 100 messages, 100 reviews and 100 charges.

    PYTHONPATH=tests python -m benchmarks.large [--rounds 5] [--store sqlite|postgresql|both] [--url postgresql+asyncpg://…/]

The stores are made like those of `benchmarks.measure`. Each row is a server process of its own. It is warmed with the
same request for one customer, and gets the large request once in each round. Most clients accept `gzip`.

How to read the table:

stall    the longest time in milliseconds that one request held the event loop, so that no other was answered: the
         median and the largest of the rounds. A heartbeat on the loop measures it, delays by other programs
         included. The aim is at most 50; `!` marks more
CPU ms   of the server process for one request, all threads: the median of the rounds
bytes    of the answer as it was sent
growth   the peak of the process's memory less its memory before the first large request, in MB, and
         as a multiple of the answer's uncompressed size
"""

import argparse
import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

import httpx
from rich.console import Console
from rich.table import Table

from benchmarks import demos, stores
from benchmarks.requests import large
from benchmarks.servers import Server, serving
from customergraph.demo.people import HistoryCounts

COUNTS = HistoryCounts(messages=100, reviews=100, charges=100)
# Some are archived.
CUSTOMERS = 120
CUSTOMERS_OF_A_REQUEST = 100
STALL_AIM_MS = 50
NAMES = {"gateway": "gateway", "depth_first": "graphql-core"}


@dataclass(frozen=True, slots=True)
class Measurement:
    """One request: how long it held the event loop, its CPU time, and the size of its answer."""

    stall_ms: float
    cpu_ms: float
    sent_bytes: int
    size: int


def measure(server: Server, encoding: str) -> Measurement:
    """Send the large request once."""
    request = large(server.http, CUSTOMERS_OF_A_REQUEST)
    request.headers["Accept-Encoding"] = encoding
    server.take_value("/stall")
    before = server.cpu_seconds()
    answer = server.http.send(request)
    cpu_ms = (server.cpu_seconds() - before) * 1000
    stall_ms = server.take_value("/stall")
    _check(answer)
    return Measurement(stall_ms, cpu_ms, answer.num_bytes_downloaded, len(answer.content))


def _check(answer: httpx.Response) -> None:
    nodes = answer.json()["data"]["customers"]["nodes"]
    lengths = {len(one[name]["nodes"]) for one in nodes for name in ("messages", "reviews", "charges")}
    assert len(nodes) == CUSTOMERS_OF_A_REQUEST, len(nodes)
    assert lengths == {100}, lengths


def row(which: str, encoding: str, store: stores.Store, rounds: int) -> Iterator[str]:
    """Measure one server; returns the table's cells."""
    with serving(which, store.url, store.token) as server:
        for _ in range(3):
            server.http.send(large(server.http, 1)).raise_for_status()
        server.forget_peak()
        before = server.peak_bytes()
        measurements = [measure(server, encoding) for _ in range(rounds)]
        growth = server.peak_bytes() - before
    stalls = [one.stall_ms for one in measurements]
    yield from (NAMES[which], encoding)
    yield f"{median(stalls):.0f}, {max(stalls):.0f}{' !' if median(stalls) > STALL_AIM_MS else ''}"
    yield f"{median(one.cpu_ms for one in measurements):.0f}"
    yield f"{measurements[0].sent_bytes:,}"
    yield f"{growth / 1e6:.0f}, {growth / measurements[0].size:.1f} x"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--store", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--url", help="of a PostgreSQL server, such as postgresql+asyncpg://user@host/")
    options = parser.parse_args()
    for engine in ("sqlite", "postgresql") if options.store == "both" else (options.store,):
        table = Table(engine, "", "stall ms", "CPU ms", "bytes", "growth MB")
        with demos.server(engine, options.url) as address:
            store = asyncio.run(demos.store(address, CUSTOMERS, COUNTS))
            for which in NAMES:
                for encoding in ("identity", "gzip"):
                    table.add_row(*row(which, encoding, store, options.rounds))
        Console(width=110).print(table)


if __name__ == "__main__":
    main()
