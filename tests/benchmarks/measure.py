"""Measures four requests of the gateway beside endpoints written by hand that answer the same JSON.

    PYTHONPATH=tests python -m benchmarks.measure [--customers 20000] [--rounds 5] [--seconds 1]

The first run makes a store in `.test-cache/` (a minute for 20,000 customers with 20
messages, 5 reviews and 10 charges each); later runs use it again. Both servers are real:
uvicorn, one process each, the same settings, asked over HTTP one request at a time. Their
answers are compared first; then they take turns, `--seconds` of each request (and five at least) in each
of `--rounds` rounds, so that a machine that slows down slows both.

How to read the table, which is made of medians over the rounds:

CPU ms      what one request costs the server process, user and system time, all threads. A core
            gives 1000 divided by this many requests a second. The clock has ticks of 10 ms.
SQL         statements of one request, without BEGIN and ROLLBACK; the token's is one of them
bytes       of the answer, uncompressed
ratio       the gateway's CPU time over that of the endpoint by hand: what GraphQL costs. Only this
            column can be compared between machines; the smallest and largest of the rounds follow it.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from statistics import median

import httpx
from rich.console import Console
from rich.table import Table

from customergraph import demo
from customergraph.domain.principal import Scope
from customergraph.store import access, migrations, upgrades
from customergraph.store.database import Database

CACHE = Path(__file__).parents[2] / ".test-cache"
COUNTS = demo.Counts(messages=20, reviews=5, charges=10)
WARMING = 20
FEWEST = 5
TICKS = os.sysconf("SC_CLK_TCK")

SCALARS = "id name email phone company hasSubscription isArchived signedUpAt reviewedAt createdAt"
OWN = f"{SCALARS} location {{ name displayName city }} tags {{ name color }}"
MESSAGE = "id channel template status scheduledAt sentAt"
REVIEW = "id score body source createdAt"
CHARGE = "id amount currency chargedAt"


def _lists(messages: int) -> str:
    return f"""
        messages(first: {messages}) {{ nodes {{ {MESSAGE} }} }}
        reviews(first: 5) {{ nodes {{ {REVIEW} }} }}
        charges(first: 10) {{ nodes {{ {CHARGE} }} }}"""


def _customers(count: int, fields: str) -> str:
    return f"{{ customers(first: {count}) {{ nodes {{ {fields} }} }} }}"


REQUESTS = {
    "Q1": ("one customer, location, tags", f"query One($id: ID!) {{ customer(id: $id) {{ {OWN} }} }}"),
    "Q2": ("50 customers, ten scalars", _customers(50, SCALARS)),
    "Q3": ("50 customers, all lists", _customers(50, OWN + _lists(10))),
    "Q4": ("100 customers, long lists", _customers(100, SCALARS + _lists(20))),
}
SOME_CUSTOMER = "17"


@dataclass
class Server:
    """A server process, and a client that speaks to it."""

    process: subprocess.Popen[str]
    http: httpx.Client

    def ask(self, name: str) -> httpx.Response:
        """Send the request of that name, in the way that this server takes it."""
        raise NotImplementedError

    def cpu_seconds(self) -> float:
        """Give the CPU time that the process has used, in user and system mode."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def statements(self, name: str) -> int:
        """Count the statements of one request."""
        self.http.get("/statements")
        self.ask(name)
        return int(self.http.get("/statements").text)

    def cpu_ms(self, name: str, seconds: float) -> float:
        """Send one request after another for that long; gives the CPU milliseconds of one."""
        asked, before, until = 0, self.cpu_seconds(), time.perf_counter() + seconds
        while asked < FEWEST or time.perf_counter() < until:
            self.ask(name)
            asked += 1
        return (self.cpu_seconds() - before) * 1000 / asked


class Gateway(Server):
    def ask(self, name: str) -> httpx.Response:
        variables = {"id": SOME_CUSTOMER} if name == "Q1" else {}
        return self.http.post("/graphql", json={"query": REQUESTS[name][1], "variables": variables})


