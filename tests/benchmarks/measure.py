"""Measures four requests of the gateway beside endpoints written by hand that answer the same JSON.

    PYTHONPATH=tests python -m benchmarks.measure [--customers 20000] [--rounds 5] [--seconds 1]
        [--store sqlite|postgresql|both] [--url postgresql+asyncpg://…/]

`--url` names a PostgreSQL server; its user must be allowed to make the database `customergraph_demo_…`. Without
`--url` a server is started for the measurement. SQLite's file is kept in `.test-cache/`. A store that does not
exist is made first: this takes a minute for 20,000 customers with 20 messages, 5 reviews and 10 charges each.

Five servers answer from the same store: each is uvicorn in one process, with the same settings. First their answers
are compared. Then they take turns in `--rounds` rounds: each request is repeated for `--seconds` (and at least five
times), by one client and by 16 at once. So a machine that slows down slows all servers. On a busy machine many
short rounds are better than a few long ones: `--rounds 12 --seconds 0.3`.

by hand        plain SQL and dictionaries on the gateway's own SQLAlchemy engine, with timestamps in the
               driver's usual form: `hand_written`
by hand, bare  the same on the driver alone, aiosqlite or asyncpg: `hand_written_bare`
floor          the same without a look-up of the token and without a snapshot: the least that an endpoint can do
gateway        as it is, with compiled plans
graphql-core   the gateway with `compiled_plans=False`: graphql-core's executor

How to read the first table:

CPU ms      CPU time of the server process for one request, in user and system mode and all threads, with 1 and
            with 16 clients: the median over the rounds. One core answers 1000 divided by this number a second.
DB          the same of all processes of PostgreSQL on this machine, with 16 clients
SQL         statements of one request, without BEGIN and ROLLBACK; of the endpoints by hand one looks up the token
bytes       of the answer, uncompressed
p50, p99    milliseconds from a request's first byte to its answer's last, with 1 and with 16 clients, of
            all requests of all rounds; the client and PostgreSQL use the same machine
MB          the most memory that the process used in the turns of that request

The second table has the gateway's CPU time with 16 clients divided by each other server's: the median of the
rounds' ratios, the smallest and the largest of them, and the aim; `!` marks a missed aim. Only ratios can be
compared between machines. The last line says how many statements SQLAlchemy compiled for the gateway in the
measured rounds: it should be none, since each is compiled once, while the server is warmed.
"""

import argparse
import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks import demos
from benchmarks.load import Load, Turn
from benchmarks.requests import REQUESTS
from benchmarks.servers import KINDS, Server, serving
from customergraph.demo.people import HistoryCounts

COUNTS = HistoryCounts(messages=20, reviews=5, charges=10)
WARMING_SECONDS = 0.5
MANY = 16
NAMES = {
    "hand_written": "by hand",
    "bare": "by hand, bare",
    "floor": "floor",
    "gateway": "gateway",
    "depth_first": "graphql-core",
}
# The aims: the gateway's CPU time divided by another server's, at most.
AIMS = {("postgresql", name, "floor"): aim for name, aim in {"Q1": 1.3, "Q2": 1.1, "Q3": 0.8, "Q4": 0.7}.items()}
Servers = dict[str, Server]


@dataclass
class Measurement:
    """The results of one request to one server; the turns are in the order of the rounds."""

    load: Load
    statements: int
    peak_bytes: int = 0
    alone: list[Turn] = field(default_factory=list)
    crowded: list[Turn] = field(default_factory=list)


@dataclass
class Report:
    """The results on one store, by request and server, and how many statements were prepared."""

    engine: str
    measurements: dict[str, dict[str, Measurement]]
    prepared: int = 0

    def ratios(self, name: str, other: str) -> list[float]:
        """Return the gateway's CPU time over another's, round by round."""
        pair = zip(self.measurements[name]["gateway"].crowded, self.measurements[name][other].crowded, strict=True)
        return [gateway.cpu_ms / other.cpu_ms for gateway, other in pair]


