"""Null as a variable's value where null is not allowed: a variable with a default may still be null."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from conftest import MakeServer
from customergraph.settings import Settings
from factories import Tenant
from graphql_client import GraphQLClient, cost
from statements import recorded


@dataclass(frozen=True, slots=True)
class Null:
    """A document whose variable `$v` is null, and the argument, the path and the data of its answer."""

    document: str
    argument: str
    path: tuple[str | int, ...]
    data: Any
    # The path to the null within the argument.
    place: str = ""


PROJECT = {"project": {"slug": "acme"}}
QUERY_TYPE = {"name": "Query"}
NULLS = {
    "id": Null(
        "query($v: ID = 1) { customer(id: $v) { id } project { slug } }",
        "id",
        ("customer",),
        {"customer": None, **PROJECT},
    ),
    "id of a node": Null(
        "query($v: ID = 1) { node(id: $v) { id } project { slug } }", "id", ("node",), {"node": None, **PROJECT}
    ),
    "ids": Null("query($v: [ID!] = [1]) { project { slug } nodes(ids: $v) { id } }", "ids", ("nodes",), None),
    "an entry of ids": Null(
        "query($v: ID = 1) { project { slug } nodes(ids: [2, $v]) { id } }", "ids", ("nodes",), None, "[1]"
    ),
    "an entry of status": Null(
        """query($v: MessageStatus = SENT) {
          customers { nodes { firstName } } customer(id: 1) { messages(status: [SENT, $v]) { totalCount } }
        }""",
        "status",
        ("customer", "messages"),
        {"customers": {"nodes": [{"firstName": "Ada"}]}, "customer": None},
        "[1]",
    ),
    "the name of a type": Null(
        'query($v: String = "Query") { __type(name: $v) { name } project { slug } }',
        "name",
        ("__type",),
        {"__type": None, **PROJECT},
    ),
    "includeDeprecated of fields": Null(
        "query($v: Boolean = true) { __schema { queryType { name fields(includeDeprecated: $v) { name } } } }",
        "includeDeprecated",
        ("__schema", "queryType", "fields"),
        {"__schema": {"queryType": {**QUERY_TYPE, "fields": None}}},
    ),
    "includeDeprecated of arguments": Null(
        "query($v: Boolean = true) { __schema { directives { args(includeDeprecated: $v) { name } } } }",
        "includeDeprecated",
        ("__schema", "directives", 0, "args"),
        None,
    ),
    "tagSlugs": Null(
        'mutation($v: [String!] = ["x"]) { updateCustomerTags(id: 1, tagSlugs: $v) { customer { id } } __typename }',
        "tagSlugs",
        ("updateCustomerTags",),
        {"updateCustomerTags": None, "__typename": "Mutation"},
    ),
    "an entry of tagSlugs": Null(
        'mutation($v: String = "x") { updateCustomerTags(id: 1, tagSlugs: [$v]) { customer { id } } }',
        "tagSlugs",
        ("updateCustomerTags",),
        {"updateCustomerTags": None},
        "[0]",
    ),
    "input": Null(
        'mutation($v: CreateCustomerInput = { firstName: "A" }) { createCustomer(input: $v) { customer { id } } }',
        "input",
        ("createCustomer",),
        {"createCustomer": None},
    ),
    "a field of input": Null(
        'mutation($v: String = "A") { createCustomer(input: { firstName: $v }) { customer { id } } }',
        "input",
        ("createCustomer",),
        {"createCustomer": None},
        ".firstName",
    ),
    "an entry in a field of input": Null(
        """mutation($v: String = "x") {
          createCustomer(input: { firstName: "A", tagSlugs: [$v] }) { customer { id } }
        }""",
        "input",
        ("createCustomer",),
        {"createCustomer": None},
        ".tagSlugs[0]",
    ),
}
CONDITIONS = {
    "include": "query($v: Boolean = true) { project { slug @include(if: $v) } }",
    "skip": "query($v: Boolean = true) { project { slug @skip(if: $v) } }",
    "a root field": "query($v: Boolean = true) { project @include(if: $v) { slug } tags { slug } }",
    "a fragment's spread": "query($v: Boolean = true) { ...F @skip(if: $v) } fragment F on Query { project { slug } }",
    "within a fragment": """query($v: Boolean = true) { project { ...F } }
        fragment F on Project { ...G } fragment G on Project { slug @include(if: $v) }""",
    "where no object is": 'query($v: Boolean = true) { node(id: "x") { ... on Tag @include(if: $v) { slug } } }',
    "where all is skipped": "query($v: Boolean = true) { project @skip(if: true) { slug @include(if: $v) } }",
    "introspection": "query($v: Boolean = true) { __schema { queryType { name @include(if: $v) } } }",
    "a mutation": "mutation($v: Boolean = true) { archiveCustomer(id: 1) { customer { id @include(if: $v) } } }",
}
ABSENT = (
    "query($v: Int = 1) { customers(first: $v) { totalCount } }",
    "query($v: CustomerSortKey = NAME) { customers(sortKey: $v) { totalCount } }",
    "query($v: SortDirection = ASC) { customers(sortDir: $v) { totalCount } }",
    "query($v: CustomerDateKey = ASKED_AT) { customers(dateKey: $v) { totalCount } }",
    'query($v: String = "x") { customers(q: $v) { totalCount } }',
    "query($v: [MessageStatus!] = [SENT]) { customers { totalCount nodes { messages(status: $v) { totalCount } } } }",
)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The URL of an embedded store alone: arguments are coerced before the store is used."""
    return sqlite_url