class ByHand(Server):
    def ask(self, name: str) -> httpx.Response:
        return self.http.get(f"/{name}", params={"id": SOME_CUSTOMER} if name == "Q1" else None)


@dataclass
class Measured:
    """What was found about one request; the rounds as pairs of CPU milliseconds."""

    size: int
    statements: tuple[int, int]
    rounds: list[tuple[float, float]] = field(default_factory=list)


@contextmanager
def serving(kind: type[Server], which: str, database_url: str, token: str) -> Iterator[Server]:
    """Run one of the servers of `benchmarks.serve`."""
    command = [sys.executable, "-m", "benchmarks.serve", which, database_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{process.stdout.readline().strip()}"
        # Compression is not what is compared.
        headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
        try:
            with httpx.Client(base_url=url, headers=headers, timeout=60) as http:
                yield kind(process, http)
        finally:
            process.terminate()


async def store(customers: int) -> tuple[str, str]:
    """Give the store's URL and a token for it; the store is made unless it is there."""
    # A store belongs to the migrations that made it.
    versions = sorted((Path(migrations.__file__).parent / "versions").glob("*.py"))
    digest = sha256(b"".join(path.read_bytes() for path in versions)).hexdigest()[:8]
    path = CACHE / f"benchmark-{customers}-{digest}.db"
    if not path.exists():
        await _make(path, customers)
    database = Database(f"sqlite+aiosqlite:///{path}")
    token = await access.create_token(database, demo.SLUG, "benchmark", set(Scope), None)
    await database.close()
    return database.url, token


async def _make(path: Path, customers: int) -> None:
    path.parent.mkdir(exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    database = Database(f"sqlite+aiosqlite:///{unfinished}")
    await upgrades.upgrade(database)
    await demo.fill(database, customers, COUNTS)
    await database.close()
    unfinished.rename(path)


def compared(name: str, gateway: Server, by_hand: Server) -> Measured:
    """Assert that both give the same JSON, warm both, and count what does not vary."""
    answers = [server.ask(name) for server in (gateway, by_hand)]
    assert answers[0].json()["data"] == answers[1].json()["data"], f"{name}: the answers differ"
    assert answers[0].json().get("data"), f"{name}: {answers[0].text[:500]}"
    for _ in range(WARMING):
        gateway.ask(name)
        by_hand.ask(name)
    return Measured(len(answers[0].content), (gateway.statements(name), by_hand.statements(name)))


def table(found: dict[str, Measured]) -> Table:
    shown = Table("request", "", "CPU ms: gateway", "by hand", "SQL: gateway", "by hand", "bytes", "ratio", "from-to")
    for column in shown.columns[2:]:
        column.justify = "right"
    for name, measured in found.items():
        ratios = [gateway / by_hand for gateway, by_hand in measured.rounds]
        shown.add_row(
            name,
            REQUESTS[name][0],
            *(f"{median(times):.2f}" for times in zip(*measured.rounds, strict=True)),
            *map(str, measured.statements),
            f"{measured.size:,}",
            f"{median(ratios):.1f}",
            f"{min(ratios):.1f}-{max(ratios):.1f}",
        )
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each request in each round")
    chosen = parser.parse_args()
    url, token = asyncio.run(store(chosen.customers))
    with serving(Gateway, "gateway", url, token) as gateway, serving(ByHand, "by_hand", url, token) as by_hand:
        found = {name: compared(name, gateway, by_hand) for name in REQUESTS}
        for _ in range(chosen.rounds):
            for name, measured in found.items():
                pair = gateway.cpu_ms(name, chosen.seconds), by_hand.cpu_ms(name, chosen.seconds)
                measured.rounds.append(pair)
    Console(width=130).print(table(found))


if __name__ == "__main__":
    main()
