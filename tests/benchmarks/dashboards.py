"""Measures what dashboards ask: counts by facet, statistics, and filtered lists, on one large store.

    PYTHONPATH=tests python -m benchmarks.dashboards [--url postgresql+asyncpg://…/] [--customers 1000000] [--rounds 7]
        [--only WORDS] [--explain]

The store is that of `benchmarks.scale`, and is made first if it does not exist. Each request is sent `--rounds` times
to a gateway in a process of its own, after two times unmeasured. Meanwhile another token asks for one customer, again
and again.

How to read the table:

ms       the median of the rounds, from the request's first byte to the answer's last
other    the longest time in milliseconds that the other token's small request took meanwhile; `!` marks more than 300
cost     what the answer says that the operation cost
"""

import argparse
import asyncio
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from benchmarks import plans, stores
from benchmarks.dashboard_requests import asks
from benchmarks.servers import serving

OTHER_AIM_MS = 300
SMALL = {"query": "{ customers(first: 1) { nodes { id } } }"}
Variables = dict[str, Any]


class Other:
    """Another token, which asks for one customer again and again."""

    def __init__(self, http: httpx.Client) -> None:
        self.longest_ms = 0.0
        self._http = http
        self._stopping = threading.Event()

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Ask until the end of the block."""
        self.longest_ms = 0.0
        self._stopping.clear()
        thread = threading.Thread(target=self._ask)
        thread.start()
        yield
        self._stopping.set()
        thread.join()

    def _ask(self) -> None:
        while not self._stopping.wait(0.02):
            began = time.perf_counter()
            self._http.post("/graphql", json=SMALL).raise_for_status()
            self.longest_ms = max(self.longest_ms, (time.perf_counter() - began) * 1000)


def measured(http: httpx.Client, other: Other, query: str, variables: Variables, rounds: int) -> Iterator[str]:
    """Send a request in rounds; returns the cells of its row."""
    times, cost = [], ""
    for number in range(rounds + 2):
        with other.asking():
            began = time.perf_counter()
            answer = http.post("/graphql", json={"query": query, "variables": variables}).json()
            took = (time.perf_counter() - began) * 1000
        assert "errors" not in answer, answer
        cost = f"{answer['extensions']['cost']['requested']:,}"
        times += [(took, other.longest_ms)] * (number >= 2)
    longest = max(one for _, one in times)
    yield from (f"{median(took for took, _ in times):.1f}", f"{longest:.0f}{' !' * (longest > OTHER_AIM_MS)}", cost)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--url", help="of a PostgreSQL server, such as postgresql+asyncpg://user@host/")
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="", help="measure only requests whose names contain this")
    parser.add_argument("--explain", action="store_true", help="show the plan of each statement")
    return parser.parse_args()


def main() -> None:
    options, console = _arguments(), Console(width=150)
    # Slow statements are measured, not refused.
    os.environ.setdefault("CUSTOMERGRAPH_STATEMENT_TIMEOUT", "60")
    store = asyncio.run(stores.store(options.url, options.customers, Console(stderr=True).print))
    other_token = asyncio.run(stores.upgrade_and_add_token(store.url))
    table = Table(f"{options.customers:,} customers", "ms", "other", "cost")
    selected = [one for one in asks() if options.only in one[0]]
    with serving("gateway", store.url, store.token) as server:
        headers = {"Authorization": f"Bearer {other_token}"}
        with httpx.Client(base_url=server.http.base_url, headers=headers, timeout=60) as client:
            for name, query, variables in selected:
                table.add_row(name, *measured(server.http, Other(client), query, variables, options.rounds))
    console.print(table)
    for name, query, variables in selected if options.explain else ():
        console.print(
            f"\n{name}", *asyncio.run(plans.of_request(store.url, store.token, query, variables)), markup=False
        )


if __name__ == "__main__":
    main()
