"""Spans of operations for OpenTelemetry, exported by OTLP over HTTP as its own variables say (`OTEL_…`).

They are made when an operation has ended, of the times that were noted on the way: so an operation costs nothing
more while nobody traces. None has the text of a document or of a statement, or a variable.
"""

import threading
import time
from importlib.metadata import version
from typing import Any

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from customergraph.gateway.record import Record
from customergraph.store.usage import Text, Usage

_NAME = "customergraph"
# How long a stopping worker waits for the last spans to be exported.
_CLOSE_SECONDS = 2
_SERVER_ERRORS = 500
_propagator = TraceContextTextMapPropagator()


class TracedUsage(Usage):
    """Notes the time of each statement and of each batch of them."""

    __slots__ = ("batches", "ran_statements")

    def __init__(self) -> None:
        super().__init__()
        self.ran_statements: list[tuple[str, float, float]] = []
        self.batches: list[tuple[int, float, float]] = []

    def ran(self, sql: Text, started: float) -> None:
        super().ran(sql, started)
        text = sql if isinstance(sql, str) else sql()
        self.ran_statements.append((text.split(maxsplit=1)[0], started, time.perf_counter()))

    def batched(self, size: int, started: float) -> None:
        self.batches.append((size, started, time.perf_counter()))


class Tracing:
    """Makes the spans of operations, and exports them in a thread of its own."""

    def __init__(self, database: str) -> None:
        self._database = database
        service = Resource({"service.name": _NAME, "service.version": version(_NAME)})
        # What the operator's variables say wins.
        resource = service.merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer(_NAME)

    def usage(self) -> Usage:
        """Return what notes the statements of one operation."""
        return TracedUsage()

    def ended(self, scope: Any, record: Record) -> None:
        """Make the spans of an operation that has ended."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        context = self._span(
            f"{scope['method']} {scope['path']}",
            _propagator.extract(headers, Context()),
            record.began,
            record.ended,
            _attributes(scope, record),
            SpanKind.SERVER,
            has_failed=record.status >= _SERVER_ERRORS,
        )
        if record.read_at is not None:
            self._span("parse and validate", context, *record.read_at)
        usage = record.usage
        if isinstance(usage, TracedUsage):
            self._store_spans(usage, context)

    def _store_spans(self, usage: TracedUsage, context: Context) -> None:
        batches = [
            (self._span("batch", context, started, ended, {"customergraph.batches": size}), started, ended)
            for size, started, ended in usage.batches
        ]
        for operation, started, ended in usage.ran_statements:
            parents = (batch for batch, begins, ends in batches if begins <= started and ended <= ends)
            attributes = {"db.system.name": self._database, "db.operation.name": operation}
            self._span(operation, next(parents, context), started, ended, attributes, SpanKind.CLIENT)

    def _span(
        self,
        name: str,
        context: Context,
        started: float,
        ended: float,
        attributes: dict[str, Any] | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        *,
        has_failed: bool = False,
    ) -> Context:
        """Make a span of times of `time.perf_counter`; returns the context of its children."""
        span = self._tracer.start_span(name, context, kind, attributes, start_time=_nanoseconds(started))
        if has_failed:
            span.set_status(StatusCode.ERROR)
        span.end(_nanoseconds(ended))
        return set_span_in_context(span, context)

    def close(self) -> None:
        """Export the last spans, unless that takes too long."""
        thread = threading.Thread(target=self._provider.shutdown, daemon=True)
        thread.start()
        thread.join(_CLOSE_SECONDS)


def _attributes(scope: Any, record: Record) -> dict[str, Any]:
    attributes = {
        "http.request.method": scope["method"],
        "url.path": scope["path"],
        "http.response.status_code": record.status,
        "graphql.operation.name": record.operation,
        "graphql.operation.type": record.kind,
        "customergraph.document": record.document,
        "customergraph.outcome": record.outcome,
        "customergraph.request_id": record.request_id,
    }
    return {name: value for name, value in attributes.items() if value is not None}


def _nanoseconds(moment: float) -> int:
    return time.time_ns() - int((time.perf_counter() - moment) * 1e9)
