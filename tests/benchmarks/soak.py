"""Sends a real server requests that fill its memory, and prints how much memory it takes.

    PYTHONPATH=tests .venv/bin/python -m benchmarks.soak [--seconds 600] [--customers 2000]

It sends at the same time: documents, each of them once, small and large ones, valid and invalid ones; requests
whose clients leave before the answer; and mutations. Every ten seconds it prints the resident memory and the
number of requests. The exit code is 1 if the last minute takes more than 1.2 times the memory of the third
minute. A run of less than five minutes compares with a minute after three tenths of its time.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

import httpx

from benchmarks.attacks import CUSTOMER, MESSAGE, WITHIN_LIMITS
from benchmarks.demos import store
from benchmarks.measure import COUNTS
from conftest import free_port
from mutations import CREATE
from processes import workers_of

EVERY_SECONDS = 10
START_SECONDS = 120
MINUTE = 60
GROWTH = 1.2
LARGE = [
    json.loads(attack.body)["query"] for name, attack in WITHIN_LIMITS.items() if name.startswith(("4,000", "99 kB"))
]
NOTES = "mutation($id: ID!, $notes: String) { updateCustomerNotes(id: $id, notes: $notes) { customer { notes } } }"
HISTORY = f"{{ customers(first: 100) {{ nodes {{ {CUSTOMER} messages(first: 20) {{ nodes {{ {MESSAGE} }} }} }} }} }}"

Client = Callable[[httpx.AsyncClient, int], Awaitable[str]]


def _some(words: str) -> str:
    names = words.split()
    return " ".join(random.sample(names, random.randint(1, len(names))))  # noqa: S311 - no secret


def _document(number: int) -> str:
    """Return a document that was not sent before."""
    if number % 10 == 0:
        return f"{random.choice(LARGE)} # {number}"  # noqa: S311
    wrong = " unknown" if number % 10 == 1 else ""
    return (
        f"query Q{number}($skipped: Boolean = false) {{ customers(first: {number % 20 + 1}, sortKey: NAME) {{ nodes {{"
        f" a{number}: name {_some(CUSTOMER)}{wrong} location @skip(if: $skipped) {{ id slug }}"
        f" messages(first: {number % 5 + 1}) {{ nodes {{ {_some(MESSAGE)} }} }} }} }} }}"
    )


async def reads(http: httpx.AsyncClient, number: int) -> str:
    variables = {"skipped": bool(number % 2)}
    response = await http.post("/graphql", json={"query": _document(number), "variables": variables})
    return f"documents {response.status_code}"


async def leaves(http: httpx.AsyncClient, number: int) -> str:
    """Leave before the answer has come."""
    patience = httpx.Timeout(10, read=0.005 * (number % 10 + 1))
    try:
        await http.post("/graphql", json={"query": f"query Q{number} {HISTORY}"}, timeout=patience)
    except httpx.ReadTimeout:
        return "left"
    return "stayed"


async def writes(http: httpx.AsyncClient, number: int) -> str:
    new = {"firstName": f"Soak {number}", "email": f"soak{number}@soak{number}.example.com"}
    created = await http.post("/graphql", json={"query": CREATE, "variables": {"input": new}})
    changed = {"id": str(number % 1_000 + 1), "notes": f"note {number}" * (number % 100)}
    await http.post("/graphql", json={"query": NOTES, "variables": changed})
    return f"mutations {created.status_code}"


CLIENTS: tuple[Client, ...] = (reads, reads, reads, reads, leaves, leaves, writes)


def until_it_lives(base: str) -> None:
    """Wait for a server, on a busy machine too."""
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            httpx.get(f"{base}/healthz", timeout=START_SECONDS).raise_for_status()
        except httpx.TransportError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return


def resident_mb(process: int) -> float:
    """Return the resident memory of a process."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def soak(base: str, token: str, process: int, seconds: float) -> list[float]:
    """Send all kinds of requests for so many seconds; returns the resident memory after each ten seconds."""
    requests: Counter[str] = Counter()
    until = time.monotonic() + seconds
    memory: list[float] = []
    headers = {"Authorization": f"Bearer {token}"}

    async def go_on(client: Client, first: int) -> None:
        number = first
        async with httpx.AsyncClient(base_url=base, headers=headers, timeout=60) as http:
            while time.monotonic() < until:
                requests[await client(http, number)] += 1
                number += len(CLIENTS)

    async def look() -> None:
        while time.monotonic() < until:
            await asyncio.sleep(EVERY_SECONDS)
            memory.append(resident_mb(process))
            counts = ", ".join(f"{name} {count:,}" for name, count in sorted(requests.items()))
            print(f"{len(memory) * EVERY_SECONDS:4d} s  {memory[-1]:6.1f} MB  {counts}", flush=True)  # noqa: T201

    await asyncio.gather(look(), *(go_on(client, place) for place, client in enumerate(CLIENTS)))
    return memory


def grew(memory: list[float]) -> float:
    """Return how many times the third minute's memory the last minute's is."""
    minute = MINUTE // EVERY_SECONDS
    first = min(2 * minute, len(memory) * 3 // 10)
    return median(memory[-minute:]) / median(memory[first : first + minute])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--customers", type=int, default=2_000)
    options = parser.parse_args()
    demo_store, port = asyncio.run(store(None, options.customers, COUNTS)), free_port()
    with tempfile.TemporaryDirectory() as folder:
        path = shutil.copy(demo_store.url.partition("///")[2], folder)
        env = os.environ | {
            "CUSTOMERGRAPH_BUCKET_SIZE": str(10**9),
            "CUSTOMERGRAPH_DATABASE_URL": f"sqlite+aiosqlite:///{path}",
        }
        command = [sys.executable, "-m", "customergraph", "serve", "--port", str(port)]
        with subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL) as process:
            try:
                until_it_lives(f"http://127.0.0.1:{port}")
                (worker,) = workers_of(process.pid)
                print(f"   0 s  {resident_mb(worker):6.1f} MB", flush=True)  # noqa: T201
                memory = asyncio.run(soak(f"http://127.0.0.1:{port}", demo_store.token, worker, options.seconds))
            finally:
                process.terminate()
    print(f"the last minute takes {grew(memory):.2f} times what the third took")  # noqa: T201
    sys.exit(grew(memory) > GROWTH)


if __name__ == "__main__":
    main()