@dataclass(slots=True)
class Executors:
    """The same project behind both ways of executing."""

    acme: Tenant
    clients: list[GraphQLClient] = field(default_factory=list)

    def answer(self, document: str, **variables: Any) -> dict[str, Any]:
        """Return the answer of both, which has to be the same."""
        first, second = (client.post(document, variables) for client in self.clients)
        assert (first.status_code, first.text) == (second.status_code, second.text)
        answer: dict[str, Any] = first.json()
        return answer


@pytest.fixture
def url(serve: MakeServer, database_url: str) -> str:
    """The address of a gateway whose buckets are always full, so that answers can be compared."""
    return serve(Settings(database_url=database_url, bucket_refill=10**12))


@pytest.fixture
def executors(acme: Tenant, serve: MakeServer, database_url: str) -> Iterator[Executors]:
    acme.add_customer(first_name="Ada")
    token = acme.client.http.headers["authorization"].removeprefix("Bearer ")
    other = GraphQLClient(serve(Settings(database_url=database_url, bucket_refill=10**12, compiled_plans=False)), token)
    yield Executors(acme, [acme.client, other])
    other.close()


def test_null_for_an_argument_is_an_error_of_its_field_that_names_the_argument(executors: Executors) -> None:
    before = executors.acme.rows()
    wrong = {}
    for name, null in NULLS.items():
        answer = executors.answer(null.document, v=None)
        (error,) = answer["errors"]
        is_right = (
            answer["data"] == null.data
            and error["path"] == list(null.path)
            and error["extensions"] == {"code": "BAD_USER_INPUT"}
            and error["message"].startswith(f"Argument '{null.argument}' has invalid value{null.place and ' at '}")
            and null.place in error["message"]
            and error["message"].endswith("not to be null.")
            and error["locations"]
        )
        if not is_right:
            wrong[name] = answer
    assert wrong == {}
    assert executors.acme.rows() == before


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_null_condition_refuses_the_request_before_anything_runs(executors: Executors, name: str) -> None:
    before = executors.acme.rows()

    with recorded() as statements:
        answer = executors.answer(CONDITIONS[name], v=None)

    assert "data" not in answer
    (error,) = answer["errors"]
    assert "path" not in error
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert error["message"].startswith("Argument 'if' of '@")
    assert error["locations"]
    assert statements == []
    assert executors.acme.rows() == before
    # Without a value, the default applies.
    assert executors.answer(CONDITIONS[name])["data"] is not None


def test_a_null_condition_has_the_status_of_other_bad_input(executors: Executors) -> None:
    for accept, status in (("application/json", 200), ("application/graphql-response+json", 400)):
        for client in executors.clients:
            client.http.headers["accept"] = accept

            assert client.post(CONDITIONS["include"], {"v": None}).status_code == status


def test_a_variable_that_is_a_condition_of_another_operation_may_be_null(executors: Executors) -> None:
    document = """
    query One($v: Boolean = true) { project { slug @include(if: $v) } }
    query Two($v: Boolean = true) { project { slug } __type(name: "Tag") { fields(includeDeprecated: $v) { name } } }
    """
    for client in executors.clients:
        one, two = (client.post(document, {"v": None}, operationName=name).json() for name in ("One", "Two"))

        assert "data" not in one
        assert two["data"] == {**PROJECT, "__type": {"fields": None}}


@pytest.mark.parametrize("document", ABSENT)
def test_null_means_the_same_as_absent_where_it_is_allowed(executors: Executors, document: str) -> None:
    assert executors.answer(document, v=None)["data"]["customers"]["totalCount"] == 1


def test_a_null_argument_leaves_the_cost_of_the_other_fields(executors: Executors) -> None:
    document = "query($v: ID = 1) { customer(id: $v) { id } customers(first: 100) { nodes { tags { id } } } }"

    answer = executors.answer(document, v=None)

    # 100 customers, each with 10 tags.
    assert cost(answer) == {"requested": 1_100, "actual": 1, "limit": 50_000}