def compare_and_warm(name: str, servers: Servers) -> dict[str, Measurement]:
    """Assert that all servers answer the same JSON, warm them, and count their statements."""
    answers = {which: server.ask(name) for which, server in servers.items()}
    expected = answers["hand_written"].json()["data"]
    for which, answer in answers.items():
        assert answer.json().get("data") == expected, f"{name}, {which}: {answer.text[:500]}"
    measurements = {which: Measurement(server.load(name), server.statements(name)) for which, server in servers.items()}
    for one in measurements.values():
        for clients in (1, MANY):
            one.load.turn(clients, WARMING_SECONDS)
    return measurements


def one_round(servers: Servers, measurements: dict[str, Measurement], seconds: float) -> None:
    """Let the servers take their turns with one request."""
    for which, server in servers.items():
        server.forget_peak()
        measurements[which].alone.append(measurements[which].load.turn(1, seconds))
    for which, server in servers.items():
        measurements[which].crowded.append(measurements[which].load.turn(MANY, seconds))
        measurements[which].peak_bytes = max(measurements[which].peak_bytes, server.peak_bytes())


def measure(engine: str, options: argparse.Namespace) -> Report:
    """Measure on one store."""
    with ExitStack() as running:
        address = running.enter_context(demos.server(engine, options.url))
        store = asyncio.run(demos.store(address, options.customers, COUNTS))
        servers = {which: running.enter_context(serving(which, store.url, store.token)) for which in KINDS}
        report = Report(engine, {name: compare_and_warm(name, servers) for name in REQUESTS})
        servers["gateway"].take_value("/prepared")
        for number in range(options.rounds):
            # In alternating order, so that no server always comes after the same one.
            order = dict(list(servers.items())[:: -1 if number % 2 else 1])
            for name in REQUESTS:
                one_round(order, report.measurements[name], options.seconds)
        report.prepared = int(servers["gateway"].take_value("/prepared"))
        return report


def percentiles(turns: list[Turn]) -> Iterator[str]:
    """Return the 50th and the 99th percentile of all the turns' requests."""
    ordered = sorted(latency for one in turns for latency in one.latencies)
    for share in (0.50, 0.99):
        yield f"{ordered[int(share * (len(ordered) - 1))]:.1f}"


def results_table(report: Report) -> Table:
    """Return the table of each server's results."""
    columns = ("CPU ms: 1", f"{MANY}", "DB", "SQL", "bytes", "p50: 1", "p99: 1", f"p50: {MANY}", f"p99: {MANY}", "MB")
    table = Table(report.engine, "", *columns)
    for column in table.columns[2:]:
        column.justify = "right"
    for name, by_server in report.measurements.items():
        for which, one in by_server.items():
            table.add_row(
                f"{name}: {REQUESTS[name][0]}" if which == "hand_written" else "",
                NAMES[which],
                f"{median(turn.cpu_ms for turn in one.alone):.3f}",
                f"{median(turn.cpu_ms for turn in one.crowded):.3f}",
                f"{median(turn.database_ms for turn in one.crowded):.2f}",
                str(one.statements),
                f"{one.load.size:,}",
                *percentiles(one.alone),
                *percentiles(one.crowded),
                f"{one.peak_bytes / 1e6:.0f}",
                end_section=which == "depth_first",
            )
    return table


def ratios_table(report: Report) -> Table:
    """Return the table of the gateway's CPU time divided by the others', with the aims."""
    others = [which for which in KINDS if which != "gateway"]
    table = Table(f"{report.engine}, gateway over", *(NAMES[which] for which in others))
    for name in REQUESTS:
        table.add_row(name, *(_ratio(report, name, which) for which in others))
    return table


def _ratio(report: Report, name: str, other: str) -> str:
    ratios, aim = report.ratios(name, other), AIMS.get((report.engine, name, other))
    text = f"{median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
    if aim is None:
        return text
    return f"{text}, aim {aim:.2f}{' !' if round(median(ratios), 2) > round(aim, 2) else ''}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each request in each round, twice")
    parser.add_argument("--store", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--url", help="of a PostgreSQL server, such as postgresql+asyncpg://user@host/")
    options, console = parser.parse_args(), Console(width=150)
    for engine in ("sqlite", "postgresql") if options.store == "both" else (options.store,):
        report = measure(engine, options)
        console.print(results_table(report), ratios_table(report))
        console.print(f"Statements prepared in the measured rounds: {report.prepared}{'!' if report.prepared else ''}")


if __name__ == "__main__":
    main()
