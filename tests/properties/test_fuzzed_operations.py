"""Whatever operation the schema allows or forbids, its answer is one that README and the schema describe.

Operations are schemathesis' own, over the schema as it is committed; strings, numbers and ids at the
edges are among their values, and null where a default lets it stand in place of what is required. More by
hand, others each time: CUSTOMERGRAPH_TESTS_OPERATIONS=3000 sends so many queries and so many mutations to
each engine.
"""

import asyncio
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from graphql import (
    REMOVE,
    ArgumentNode,
    FieldNode,
    GraphQLResolveInfo,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
    VisitorAction,
    execute_sync,
    get_nullable_type,
    is_required_argument,
    parse,
    parse_type,
    print_ast,
    value_from_ast_untyped,
    visit,
)
from graphql.language.visitor import Visitor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.graphql import nodes

from conftest import MakeServer
from customergraph import demo
from customergraph.domain.principal import Scope
from customergraph.settings import Settings
from customergraph.store import access
from customergraph.store.database import Database
from graphql_client import LONGEST_REFUSAL, REFUSALS, GraphQLClient
from statements import recorded

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
EXAMPLES = int(os.environ.get("CUSTOMERGRAPH_TESTS_OPERATIONS", "150"))
CUSTOMERS = 60
OF_OURS = ("Traceback", "site-packages", "sqlalchemy", "sqlite", "asyncpg", "SELECT ")
# The token's, those of a change, and one for each field at most: never one for each row.
STATEMENTS_OF_A_CHANGE = 10
MUTATION_FIELD = 10
WHAT_THE_STORE_KNOWS = """{
  customers(first: 30, sortKey: NAME, sortDir: ASC) { edges { cursor node {
    id databaseId uuid email messages(first: 2) { edges { cursor node { id } } }
  } } }
  locations { id } tags { id slug }
}"""

WHOLE_NUMBERS = [0, 1, -1, 10, 100, 101, 2**31 - 1, 2**31, -(2**31) - 1, 2**63 - 1, 2**63, -(2**63) - 1, 10**400]
TEXTS = ["", "\0", "\ufffe", "\u202e", " \t\r\n", "%_\\", "'\";--", "٣", "ﷺ" * 400, "x" * 5_001, "x" * 100_000]
TIMES = ["1969-12-31T23:59:60Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999-23:59", "2026-02-30", "1e3", "-1"]

texts = st.text() | st.sampled_from(TEXTS)
numbers = st.integers(-(2**31), 2**31 - 1) | st.integers(0, 101) | st.sampled_from(WHOLE_NUMBERS)
days = st.dates().map(str)
timestamps = (
    st.datetimes(timezones=st.timezones()).map(lambda timestamp: timestamp.isoformat()) | st.sampled_from(TIMES) | texts
)

# The built-in ones too: schemathesis' own stay within what they may be.
schemathesis.graphql.scalar("String", texts.map(nodes.String))
schemathesis.graphql.scalar("ID", texts.map(nodes.String) | numbers.map(nodes.Int))
schemathesis.graphql.scalar("Int", numbers.map(nodes.Int))
schemathesis.graphql.scalar("Date", (days | timestamps).map(nodes.String))
schemathesis.graphql.scalar("DateTime", timestamps.map(nodes.String) | numbers.map(nodes.Int))

SCHEMA = schemathesis.graphql.from_path(ROOT / "schema.graphql")
ROOTS = {root: SCHEMA.include(name_regex=rf"^{root}\.").as_strategy() for root in ("Query", "Mutation")}
# What graphql-core says of null where it may not stand: such a field is null in the answer too.
NULL = "not to be None."
TYPENAME = FieldNode(name=NameNode(value="__typename"))


def told_statuses() -> dict[str, set[int]]:
    """Read the statuses that README promises for each code; a starred one may be 200 as well."""
    table = re.search(r"<!-- codes -->\n((?:\|.*\n)+)", (ROOT / "README.md").read_text("utf-8"))
    assert table
    rows = [line.split("|")[1:3] for line in table[1].splitlines()[2:]]
    return {
        code: {int(number) for number in re.findall(r"\d+", status)} | ({200} if "*" in status else set())
        for codes, status in rows
        for code in re.findall(r"`([A-Z_]+)`", codes)
    }


STATUSES = told_statuses()


@dataclass(frozen=True, slots=True)
class Operation:
    """A document, and the variables that go with it."""

    document: str
    variables: dict[str, Any]


