"""`documents check`: what clients' documents cost, and whether a gateway would take them."""

import json
from pathlib import Path

import pytest

from commands.command import Command, Inside

PAGE = """query Page($first: Int = 10, $inner: Int!, $history: Boolean = false) {
  customers(first: $first) { nodes { id messages(first: $inner) @include(if: $history) { nodes { id } } } }
}
"""
CREATE = 'mutation Create { createCustomer(input: { firstName: "Ann" }) { customer { id } } }'
COLUMNS = "document\toperation\tcost\tat most\tdepends on"


@pytest.fixture
def command(tmp_path: Path) -> Inside:
    """The command, without a store."""
    (tmp_path / "documents").mkdir()
    return Command(tmp_path, f"sqlite+aiosqlite:///{tmp_path}/missing.db").inside


def test_each_operation_is_priced(command: Inside) -> None:
    command.file("documents/page.graphql", PAGE)
    command.file("documents/two.gql", "query A { tags { id } } query B { project { id } }")
    command.file("documents/persisted.json", json.dumps({"abc": CREATE}))

    lines = command.succeed("documents", "check", "documents").splitlines()

    assert lines == [
        COLUMNS,
        "page.graphql\tPage\t10\t10100\t$first, $inner, $history",
        "persisted.json abc\tCreate\t12\t12\t",
        "two.gql\tA\t10\t10\t",
        "two.gql\tB\t1\t1\t",
    ]
    assert not (command.folder / "missing.db").exists()


def test_the_prices_are_json_where_that_is_asked_for(command: Inside) -> None:
    command.file("documents/two.gql", "query A { tags { id } }")

    assert json.loads(command.succeed("documents", "check", "documents", "--json")) == [
        {"document": "two.gql", "operation": "A", "cost": 10, "at_most": 10, "depends_on": ""}
    ]


@pytest.mark.parametrize(
    ("variables", "selection", "expected"),
    [
        ("$q: String", "customers(q: $q) { totalCount nodes { id } }", ("125", "525", "$q")),
        ("$first: Int", "customers(first: $first) { nodes { id } }", ("25", "100", "$first")),
        ("$first: Int! = 7", "customers(first: $first) { nodes { id } }", ("7", "100", "$first")),
        ("$last: Int!", "customers(last: $last) { nodes { id } }", ("1", "100", "$last")),
        ("$email: String", "customers(email: $email) { nodes { id } }", ("25", "25", "")),
        ("$ids: [ID!]!", "nodes(ids: $ids) { id }", ("10", "100", "$ids")),
        ("$without: Boolean!", "project @skip(if: $without) { id }", ("1", "1", "$without")),
        ("$with: Boolean!", "project { id } tags @include(if: $with) { id }", ("1", "11", "$with")),
    ],
)
def test_the_variables_that_a_cost_depends_on_are_named(
    command: Inside, variables: str, selection: str, expected: tuple[str, ...]
) -> None:
    command.file("documents/one.graphql", f"query ({variables}) {{ {selection} }}")

    _, line = command.succeed("documents", "check", "documents").splitlines()

    assert tuple(line.split("\t")) == ("one.graphql", "(no name)", *expected)


def test_a_price_is_what_requests_with_the_greatest_values_cost(command: Inside) -> None:
    document = command.file("documents/page.graphql", PAGE)
    variables = '{"first": 100, "inner": 100, "history": true}'

    explained = command.succeed("explain", document, "--variables", variables)

    assert explained.startswith("# Cost: 10,100 objects at most")
    assert "\t10100\t" in command.succeed("documents", "check", "documents")


def test_every_bad_document_is_told_with_its_place(command: Inside) -> None:
    command.file("documents/a.graphql", "query A { customer { nam } } fragment F on Tag { id }")
    command.file("documents/b.graphql", "query {")
    command.file("documents/c.graphql", "query C { tags { id } }")
    command.file("documents/d.json", json.dumps({"abc": "{ customers(first: 100) { nodes { id } } }"}))

    ran = command.run("documents", "check", "documents", env={"CUSTOMERGRAPH_COST_LIMIT": "50"})

    assert ran.returncode == 1
    assert ran.stdout.splitlines() == [COLUMNS, "c.graphql\tC\t10\t10\t"]
    first, second, third = ran.stderr.splitlines()
    assert first.startswith("customergraph: a.graphql: ")
    assert "(line 1, column 22)" in first
    assert second == "customergraph: b.graphql: Syntax Error: Expected Name, found <EOF>. (line 1, column 8)"
    assert third == (
        "customergraph: d.json abc: The operation is too large: 100 objects that it may return,"
        " where 50 at most are allowed (setting CUSTOMERGRAPH_COST_LIMIT)."
    )


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.txt", b"{ tags { id } }", "holds no documents"),
        ("a.graphql", b"\xff", "a.graphql is not UTF-8"),
        ("a.json", b"{", "a.json is not JSON"),
        ("a.json", b"[]", "a.json is no manifest"),
        ("a.json", b'{"name": {"text": 1}}', "a.json is no manifest"),
        ("a.json", b'{"format": "apollo-persisted-query-manifest"}', "a.json is no manifest"),
        ("a.json", b'{"format": "apollo-persisted-query-manifest", "operations": [7]}', "a.json is no manifest"),
    ],
)
def test_files_that_hold_no_documents_are_refused(command: Inside, name: str, content: bytes, reason: str) -> None:
    command.file(f"documents/{name}", content)

    assert reason in command.refusal("documents", "check", "documents")


def test_a_folder_that_is_none_is_refused(command: Inside) -> None:
    assert command.refusal("documents", "check", "elsewhere") == "elsewhere is no folder"


def test_two_documents_of_one_id_are_refused(command: Inside) -> None:
    command.file("documents/a.json", json.dumps({"abc": "{ tags { id } }"}))
    command.file("documents/b.json", json.dumps({"sha256:abc": "{ project { id } }"}))

    ran = command.run("documents", "check", "documents")

    assert (ran.returncode, ran.stderr) == (1, "customergraph: b.json sha256:abc: another document has the id abc\n")


@pytest.mark.parametrize(
    ("env", "reason"),
    [
        ({"DOCUMENTS": "documents"}, "setting CUSTOMERGRAPH_DOCUMENTS: bad.graphql: Cannot query field 'no'"),
        ({"DOCUMENTS": "elsewhere"}, "setting CUSTOMERGRAPH_DOCUMENTS: elsewhere is no folder"),
        ({"DOCUMENTS_ONLY": "true"}, "setting CUSTOMERGRAPH_DOCUMENTS_ONLY: no document could run"),
    ],
)
def test_serve_does_not_start_on_bad_documents(command: Inside, env: dict[str, str], reason: str) -> None:
    command.file("documents/bad.graphql", "{ no }")
    settings = {f"CUSTOMERGRAPH_{name}": value for name, value in env.items()}

    assert reason in command.refusal("serve", "--port", "0", env=settings)
