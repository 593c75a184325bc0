"""Reports on requests: metrics, and a line of log for each, which never has a document, a variable or an answer."""

import time
from typing import Any

from customergraph.errors import Overloaded, StoreUnavailable, TimedOut
from customergraph.gateway.record import OK, Record
from customergraph.logs import EVENT, LOGGER
from customergraph.settings import Settings
from customergraph.web.lines import Lines
from customergraph.web.metrics import Metrics
from customergraph.web.tracing_extra import tracing

# An operation that ended so is a warning, as a slow one is.
_ALARMING = frozenset({TimedOut.code, Overloaded.code, StoreUnavailable.code, "INTERNAL_SERVER_ERROR"})
# A statement of many batches is longer than what many collectors of logs take as one line.
MOST_SQL_CHARACTERS = 8_000


class Reports:
    """Tells of each request when it has ended."""

    def __init__(self, settings: Settings, metrics: Metrics | None = None) -> None:
        self._lines = Lines(settings.log_format)
        self._slow = settings.slow
        self.metrics = metrics
        self._tracing = tracing(settings)

    def record(self, request_id: str, *, is_operation: bool = False) -> Record:
        """Return the record of a request that begins."""
        if self._tracing is None:
            return Record(request_id, is_operation=is_operation)
        return Record(request_id, is_operation=is_operation, usage=self._tracing.usage())

    def answered(self, scope: Any, record: Record) -> None:
        """Tell of a request that is answered now."""
        record.ended = time.perf_counter()
        if record.is_operation:
            self._operation(scope, record)
            if self.metrics:
                self.metrics.ended(record)
            if self._tracing:
                self._tracing.ended(scope, record)
        else:
            self._request(scope, record)

    def _request(self, scope: Any, record: Record) -> None:
        self._lines.add(
            "info",
            {
                EVENT: "request",
                "method": scope["method"],
                # As it was sent: percent-encoded, it can break no line.
                "path": scope["raw_path"].decode("ascii", "backslashreplace"),
                "status": record.status,
                "milliseconds": _milliseconds(record.seconds),
                "client": _client(scope),
                "request_id": record.request_id,
                LOGGER: "customergraph.requests",
            },
        )

    def _operation(self, scope: Any, record: Record) -> None:
        outcome, usage, token = record.outcome, record.usage, record.token
        line = {
            EVENT: "operation",
            "operation": record.operation,
            "kind": record.kind,
            "outcome": outcome,
            "status": record.status,
            "document": record.document,
            "project": token and token.project,
            "token": token and token.prefix,
            "cost_requested": record.charge.requested,
            "cost_actual": record.charge.actual,
            "statements": usage.statements,
            "rows": usage.rows,
            "objects": record.objects,
            "bytes": record.bytes,
            "milliseconds": _milliseconds(record.seconds),
            "milliseconds_receiving": _milliseconds(record.receiving),
            "milliseconds_waiting": _milliseconds(record.waited + usage.waited),
            "milliseconds_database": _milliseconds(usage.seconds),
            "client": _client(scope),
            "request_id": record.request_id,
            LOGGER: "customergraph.operations",
        }
        if outcome != OK:
            line |= _mistakes(record)
        is_slow = record.seconds - record.receiving >= self._slow and not record.is_stream
        is_warning = is_slow or outcome in _ALARMING
        if is_warning and usage.statements:
            line["statement"] = usage.longest[:MOST_SQL_CHARACTERS]
            line["milliseconds_statement"] = _milliseconds(usage.longest_seconds)
        self._lines.add("warning" if is_warning else "info", line)

    def refused_head(self) -> None:
        """Count a request whose head was too large to be read."""
        if self.metrics:
            self.metrics.refused("HEAD_LIMIT")

    def close(self) -> None:
        """Write what is not written yet, and export what is not exported."""
        self._lines.flush()
        if self._tracing:
            self._tracing.close()


def _mistakes(record: Record) -> dict[str, Any]:
    """Return what is told of an operation that is not ok, as far as there is such."""
    mistakes = {"errors": record.errors_by_code(), "limits": record.limits, "user_errors": record.user_errors_by_code()}
    return {name: value for name, value in mistakes.items() if value}


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 2)


def _client(scope: Any) -> str | None:
    client = scope.get("client")
    return f"{client[0]}:{client[1]}" if client else None