class Varying(Visitor):
    """Leaves arguments out, puts in what the store knows, and sends some as variables, some of which are null.

    The name of each object's type is asked for too: the answer's shape and cost are judged by it.
    """

    def __init__(self, draw: st.DrawFn, types: TypeInfo, known: dict[str, list[Any]]) -> None:
        super().__init__()
        self._draw = draw
        self._types = types
        self._known = known
        self.variables: dict[str, Any] = {}
        self._definitions: list[VariableDefinitionNode] = []

    def leave_argument(self, node: ArgumentNode, *_: object) -> ArgumentNode | VisitorAction:
        argument = self._types.get_argument()
        assert argument is not None
        if not is_required_argument(argument) and self._draw(st.booleans()):
            return REMOVE
        known = self._known.get(node.name.value)
        if known and self._draw(st.booleans()):
            return self._by_variable(node, str(argument.type), self._draw(st.sampled_from(known)))
        if self._draw(st.integers(0, 3)) == 0:
            return self._by_variable(node, str(argument.type), value_from_ast_untyped(node.value))
        if is_required_argument(argument) and self._draw(st.integers(0, 7)) == 0:
            return self._by_variable(node, str(get_nullable_type(argument.type)), None, default=node.value)
        return node

    def _by_variable(
        self, node: ArgumentNode, type_: str, value: Any, *, default: ValueNode | None = None
    ) -> ArgumentNode:
        variable = VariableNode(name=NameNode(value=f"v{len(self.variables)}"))
        self.variables[variable.name.value] = value
        # A default is written as it stands, without variables in it.
        constant: Any = default
        definition = VariableDefinitionNode(variable=variable, type=parse_type(type_), default_value=constant)
        self._definitions.append(definition)
        return ArgumentNode(name=node.name, value=variable)

    def leave_selection_set(self, node: SelectionSetNode, *_: object) -> SelectionSetNode:
        return SelectionSetNode(selections=(*node.selections, TYPENAME))

    def leave_operation_definition(self, node: OperationDefinitionNode, *_: object) -> OperationDefinitionNode:
        return OperationDefinitionNode(
            operation=node.operation,
            selection_set=node.selection_set,
            variable_definitions=tuple(self._definitions),
        )


@st.composite
def operations(draw: st.DrawFn, root: str, known: dict[str, list[Any]]) -> Operation:
    """Draw an operation that fits the schema, if not always its scalars."""
    case = draw(ROOTS[root])
    types = TypeInfo(SCHEMA.client_schema)
    varying = Varying(draw, types, known)
    document = visit(parse(str(case.body)), TypeInfoVisitor(types, varying))
    return Operation(print_ast(document), varying.variables)


@pytest.fixture
def client(serve: MakeServer, database_url: str) -> Iterator[GraphQLClient]:
    """A client of a believable project, which may ask for as much as it likes."""

    async def fill() -> str:
        database = Database(database_url)
        await demo.fill(database, CUSTOMERS)
        secret = await access.create_token(database, demo.SLUG, "fuzzed", set(Scope), None)
        await database.close()
        return secret

    secret = asyncio.run(fill())
    client = GraphQLClient(serve(Settings(database_url=database_url, bucket_size=10**12, deadline=60)), secret)
    yield client
    client.close()


def known_values(client: GraphQLClient) -> dict[str, list[Any]]:
    """Return for each argument values of the store, ids of every kind and cursors of every list among them."""
    rows = client.data(WHAT_THE_STORE_KNOWS)
    edges = rows["customers"]["edges"]
    customers = [edge["node"] for edge in edges]
    messages = [edge for customer in customers for edge in customer["messages"]["edges"]]
    others = [one["id"] for one in (*rows["locations"], *rows["tags"], *(edge["node"] for edge in messages))]
    slugs = [tag["slug"] for tag in rows["tags"]]
    cursors = [edge["cursor"] for edge in edges + messages]
    ids = [customer[name] for customer in customers for name in ("id", "id", "databaseId", "uuid")] + others
    return {
        "id": ids,
        "ids": [ids[:1], ids[:30], ids[::-1][:100], [ids[0]] * 101],
        "after": cursors,
        "before": cursors,
        "first": [1, 3, 100],
        "last": [1, 100],
        "q": ["a", "an", "example.com"],
        "email": [customer["email"] for customer in customers],
        "tagSlug": slugs,
        "tagSlugs": [slugs[:1], slugs, [*slugs, "unknown"]],
    }


