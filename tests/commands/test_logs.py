"""The log of `serve`: one line for each operation."""

import json
import re
from hashlib import sha256

import httpx
import pytest

import stores
from commands.command import Command
from commands.serving import Serve
from customergraph import demo
from customergraph.store import access
from faults.sessions import locked
from mutations import on_customer

pytestmark = pytest.mark.slow

QUERY = "query Names { customers(first: 3) { nodes { name tags { slug } } } }"
CREATE = "mutation Add($input: CreateCustomerInput!) { createCustomer(input: $input) { userErrors { code } } }"


def test_an_operation_has_one_line_with_all_that_is_known_of_it(serve_demo: Serve, command: Command) -> None:
    serving = serve_demo()

    answer = serving.http.post(
        "/graphql", json={"query": QUERY}, headers={"X-Request-ID": "mine-1", "Accept-Encoding": "identity"}
    )

    (line,) = serving.operations()
    times = {name: line.pop(name) for name in list(line) if name.startswith("milliseconds")}
    assert times.keys() == {f"milliseconds{which}" for which in ("", "_receiving", "_waiting", "_database")}
    assert 0 < times["milliseconds_database"] < times["milliseconds"]
    line.pop("timestamp")
    assert line.pop("client").startswith("127.0.0.1:")
    nodes = answer.json()["data"]["customers"]["nodes"]
    # One statement, with one row, looks up the token.
    assert line.pop("rows") == 1 + len(nodes) + sum(len(node["tags"]) for node in nodes)
    assert line.pop("statements") == 1 + {"sqlite": 2, "postgresql": 1}[stores.engine_of(command.store_url)]
    assert line == {
        "event": "operation",
        "level": "info",
        "logger": "customergraph.operations",
        "request_id": "mine-1",
        "operation": "Names",
        "kind": "query",
        "outcome": "ok",
        "status": 200,
        "document": sha256(QUERY.encode()).hexdigest(),
        "project": demo.SLUG,
        "token": serving.token[: access.PREFIX_LENGTH],
        "cost_requested": 33,
        "cost_actual": answer.json()["extensions"]["cost"]["actual"],
        "objects": answer.json()["extensions"]["cost"]["actual"],
        "bytes": len(answer.content),
    }


def test_the_outcome_names_what_went_wrong(serve_embedded: Serve) -> None:
    serving = serve_embedded(DEPTH_LIMIT="4", COST_LIMIT="1000")
    email = "taken@example.com"

    serving.post(CREATE, {"input": {"firstName": "Ann", "email": email}}, operationName="Add")
    serving.post(CREATE, {"input": {"firstName": " ", "email": email}}, operationName="Add")
    serving.post("{ customers { nodes { reviews { nodes { id } } } } }")
    serving.post("query Many { customers(first: 100) { nodes { tags { slug } } } }", operationName="Many")
    serving.post("query Bad { customers(first: 101) { nodes { id } } }", operationName="Bad")
    serving.post("query Broken { customers(", operationName="Broken")
    serving.post("{ nothing }", operationName="no name at all")
    serving.http.get("/graphql", params={"query": QUERY})
    serving.http.post("/graphql", content="{", headers={"Content-Type": "application/json"})
    serving.http.post("/graphql", json={"query": QUERY}, headers={"Authorization": "Bearer cg_unknown"})

    outcomes = [
        (line["operation"], line["kind"], line["outcome"], line.get("user_errors") or line.get("limits"))
        for line in serving.operations()
    ]
    assert outcomes == [
        ("Add", "mutation", "ok", None),
        ("Add", "mutation", "user_errors", {"BLANK": 1, "TAKEN": 1}),
        (None, None, "LIMIT_EXCEEDED", ["DEPTH_LIMIT"]),
        ("Many", "query", "LIMIT_EXCEEDED", ["COST_LIMIT"]),
        ("Bad", "query", "BAD_USER_INPUT", None),
        (None, None, "GRAPHQL_PARSE_FAILED", None),
        (None, None, "OPERATION_RESOLUTION_FAILURE", None),
        ("Names", "query", "ok", None),
        (None, None, "BAD_REQUEST", None),
        (None, None, "UNAUTHENTICATED", None),
    ]


