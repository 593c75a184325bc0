"""The metrics of `serve`, right across its workers."""

import os
import signal
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from commands.command import Command, until
from commands.serving import Serve, Serving
from conftest import free_port
from event_stream import subscribed
from graphql_client import GraphQLClient
from processes import workers_of

pytestmark = pytest.mark.slow

FIND = "query Find($q: String) { customers(q: $q, first: 3) { nodes { name tags { slug } } } }"
CREATE = "mutation Add($input: CreateCustomerInput!) { createCustomer(input: $input) { userErrors { code } } }"
PREFIX = "customergraph_"


class Scrape:
    """What Prometheus would read."""

    def __init__(self, port: int) -> None:
        text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        self.samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    def total(self, name: str, **labels: str) -> float:
        """Return the sum of the samples that have these labels."""
        return sum(
            sample.value
            for sample in self.samples
            if sample.name == PREFIX + name and labels.items() <= sample.labels.items()
        )

    def by(self, name: str, *labels: str) -> Counter[tuple[str, ...]]:
        """Return the sums of the samples by labels."""
        sums: Counter[tuple[str, ...]] = Counter()
        for sample in self.samples:
            if sample.name == PREFIX + name:
                sums[tuple(sample.labels[label] for label in labels)] += int(sample.value)
        return sums


def send_many(serving: Serving) -> None:
    """Send operations of several outcomes at once, each on a connection of its own, so that all workers get some."""

    def send(number: int) -> None:
        with serving.client() as http:
            for body in (
                {"query": FIND, "variables": {"q": "a"}},
                {"query": CREATE, "variables": {"input": {"firstName": f"New {number}"}}},
                {"query": CREATE, "variables": {"input": {"firstName": " "}}},
                {"query": "{ customers(first: 100) { nodes { charges(first: 100) { nodes { id } } } } }"},
                {"query": "{ nothing }"},
                {"query": "{"},
            ):
                http.post("/graphql", json=body)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(40)))


def test_metrics_are_the_sums_of_what_all_workers_did(serve_embedded: Serve) -> None:
    port = free_port()
    serving = serve_embedded(METRICS_PORT=str(port), WORKERS="2", COST_LIMIT="1000", BUCKET_SIZE="1000000")

    send_many(serving)

    scrape = Scrape(port)
    operations = serving.operations()
    assert scrape.by("operations_total", "operation", "kind", "outcome") == {
        ("Find", "query", "ok"): 40,
        ("Add", "mutation", "ok"): 40,
        ("Add", "mutation", "user_errors"): 40,
        ("anonymous", "query", "LIMIT_EXCEEDED"): 40,
        ("anonymous", "query", "GRAPHQL_VALIDATION_FAILED"): 40,
        ("none", "none", "GRAPHQL_PARSE_FAILED"): 40,
    }
    assert scrape.by("operation_duration_seconds_count", "operation") == scrape.by("operations_total", "operation")
    assert scrape.total("operation_statements_sum") == sum(line["statements"] for line in operations)
    assert scrape.total("operation_cost_objects_sum") == sum(line["cost_requested"] for line in operations)
    assert scrape.total("operation_cost_objects_bucket", operation="Find", le="100.0") == 40
    seconds = sum(line["milliseconds"] for line in operations) / 1000
    assert scrape.total("operation_duration_seconds_sum") == pytest.approx(seconds, abs=0.01)
    assert scrape.by("refusals_total", "limit") == {("COST_LIMIT",): 40}
    assert scrape.total("cache_requests_total", cache="documents") == 240
    assert scrape.total("cache_requests_total", cache="tokens") == 240
    assert scrape.total("info") == 1


def test_gauges_tell_of_living_workers_alone_and_counters_of_all(serve_embedded: Serve) -> None:
    port = free_port()
    serving = serve_embedded(METRICS_PORT=str(port), WORKERS="2", POOL_SIZE="7")
    send_many(serving)
    until(lambda: Scrape(port).total("pool_size") == 14, "both workers tell of their pools")
    before = Scrape(port)
    killed = workers_of(serving.pid)[0]

    os.kill(killed, signal.SIGKILL)

    until(lambda: killed not in workers_of(serving.pid), "the worker is replaced")
    until(lambda: Scrape(port).total("pool_size") == 14, "the new worker tells of its pool")
    after = Scrape(port)
    assert after.by("operations_total", "operation") == before.by("operations_total", "operation")
    assert after.total("pool_connections_in_use") == 0
    assert after.total("operations_running") == 0
    assert after.total("event_loop_lag_seconds_count") > before.total("event_loop_lag_seconds_count")


def test_subscriptions_are_counted_while_they_are_open_and_so_are_the_changes_they_are_sent(
    serve_embedded: Serve,
) -> None:
    port = free_port()
    serving = serve_embedded(METRICS_PORT=str(port), WORKERS="2")
    client = GraphQLClient(str(serving.http.base_url), serving.token)
    with subscribed(client, "subscription { changes { nodes { action } } }") as first:
        next(first)
        with subscribed(client, "subscription { changes { nodes { action } } }") as second:
            next(second)
            serving.post(CREATE, {"input": {"firstName": "Ann"}})
            changes = sum(len(next(events)["data"]["changes"]["nodes"]) for events in (first, second))
            until(lambda: Scrape(port).total("subscriptions") == 2, "two subscriptions are open")
    client.close()

    until(lambda: Scrape(port).total("subscriptions") == 0, "both are closed")
    assert changes == 2
    assert Scrape(port).total("subscription_changes_total") == 2


@pytest.mark.parametrize("workers", ["1", "2"])
def test_clients_cannot_make_more_than_a_hundred_names(serve_embedded: Serve, workers: str) -> None:
    port = free_port()
    serving = serve_embedded(METRICS_PORT=str(port), WORKERS=workers)

    for number in range(130):
        serving.post(f"query Once{number} {{ project {{ slug }} }}")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: serving.post("query Often { project { slug } }"), range(60)))

    operations = Scrape(port).by("operations_total", "operation")
    assert operations.total() == 190
    assert len(operations) == 52
    assert operations["other",] >= 80
    assert operations["Often",] >= 30


def test_the_folder_of_the_workers_metrics_is_gone_after_the_stop(
    serve_embedded: Serve, embedded: Command, tmp_path: Path
) -> None:
    embedded.env["TMPDIR"] = str(tmp_path)
    serving = serve_embedded(METRICS_PORT=str(free_port()), WORKERS="2")
    serving.post(FIND)
    (folder,) = tmp_path.glob("customergraph-metrics-*")
    assert list(folder.glob("counter_*.db"))

    serving.stopped()

    assert not folder.exists()


def test_a_port_that_is_taken_is_told_in_one_line(embedded: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        refusal = embedded.refusal("serve", "--port", free_port(), env={"CUSTOMERGRAPH_METRICS_PORT": str(port)})

    assert refusal == (
        f"cannot listen on 127.0.0.1, port {port}: Address already in use (setting CUSTOMERGRAPH_METRICS_PORT)"
    )
