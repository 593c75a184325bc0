"""`explain`: what an operation costs, its SQL, and the function that makes its answer."""

from pathlib import Path

import pytest

from commands.command import Command

pytestmark = pytest.mark.slow

QUERY = """query Q($id: ID!, $first: Int = 2) {
  customer(id: $id) { mine: name location { name } messages(first: $first) { totalCount nodes { status } } }
}"""


@pytest.fixture
def command(tmp_path: Path, sqlite_url: str) -> Command:
    return Command(tmp_path, sqlite_url)


@pytest.fixture
def document(command: Command) -> Path:
    return command.file("query.graphql", QUERY)


def test_it_prints_the_cost_the_statements_and_the_function(command: Command, document: Path) -> None:
    explanation = command.succeed("explain", document, "--variables", '{"id": "17", "first": 5}')

    cost, statements, function = explanation.split("\n\n")
    assert cost == "# Cost: 8 objects at most; the limit is 50,000."
    assert statements.startswith('# Read at once\nSELECT json_group_array(a."id")')
    assert statements.count(";") == 4
    assert "def answer(objects, where, counts):" in function
    assert "{'mine': v0, 'location': v1, 'messages': v2}" in function
    compile(function, "<explanation>", "exec")


def test_postgresql_runs_one_statement(command: Command, document: Path) -> None:
    url = "postgresql+asyncpg://nobody@127.0.0.1:1/none"

    explanation = command.succeed("explain", document, "--variables", '{"id": "17"}', "--database-url", url)

    _, statements, _ = explanation.split("\n\n")
    assert statements.startswith("# Read at once\nWITH r0 AS MATERIALIZED (SELECT customer.id")
    assert statements.count(";") == 1


def test_a_document_may_come_from_standard_input(command: Command) -> None:
    assert "FROM tag" in command.succeed("explain", "-", stdin="{ tags { name } }")


def test_places_that_share_a_loader_are_read_one_after_another(command: Command) -> None:
    text = '{ a: customer(id: "1") { name } b: customer(id: "2") { email } }'

    explanation = command.succeed("explain", "-", stdin=text)

    assert explanation.count("# Read for Query.customer\nSELECT json_group_array") == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{ node(id: "x") { id } }', "Query.node has a resolver of its own"),
        ("{ __schema { queryType { name } } }", "Query.__schema has a resolver of its own"),
        ("mutation { archiveCustomer(id: 1) { customer { id } } }", "only queries without"),
    ],
)
def test_what_graphql_core_executes_is_said_to_be(command: Command, text: str, reason: str) -> None:
    explanation = command.succeed("explain", "-", stdin=text)

    assert f"# graphql-core executes it: {reason}" in explanation
    assert "def answer" not in explanation


def test_nothing_is_read_or_made(command: Command, document: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing.db"

    command.succeed(
        "explain", document, "--variables", '{"id": "17"}', "--database-url", f"sqlite+aiosqlite:///{missing}"
    )

    assert not missing.exists()


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        (["none.graphql"], "", "none.graphql cannot be read: No such file or directory"),
        (["-"], "{ custome }", "Cannot query field 'custome' on type 'Query'. Did you mean"),
        (["-"], "{ customers {", "Syntax Error: Expected Name, found <EOF>. (line 1, column 14)"),
        (["-"], "{ customers(first: 500) { nodes { id } } }", "`first` must be between 1 and 100, and is 500."),
        (["-"], "query($id: ID!) { customer(id: $id) { id } }", "Variable '$id'"),
        (["-", "--operation", "B"], "query A { tags { id } }", "names no operation"),
        (["-"], "{ a } " + "x" * 100_001, "DOCUMENT_LIMIT"),
    ],
)
def test_what_no_request_could_have_is_refused_in_one_line(
    command: Command, arguments: list[str], stdin: str, message: str
) -> None:
    ran = command.run("explain", *arguments, stdin=stdin)

    assert ran.returncode == 1
    assert ran.stdout == ""
    assert ran.stderr.startswith("customergraph: ")
    assert message in ran.stderr
    assert ran.stderr.count("\n") == 1


@pytest.mark.parametrize(("variables", "message"), [("{", "is not JSON"), ("[]", "must be a JSON object")])
def test_variables_that_are_no_object_are_wrong_usage(
    command: Command, document: Path, variables: str, message: str
) -> None:
    ran = command.run("explain", document, "--variables", variables)

    assert ran.returncode == 2
    assert message in ran.stderr