def test_a_slow_operation_is_a_warning_with_the_statement_that_took_longest(serve_demo: Serve) -> None:
    serving = serve_demo(SLOW="0.0001")

    serving.post("query Slow($q: String) { customers(q: $q) { nodes { id } } }", {"q": "amara"})

    (line,) = serving.operations()
    assert line["level"] == "warning"
    assert "SELECT" in line["statement"]
    assert "FROM customer" in line["statement"]
    assert "amara" not in line["statement"]
    assert 0 < line["milliseconds_statement"] <= line["milliseconds_database"]


def test_what_ends_before_its_time_says_so_in_its_line(serve_demo: Serve, command: Command) -> None:
    serving = serve_demo(DEADLINE="1")
    archive = on_customer("archiveCustomer").replace("mutation", "mutation Archive")

    with locked(command.store_url):
        with pytest.raises(httpx.ReadTimeout):
            serving.http.post("/graphql", json={"query": archive, "variables": {"id": 1}}, timeout=0.2)
        late = serving.post(archive, {"id": 1})

    lines = sorted(serving.operations(), key=lambda line: line["outcome"])
    assert late.status_code == 504
    assert [(line["operation"], line["outcome"], line["status"]) for line in lines] == [
        ("Archive", "TIMEOUT", 504),
        ("Archive", "canceled", 499),
    ]
    assert [line["level"] for line in lines] == ["warning", "info"]


def test_a_request_for_no_operation_has_a_line_of_its_own(serve_embedded: Serve) -> None:
    serving = serve_embedded(HOSTS="known.example.com")

    serving.http.get("/nothing")
    serving.http.get("/graphql", headers={"Accept": "text/html"})
    serving.http.options("/graphql", headers={"Origin": "https://x.org", "Access-Control-Request-Method": "POST"})
    serving.http.post("/graphql", json={"query": QUERY}, headers={"Host": "unknown.example.com"})

    lines = [json.loads(line) for line in serving.stopped().splitlines()]
    requests = [(line["method"], line["path"], line["status"]) for line in lines if line["event"] == "request"]
    assert [request for request in requests if request[1] != "/healthz"] == [
        ("GET", "/nothing", 404),
        ("GET", "/graphql", 200),
        ("OPTIONS", "/graphql", 400),
        ("POST", "/graphql", 421),
    ]
    assert not [line for line in lines if line["event"] == "operation"]


def test_a_start_says_what_is_served_and_where(serve_embedded: Serve) -> None:
    serving = serve_embedded(DEPTH_LIMIT="7")

    lines = {line["event"]: line for line in map(json.loads, serving.stopped().splitlines())}

    assert lines["starting"]["version"]
    assert lines["starting"]["store"].startswith("sqlite+aiosqlite:///")
    assert (lines["limits"]["depth_limit"], lines["limits"]["cost_limit"]) == (7, 50_000)
    assert lines["listening"]["addresses"][0][0] == "127.0.0.1"


def test_the_console_form_is_for_people(serve_embedded: Serve) -> None:
    serving = serve_embedded(LOG_FORMAT="console")
    serving.post(QUERY)

    lines = serving.stopped().splitlines()

    (line,) = [line for line in lines if "Names" in line]
    assert re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z \[info +\] operation +\[customergraph\.operations\] ", line), line
    assert "kind=query" in line
    assert "outcome=ok" in line
    assert not [line for line in lines if line.startswith("{")]


def test_an_unknown_form_is_refused(embedded: Command) -> None:
    refusal = embedded.inside.refusal("serve", env={"CUSTOMERGRAPH_LOG_FORMAT": "xml"})

    assert refusal == "setting CUSTOMERGRAPH_LOG_FORMAT: Input should be 'json' or 'console' (got 'xml')"