def is_answered_well(response: httpx.Response, operation: Operation) -> bool:
    """Return whether an operation was answered with data, and check that all of the answer is as it is promised."""
    answer = response.json()
    assert answer.keys() <= {"data", "errors", "extensions"}
    errors = answer.get("errors", [])
    codes = {error["extensions"]["code"] for error in errors}
    assert codes <= REFUSALS, answer
    assert all(response.status_code in STATUSES[code] for code in codes)
    for error in errors:
        assert error["message"]
        assert not [words for words in OF_OURS if words in error["message"]], error
    data = answer.get("data")
    assert data or errors
    assert data or len(response.content) < LONGEST_REFUSAL
    # JSON itself has no number of 400 digits: then there is no operation yet that could cost anything.
    if "BAD_REQUEST" not in codes:
        assert answer["extensions"]["cost"]["actual"] == objects(data) + counts(operation, data)
    assert data is None or shaped(operation, data) == data
    return data is not None


def objects(data: Any) -> int:
    """Count what README says that an answer costs, by the names of its types."""
    if isinstance(data, list):
        return sum(map(objects, data))
    if not isinstance(data, dict):
        return 0
    below = sum(map(objects, data.values())) + ("totalCount" in data)
    if data["__typename"] == "Mutation":
        return below + MUTATION_FIELD * (len(data) - 1)
    return below + (not data["__typename"].endswith(("Query", "Connection", "Edge", "PageInfo")))


def counts(operation: Operation, data: Any) -> int:
    """Count what README says that the counts of all customers cost, beyond those of nested lists."""
    (definition,) = parse(operation.document).definitions
    assert isinstance(definition, OperationDefinitionNode)
    fields = [node for node in definition.selection_set.selections if isinstance(node, FieldNode)]
    lists = [node for node in fields if node.name.value == "customers"]
    counted = [node for node in lists if data and "totalCount" in (data.get((node.alias or node.name).value) or ())]
    return sum((500 if searches(node, operation.variables) else 100) - 1 for node in counted)


def searches(customers: FieldNode, variables: dict[str, Any]) -> bool:
    """Return whether a list of customers has a search that is not blank."""
    values = [
        value_from_ast_untyped(one.value, variables) for one in customers.arguments or () if one.name.value == "q"
    ]
    return any(isinstance(value, str) and value.strip() for value in values)


def shaped(operation: Operation, data: Any) -> Any:
    """Return what the committed schema makes of an answer: the same, where each value has the type it should."""

    def value_of(source: dict[str, Any], info: GraphQLResolveInfo[Any], **_arguments: Any) -> Any:
        return source[str(info.path.key)]

    result = execute_sync(
        SCHEMA.client_schema,
        parse(operation.document),
        data,
        variable_values=operation.variables,
        field_resolver=value_of,
        type_resolver=lambda source, _info, _type: source["__typename"],
    )
    assert all(error.message.endswith(NULL) for error in result.errors or ()), result.errors
    return result.data


def most_statements(operation: Operation) -> int:
    """Return how many statements an operation may run at most; its text alone decides."""
    return STATEMENTS_OF_A_CHANGE + len(re.findall(r"^ +\w", operation.document, re.MULTILINE))


@pytest.mark.parametrize("root", ROOTS)
def test_any_operation_is_answered_as_it_is_described(client: GraphQLClient, root: str) -> None:
    successes: list[bool] = []

    # What operations are made of is large, and a machine may be slow to draw it.
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(operations(root, known_values(client)))
    def check(operation: Operation) -> None:
        with recorded() as statements:
            response = client.post(operation.document, operation.variables)
        successes.append(is_answered_well(response, operation))
        assert len(statements) <= most_statements(operation), statements

    check()
    assert len(successes) >= EXAMPLES
    # Else it would be refusals alone that were tested.
    assert sum(successes) > EXAMPLES / 4


def test_queries_are_answered_alike_by_the_other_executor(
    client: GraphQLClient, serve: MakeServer, database_url: str
) -> None:
    token = client.http.headers["authorization"].removeprefix("Bearer ")
    plain = Settings(database_url=database_url, bucket_size=10**12, deadline=60, breadth_first=False)
    other = GraphQLClient(serve(plain), token)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(operations("Query", known_values(client)))
    def check(operation: Operation) -> None:
        one, two = (each.post(operation.document, operation.variables) for each in (client, other))

        assert (one.status_code, one.text) == (two.status_code, two.text)

    check()
    other.close()
