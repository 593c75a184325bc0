"""What Prometheus is told of each worker.

| metric | labels |
|---|---|
| `customergraph_info` | `version` |
| `customergraph_operations_total` | `operation`, `kind`, `outcome` |
| `customergraph_operation_duration_seconds` (histogram) | `operation` |
| `customergraph_operation_cost_objects` (histogram, the requested cost) | `operation` |
| `customergraph_operation_statements` (histogram) | `operation` |
| `customergraph_refusals_total` | `limit`, the name of its setting |
| `customergraph_cache_requests_total` | `cache` (`documents`, `tokens`), `result` (`hit`, `miss`) |
| `customergraph_operations_running`, `customergraph_operations_waiting`, `customergraph_subscriptions` | |
| `customergraph_subscription_changes_total`, for each subscription that was sent them | |
| `customergraph_pool_connections_in_use`, `customergraph_pool_connections_waiting`, `customergraph_pool_size` | |
| `customergraph_event_loop_lag_seconds` (histogram) | |

`operation` is the name, `anonymous` without one, `none` where the request has no operation that can be told, and
`other` for names that are not among the most seen. `outcome` is as in the log. A subscription is counted when it has
ended, and in no histogram. Gauges are sums over the workers.
"""

import asyncio
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from customergraph.gateway.gateway import Gateway
from customergraph.gateway.record import Record
from customergraph.web.operation_names import ANONYMOUS, MOST_NAMES, NONE, OperationNames

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_OBJECTS = (1, 10, 100, 1_000, 10_000, 50_000)
_STATEMENTS = (0, 1, 2, 3, 5, 10, 20, 50)
_LAGS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1)
SAMPLED_SECONDS = 0.1
# What is seldom told apart is not remembered: looking it up takes a few microseconds.
_REMEMBERED = 10 * MOST_NAMES


class Metrics:
    """The metrics of one worker."""

    def __init__(self, registry: CollectorRegistry, names: OperationNames) -> None:
        self._names = names
        operations = Counter(
            "customergraph_operations", "Operations that ended.", ["operation", "kind", "outcome"], registry=registry
        )
        self._ended = lru_cache(_REMEMBERED)(operations.labels)
        histograms = [
            Histogram(f"customergraph_operation_{name}", text, ["operation"], buckets=buckets, registry=registry)
            for name, text, buckets in (
                ("duration_seconds", "From the head of a request to its answer.", _SECONDS),
                ("cost_objects", "The requested cost of operations.", _OBJECTS),
                ("statements", "Statements of operations.", _STATEMENTS),
            )
        ]
        self._histograms = lru_cache(_REMEMBERED)(lambda name: [one.labels(name) for one in histograms])
        self._refusals = Counter("customergraph_refusals", "Refusals by limits.", ["limit"], registry=registry)
        caches = Counter("customergraph_cache_requests", "Requests to caches.", ["cache", "result"], registry=registry)
        self._documents = [caches.labels("documents", result) for result in ("miss", "hit")]
        self._tokens = [caches.labels("tokens", result) for result in ("miss", "hit")]
        self._changes = Counter(
            "customergraph_subscription_changes", "Changes that subscriptions were sent.", registry=registry
        )
        self._lag = Histogram(
            "customergraph_event_loop_lag_seconds", "How late timers ran.", buckets=_LAGS, registry=registry
        )
        self._gauges = [
            Gauge(f"customergraph_{name}", text, registry=registry, multiprocess_mode="livesum")
            for name, text in (
                ("operations_running", "Operations that have a turn."),
                ("operations_waiting", "Operations that wait for a turn."),
                ("subscriptions", "Subscriptions that are open."),
                ("pool_connections_in_use", "Connections to the store in use."),
                ("pool_connections_waiting", "Transactions that wait for a connection."),
                ("pool_size", "Connections that may be open."),
            )
        ]

    def ended(self, record: Record) -> None:
        """Count an operation."""
        name = self._names.label(record.operation) if record.operation else ANONYMOUS if record.definition else NONE
        self._ended(name, record.kind or NONE, record.outcome).inc()
        if not record.is_stream:
            self._measure(name, record)
        if record.token_was_known is not None:
            self._tokens[record.token_was_known].inc()
        if record.document_was_known is not None:
            self._documents[record.document_was_known].inc()
        for limit in record.limits:
            self.refused(limit)

    def _measure(self, name: str, record: Record) -> None:
        seconds, cost, statements = self._histograms(name)
        seconds.observe(record.seconds)
        cost.observe(record.charge.requested)
        statements.observe(record.usage.statements)

    def refused(self, limit: str) -> None:
        """Count a refusal by the limit of this setting."""
        self._refusals.labels(limit).inc()

    async def sample(self, gateway: Gateway) -> None:
        """Measure the event loop, the pool and the subscriptions, for ever."""
        time = asyncio.get_running_loop().time
        changes_sent = 0
        while True:
            started = time()
            await asyncio.sleep(SAMPLED_SECONDS)
            self._lag.observe(max(0.0, time() - started - SAMPLED_SECONDS))
            for gauge, value in zip(self._gauges, _use(gateway), strict=True):
                gauge.set(value)
            self._changes.inc(gateway.streams.changes_sent - changes_sent)
            changes_sent = gateway.streams.changes_sent


def _use(gateway: Gateway) -> tuple[int, ...]:
    admission, connections = gateway.admission, gateway.database.connections
    return (
        admission.running,
        admission.waiting,
        len(gateway.streams),
        connections.in_use,
        connections.waiting,
        gateway.settings.pool_size,
    )
