"""The log of `serve`: one line for each operation, and never a customer's data."""

import json
import re
from hashlib import sha256

import httpx
import pytest

import stores
from commands.command import Command
from commands.serving import Serve, Serving
from customergraph import demo
from customergraph.store import access
from customergraph.store.tables import metadata
from faults.sessions import locked
from mutations import on_customer

pytestmark = pytest.mark.slow

QUERY = "query Names { customers(first: 3) { nodes { name tags { slug } } } }"
CREATE = "mutation Add($input: CreateCustomerInput!) { createCustomer(input: $input) { userErrors { code } } }"
# Columns whose values are words of the schema, or numbers.
_WORDS = "color icon channel template status source currency score amount has_subscription sort_key timezone".split()


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


def customer_data(command: Command) -> set[str]:
    """Return every text of a store's customers, their histories and the catalog."""
    values: set[str] = set()
    for table in ("customer", "message", "review", "charge", "location", "tag"):
        names = ", ".join(column.name for column in metadata.tables[table].columns if column.name not in _WORDS)
        for row in stores.rows(command.store_url, f"SELECT {names} FROM {table}"):  # noqa: S608 - ours
            values |= {value for value in row if isinstance(value, str)}
    # Numbers, and what is shorter than a name, may stand in any log by chance.
    return {value for value in values if len(value) > 2 and not value.isdigit()}


def send(serving: Serving, value: str) -> None:
    """Send a value in every place of a request: as a variable and as a literal, in what is right and what is wrong."""
    literal, http = json.dumps(value), serving.http
    serving.post("query Find($q: String) { customers(q: $q) { totalCount nodes { email } } }", {"q": value})
    serving.post(f"{{ customers(q: {literal}, email: {literal}, tagSlug: {literal}) {{ nodes {{ name }} }} }}")
    serving.post(
        f"{{ customer(id: {literal}) {{ name }} customers(after: {literal}) {{ nodes {{ id }} }} }}",
        operationName=value,
    )
    serving.post(CREATE, {"input": {"firstName": value, "email": value, "phone": value, "tagSlugs": [value]}})
    serving.post(f"mutation {{ updateCustomerNotes(id: 1, notes: {literal}) {{ userErrors {{ message }} }} }}")
    serving.post(f"mutation {{ updateCustomerTags(id: {literal}, tagSlugs: [{literal}]) {{ customer {{ id }} }} }}")
    serving.post("query Wrong($first: Int) { customers(first: $first) { nodes { id } } }", {"first": value})
    serving.post("query Wrong($sort: CustomerSortKey) { customers(sortKey: $sort) { nodes { id } } }", {"sort": value})
    serving.post(f"{{ customers(filter: {literal}) {{ nodes {{ id }} }} }} {literal}", None)
    serving.post(f"{{ customers(filter: {literal}, first: {literal}) {{ nodes {{ id }} }} }}", None)
    http.get("/graphql", params={"query": QUERY, "variables": literal, "email": value})
    http.post("/graphql", content=literal, headers={"Content-Type": "application/json"})
    http.post("/graphql", content=f'{{"query": {literal}', headers={"Content-Type": "application/json"})
    http.post("/graphql", json={"query": QUERY}, headers={b"authorization": f"Bearer {literal}".encode()})


@pytest.mark.parametrize("breaks", [False, True], ids=["a busy minute", "a broken store"])
def test_the_log_never_has_a_token_or_customer_data(command: Command, serve_demo: Serve, *, breaks: bool) -> None:
    serving = serve_demo(SLOW="0.000001", BUCKET_SIZE="100000000", BUCKET_REFILL="100000000")
    values = customer_data(command)
    if breaks:
        # Every statement on it is a fault of ours.
        command.change("ALTER TABLE customer_tag RENAME TO elsewhere")
        command.change("UPDATE review SET reply = body")

    for value in sorted(values)[:: max(1, len(values) // 40)]:
        send(serving, value)

    log = serving.stopped()
    assert log.count('"event":"operation"') > 400
    assert ("fault" in log) is breaks
    assert serving.token not in log
    found = {value for value in values if re.search(rf"(?<!\w){re.escape(value)}(?!\w)", log)}
    assert not found
