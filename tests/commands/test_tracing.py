"""The spans of `serve`, as a collector gets them by OTLP over HTTP."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import stores
from commands.command import Command, until
from commands.serving import Serve

pytestmark = pytest.mark.slow

NESTED = """query Nested($q: String) {
  customers(first: 5, q: $q) { nodes { name tags { slug } reviews(first: 2) { nodes { score } } } }
}"""
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Collector:
    """Keeps the spans that it gets."""

    def __init__(self) -> None:
        spans: list[Any] = []
        self.spans = spans

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    for scope in resource.scope_spans:
                        spans.extend(scope.spans)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    thread = threading.Thread(target=collector.server.serve_forever)
    thread.start()
    yield collector
    collector.server.shutdown()
    thread.join()
    collector.server.server_close()


def test_a_nested_query_has_spans_for_its_request_document_batches_and_statements(
    command: Command, serve_demo: Serve, collector: Collector
) -> None:
    command.env |= {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    serving = serve_demo(TRACING="true")
    body = {"query": NESTED, "variables": {"q": "amara"}}

    serving.http.post("/graphql", json=body, headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
    until(lambda: len(collector.spans) > 1, "the spans are exported")
    serving.stopped()

    by_name = {span.name: span for span in collector.spans}
    ids = {span.span_id: span.name for span in collector.spans}
    request = by_name["POST /graphql"]
    assert {span.trace_id.hex() for span in collector.spans} == {TRACE}
    assert request.parent_span_id.hex() == PARENT
    attributes = {one.key: one.value for one in request.attributes}
    assert attributes["graphql.operation.name"].string_value == "Nested"
    assert attributes["http.response.status_code"].int_value == 200
    assert attributes["customergraph.outcome"].string_value == "ok"
    assert ids[by_name["parse and validate"].parent_span_id] == "POST /graphql"
    assert ids[by_name["batch"].parent_span_id] == "POST /graphql"
    statements = [span for span in collector.spans if span.name in {"SELECT", "WITH"}]
    in_batches = [span for span in statements if ids[span.parent_span_id] == "batch"]
    # Besides them there is the look-up of the token. PostgreSQL reads a search first, and then all below it at once.
    assert len(in_batches) == len(statements) - 1 == {"sqlite": 3, "postgresql": 2}[stores.engine_of(command.store_url)]
    assert all(span.start_time_unix_nano <= span.end_time_unix_nano for span in collector.spans)
    exported = "".join(map(str, collector.spans))
    assert "amara" not in exported
    assert "customers(" not in exported
    assert "customer.id" not in exported


def test_a_missing_extra_is_told_in_one_line(embedded: Command) -> None:
    (embedded.folder / "opentelemetry").mkdir()
    embedded.file("opentelemetry/__init__.py", "")

    refusal = embedded.refusal("serve", env={"CUSTOMERGRAPH_TRACING": "true", "PYTHONPATH": str(embedded.folder)})

    assert refusal == ("setting CUSTOMERGRAPH_TRACING: the libraries are missing: pip install 'customergraph[tracing]'")


def test_a_collector_that_is_away_delays_no_answer_and_no_stop(embedded: Command, serve_embedded: Serve) -> None:
    embedded.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:9"
    serving = serve_embedded(TRACING="true")

    assert serving.post(NESTED).json()["data"]["customers"]["nodes"]
    assert "Finished server process" in serving.stopped()
