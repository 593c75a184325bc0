"""Sends every attack to a real server, and measures how long other clients wait for an answer.

    PYTHONPATH=tests .venv/bin/python -m benchmarks.attacks [--customers 2000] [--times 3]

The attacks are those of the tests, and the worst operations that the limits allow: documents and answers of
the largest size. Each is sent `--times` times, and is new to the server the first time. A second connection
requests `/healthz` without pause. Its longest wait is the longest stall of the event loop. It includes delays
by other programs; the first row, without an attack, shows how long those are.

    bytes      of the request's body
    stall ms   the longest wait of the second connection; more than 100 is a defect
    answer     bytes of the answer, uncompressed
"""

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Self

import httpx
from rich.console import Console
from rich.table import Table

from attacks import ATTACKS, Attack, operation_attack, repeated
from benchmarks.demos import store
from benchmarks.measure import COUNTS
from commands.command import answer
from conftest import free_port
from customergraph.domain.identity import GlobalId, Kind
from customergraph.web.garbage import freeze_startup_objects

LONGEST_STALL_MS = 100
REST_SECONDS = 0.05

CUSTOMER = "id databaseId uuid name firstName lastName email phone company notes city createdAt updatedAt askedAt"
A_MESSAGE = str(GlobalId(Kind.MESSAGE, 100))
LOCATION = "id databaseId slug name displayName code city"
TAG = "id databaseId slug name color icon"
PROJECT = "id databaseId uuid slug name"
# Nine hundred bytes, which are read line by line.
BLOCK_TEXT = '"""' + "\n a" * 300 + '"""'
MESSAGE = "id databaseId uuid channel template status scheduledAt sentAt deliveredAt openedAt createdAt"


def of_every_type(depth: int) -> str:
    """Select of each type with a customer this customer's history, nested so many times."""
    below = "id"
    for _ in range(depth):
        lists = " ".join(
            f"{name}(first: 1) {{ nodes {{ customer {{ {below} }} }} }}" for name in ("messages", "reviews")
        )
        below = f"id {lists}"
    own = " ".join(f"... on {type_} {{ customer {{ {below} }} }}" for type_ in ("Message", "Charge"))
    return f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ __typename {own} }} }}"


def _customer_of_a_message(fields: str) -> str:
    return f"messages(first: 1) {{ nodes {{ customer {{ {fields} }} }} }}"


def spread_everywhere(fragments: int, fields: int) -> str:
    """Spread fragments of customers' fields in each other, up to the limit of fields."""
    names = "id databaseId uuid name firstName lastName email phone company notes".split()
    own = " ".join(names[number % len(names)] for number in range(fields))
    chain = " ".join(
        f"fragment F{number} on Customer {{ {own} {_customer_of_a_message(f'...F{number + 1}')} }}"
        for number in range(fragments)
    )
    return f"{{ customers(first: 1) {{ nodes {{ ...F0 }} }} }} {chain} fragment F{fragments} on Customer {{ {own} }}"


