"""Measures imports: rows a second, CPU and memory of the command, on both stores.

    PYTHONPATH=tests .venv/bin/python -m benchmarks.imports [--customers 100000] [--rows 500000] [--rounds 1]
        [--url postgresql+asyncpg://…/] [--against /other/checkout/src] [--kinds customers charges]

Each round imports the same CSV files into a new store. `--url` names a PostgreSQL server, whose user may make
databases; without it only SQLite is measured. `--against` measures the code of another checkout in turn with this one,
by the same Python. Memory is the sum of what each process of the command has had resident at most; CPU is that of the
command, without the database server's.
"""

import argparse
import asyncio
import csv
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.writes import postgresql

HERE = Path(__file__).parents[2] / "src"
DAY = 86_400
FIRST, SPAN = 1_600_000_000, 150_000_000
CATALOG = {
    "locations": (("slug", "name"), [(f"shop-{number}", f"Shop {number}") for number in range(5)]),
    "tags": (("slug", "name"), [(f"tag-{number}", f"Tag {number}") for number in range(8)]),
}
FILES = ("customers", "charges", "messages", "reviews")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one import took: seconds, those of CPU, and megabytes."""

    seconds: float
    cpu: float
    memory: float


def write_files(folder: Path, customers: int, rows: int) -> dict[str, int]:
    """Write a file of each kind, the same ones every time; returns how many rows each has."""
    chance = random.Random(20260101)  # noqa: S311 - reproducible
    files: dict[str, tuple[Sequence[str], Iterable[Sequence[object]]]] = {
        **CATALOG,
        "customers": (
            ("first_name", "last_name", "email", "phone", "location", "city", "created_at", "tags"),
            _customers(chance, customers),
        ),
        "charges": (("email", "amount", "currency", "charged_at"), _charges(chance, customers, rows)),
        "messages": (
            ("email", "channel", "template", "scheduled_at", "sent_at", "opened_at"),
            _messages(chance, customers, rows),
        ),
        "reviews": (("email", "score", "body", "source", "created_at"), _reviews(chance, customers, rows)),
    }
    for kind, (header, lines) in files.items():
        with (folder / f"{kind}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows(lines)
    return {"customers": customers, **dict.fromkeys(FILES[1:], rows)}


def _email(number: int) -> str:
    return f"person.{number}@example{number % 50}.com"


def _at(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _customers(chance: random.Random, count: int) -> Iterator[Sequence[object]]:
    for number in range(count):
        tags = ",".join(f"tag-{tag}" for tag in chance.sample(range(8), number % 3))
        phone = f"+1415{2_000_000 + number:07d}"
        at = _at(FIRST + chance.randrange(SPAN))
        yield (f"Ada {number % 997}", "Lovelace", _email(number), phone, f"shop-{number % 5}", "Berlin", at, tags)


def _charges(chance: random.Random, customers: int, count: int) -> Iterator[Sequence[object]]:
    for _ in range(count):
        at = _at(FIRST + chance.randrange(SPAN))
        yield _email(chance.randrange(customers)), chance.randrange(500, 90_000), "USD", at


def _messages(chance: random.Random, customers: int, count: int) -> Iterator[Sequence[object]]:
    for _ in range(count):
        at = FIRST + chance.randrange(SPAN)
        opened = _at(at + DAY) if chance.random() < 0.5 else ""
        yield _email(chance.randrange(customers)), "email", "request", _at(at), _at(at + 5), opened


def _reviews(chance: random.Random, customers: int, count: int) -> Iterator[Sequence[object]]:
    for _ in range(count):
        at = _at(FIRST + chance.randrange(SPAN))
        body = "Had to wait far too long, and nobody told us why."
        yield _email(chance.randrange(customers)), chance.randrange(1, 6), body, "google", at


class Memory(threading.Thread):
    """Watches a process and its descendants, and keeps what each has had resident at most."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._peaks: dict[int, int] = {}

    def run(self) -> None:
        while Path(f"/proc/{self._pid}").exists():
            for pid in _with_descendants(self._pid):
                self._peaks[pid] = max(self._peaks.get(pid, 0), _peak_kilobytes(pid))
            time.sleep(0.05)

    @property
    def megabytes(self) -> float:
        return sum(self._peaks.values()) / 1024


def _with_descendants(pid: int) -> Iterator[int]:
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from _with_descendants(int(child))


def _peak_kilobytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def command(source: Path, url: str, *arguments: str) -> Cost:
    """Run a command of the product, by the code in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(source), "CUSTOMERGRAPH_DATABASE_URL": url}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "customergraph", *arguments],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        memory = Memory(process.pid)
        memory.start()
        _, told = process.communicate()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise SystemExit(told)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(time.monotonic() - began, cpu, memory.megabytes)


def import_all(source: Path, url: str, folder: Path, kinds: Sequence[str]) -> dict[str, Cost]:
    """Import the files into a new store; returns what each kind took."""
    command(source, url, "db", "upgrade")
    command(source, url, "project", "create", "acme", "--name", "Acme")
    costs = {}
    for kind in (*CATALOG, "customers", *(kind for kind in kinds if kind != "customers")):
        costs[kind] = command(source, url, "import", kind, str(folder / f"{kind}.csv"), "--project", "acme")
    return costs


async def rounds(engine: str, arguments: argparse.Namespace, folder: Path) -> dict[Path, list[dict[str, Cost]]]:
    sources = [HERE, *([arguments.against] if arguments.against else [])]
    costs: dict[Path, list[dict[str, Cost]]] = {source: [] for source in sources}
    for _ in range(arguments.rounds):
        for source in sources:
            async with AsyncExitStack() as stack:
                if engine == "SQLite":
                    store = stack.enter_context(tempfile.TemporaryDirectory())
                    url = f"sqlite+aiosqlite:///{store}/imports.db"
                else:
                    url = await stack.enter_async_context(postgresql(arguments.url))
                costs[source].append(import_all(source, url, folder, arguments.kinds))
    return costs


def cells(costs: list[Cost], rows: int) -> Sequence[str]:
    seconds, cpu = median(cost.seconds for cost in costs), median(cost.cpu for cost in costs)
    memory = max(cost.memory for cost in costs)
    return f"{rows / seconds:,.0f}", f"{1e6 * cpu / rows:,.0f}", f"{memory:,.0f}"


async def main(arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        counts = write_files(folder, arguments.customers, arguments.rows)
        table = Table("store", "kind", "code", "rows a second", "CPU (µs a row)", "memory (MB)", "ratio")
        for engine in ("SQLite", "PostgreSQL") if arguments.url else ("SQLite",):
            costs = await rounds(engine, arguments, folder)
            for kind in arguments.kinds:
                ours = median(round_[kind].seconds for round_ in costs[HERE])
                for source, of_source in costs.items():
                    of_kind = [round_[kind] for round_ in of_source]
                    ratio = median(cost.seconds for cost in of_kind) / ours
                    table.add_row(engine, kind, str(source), *cells(of_kind, counts[kind]), f"{ratio:.2f}")
    Console().print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--kinds", nargs="+", choices=FILES, default=FILES)
    parser.add_argument("--url")
    parser.add_argument("--against", type=Path)
    asyncio.run(main(parser.parse_args()))