WITHIN_LIMITS: dict[str, Attack] = {
    "4,000 tokens: 38 fields again and again": operation_attack(
        f"{{ customers(first: 1) {{ nodes {{ {f'{CUSTOMER} ' * 100} {f'location {{ {LOCATION} }} ' * 100} "
        f" {f'tags {{ {TAG} }} ' * 100} }} }} {f'project {{ {PROJECT} }} ' * 25} }}",
        None,
    ),
    "4,000 tokens: 26 aliases of a list by as many fragments": operation_attack(
        f"{{ {repeated(26, 'a{0}: customers(first: 1) {{ nodes {{ ...F{0} }} }}'.format)} }}"
        + repeated(26, f"fragment F{{}} on Customer {{{{ {'id ' * 60} {'uuid ' * 60} }}}}".format),
        None,
    ),
    "4,000 tokens: 660 variables with defaults": operation_attack(
        f"query({repeated(660, '$v{}: Int = 1'.format)}) {{ __typename }}", "GRAPHQL_VALIDATION_FAILED"
    ),
    "4,000 tokens: 100 variables with defaults, used": operation_attack(
        f"query({repeated(100, '$v{}: Int = 1'.format)}) {{"
        f" customers(first: 1) {{ nodes {{ {repeated(100, 'messages(first: $v{}) {{ totalCount }}'.format)} }} }} }}",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "4,000 tokens: lists of lists": operation_attack(
        f"{{ nodes(ids: [{repeated(100, lambda _: '[' + '1 ' * 35 + ']')}]) {{ id }} }}", "BAD_USER_INPUT"
    ),
    "4,000 tokens: 440 fields with an argument": operation_attack(
        f"{{ {repeated(440, lambda _: 'node(id: 1) { id }')} }}", "LIMIT_EXCEEDED"
    ),
    "4,000 tokens: 900 arguments of one field": operation_attack(
        f"{{ customers({repeated(900, 'a{}: 1'.format)}) {{ totalCount }} }}", "GRAPHQL_VALIDATION_FAILED"
    ),
    "4,000 tokens: 1,300 unknown fields": operation_attack(
        f"{{ {repeated(1_300, 'f{}'.format)} }}", "GRAPHQL_VALIDATION_FAILED"
    ),
    "4,000 tokens: inline fragments in each other": operation_attack(
        f"{{ {'... { ' * 190} __typename {'} ' * 190} }}", None
    ),
    "4,000 tokens: inline fragments beside each other": operation_attack(
        f"{{ {'... { __typename } ' * 990} }}", "LIMIT_EXCEEDED"
    ),
    "99 kB of a comment": operation_attack("{ __typename } #" + "é" * 49_000, None),
    "99 kB of lines": operation_attack("{ __typename }" + "\n" * 98_000, None),
    "99 kB of lines, and unknown fields": operation_attack(
        "\n" * 90_000 + f"{{ {repeated(1_300, 'f{}'.format)} }}", "GRAPHQL_VALIDATION_FAILED"
    ),
    "99 kB of block text": operation_attack(f"{{ nodes(ids: [{BLOCK_TEXT * 100}]) {{ id }} }}", None),
    "1,000,000 B of variables that are not asked for": operation_attack(
        "{ __typename }", None, {f"v{number}": number for number in range(60_000)}
    ),
    "100 variables of 9 kB, none of which fits": operation_attack(
        f"query({repeated(100, '$v{}: [MessageStatus!]'.format)}) {{ customers(first: 1) {{ nodes {{"
        f" {repeated(100, 'messages(status: $v{0}) {{ totalCount }}'.format)} }} }} }}",
        "GRAPHQL_VALIDATION_FAILED",
        {f"v{number}": ["A" * 90] * 100 for number in range(100)},
    ),
    "a list of 100 objects of 100 lists, for ids": operation_attack(
        "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", "BAD_USER_INPUT", {"ids": [{"a": [[1] * 40] * 99}] * 100}
    ),
    "2,000 fields by fragments in each other": operation_attack(spread_everywhere(5, 330), None),
    "every type, nested by customers": operation_attack(of_every_type(4), None, {"ids": [A_MESSAGE] * 100}),
    "introspection, 10 aliases of all types and fields": operation_attack(
        f"{{ {repeated(10, 't{}: __schema {{ types {{ ...T }} }}'.format)} }} fragment T on __Type {{ name description"
        " fields { name description args { name description defaultValue type { name } } type { name } } }",
        None,
    ),
    "an error for each of 100 customers": operation_attack(
        "{ customers(first: 100) { nodes { name messages(first: 0) { totalCount } } } }", "BAD_USER_INPUT"
    ),
    "errors for 100 ids by 30 aliases": operation_attack(
        f"query($ids: [ID!]!) {{ {repeated(30, 'a{}: nodes(ids: $ids) {{ ...F }}'.format)} }}"
        " fragment F on Node { ... on Message { customer { messages(first: 0) { totalCount } } } }",
        "BAD_USER_INPUT",
        {"ids": [A_MESSAGE] * 100},
    ),
    "100 customers, all fields, 30 aliases": operation_attack(
        f"{{ customers(first: 100) {{ nodes {{ {CUSTOMER} {repeated(30, 'a{}: createdAt'.format)}"
        f" {repeated(30, 'b{}: updatedAt'.format)} }} }} }}",
        None,
    ),
    "2,000 messages": operation_attack(
        f"{{ customers(first: 100) {{ nodes {{ {CUSTOMER} messages(first: 20) {{ nodes {{ {MESSAGE} }} }} }} }} }}",
        None,
    ),
    "40,000 objects": operation_attack(
        "{ customers(first: 100) { nodes { messages(first: 20) { nodes { customer {"
        f" messages(first: 20) {{ nodes {{ {MESSAGE} }} }} }} }} }} }} }} }}",
        None,
    ),
    "40,000 objects, 100 aliases": operation_attack(
        "{ customers(first: 100) { nodes { messages(first: 20) { nodes { customer { messages(first: 20) { nodes {"
        f" {repeated(30, 'a{}: createdAt'.format)} {repeated(30, 'b{}: scheduledAt'.format)}"
        f" {repeated(30, 'c{}: id'.format)} }} }} }} }} }} }} }} }}",
        None,
    ),
}


@dataclass
class Measurement:
    """The answer to an attack, and how long others waited."""

    status: int
    codes: str
    size: int
    stall_ms: float
    seconds: float


class Heartbeat:
    """Requests `/healthz` without pause, and keeps the longest time that an answer took."""

    def __init__(self, url: httpx.URL) -> None:
        self._http = httpx.Client(base_url=url, timeout=60)
        self._stopped = Event()
        self._thread = Thread(target=self._beat)
        self.longest = 0.0

    def _beat(self) -> None:
        while not self._stopped.is_set():
            began = time.perf_counter()
            self._http.get("/healthz")
            self.longest = max(self.longest, time.perf_counter() - began)

    def __enter__(self) -> Self:
        self._http.get("/healthz")
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._http.close()


def measure(http: httpx.Client, attack: Attack, times: int) -> Measurement:
    """Send an attack so many times; returns the worst of its times."""
    longest = seconds = 0.0
    for _ in range(times):
        with Heartbeat(http.base_url) as heart:
            time.sleep(REST_SECONDS)
            began = time.perf_counter()
            response = http.post("/graphql", content=attack.body, headers={"content-type": attack.content_type})
            seconds = max(seconds, time.perf_counter() - began)
            time.sleep(REST_SECONDS)
        longest = max(longest, heart.longest)
    errors = response.json().get("errors", [])
    codes = ", ".join(sorted({error["extensions"]["code"] for error in errors}))
    return Measurement(response.status_code, codes, len(response.content), longest * 1_000, seconds)


def table(rows: list[tuple[str, Attack, Measurement]]) -> Table:
    grid = Table("attack", "bytes", "status", "code", "stall ms", "seconds", "answer")
    for column in (1, 4, 5, 6):
        grid.columns[column].justify = "right"
    for name, attack, one in rows:
        wrong = "" if one.stall_ms <= LONGEST_STALL_MS else " !"
        grid.add_row(
            name,
            f"{len(attack.body):,}",
            str(one.status),
            one.codes or "-",
            f"{one.stall_ms:.0f}{wrong}",
            f"{one.seconds:.2f}",
            f"{one.size:,}",
        )
    return grid


@contextmanager
def serving(database_url: str, token: str) -> Iterator[httpx.Client]:
    """Run the command `serve`; yields a client of it. No bucket is ever empty."""
    port = free_port()
    env = os.environ | {"CUSTOMERGRAPH_BUCKET_SIZE": str(10**9), "CUSTOMERGRAPH_DATABASE_URL": database_url}
    command = [sys.executable, "-m", "customergraph", "serve", "--port", str(port)]
    with subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL) as process:
        try:
            answer(port, token, "{ __typename }")
            # Without compression, which has a thread of its own.
            headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as http:
                yield http
        finally:
            process.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--customers", type=int, default=2_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--only", default="", help="a part of the attacks' names")
    options = parser.parse_args()
    # Otherwise this process's own garbage collector would be measured.
    freeze_startup_objects()
    demo_store = asyncio.run(store(None, options.customers, COUNTS))
    nothing = {"nothing hostile": operation_attack("{ project { slug } }", None)}
    attacks = {name: one for name, one in {**nothing, **ATTACKS, **WITHIN_LIMITS}.items() if options.only in name}
    with serving(demo_store.url, demo_store.token) as http:
        rows = [(name, attack, measure(http, attack, options.times)) for name, attack in attacks.items()]
    Console(width=160).print(table(rows))


if __name__ == "__main__":
    main()
