"""Errors name the mistake, the value and the accepted values; suggestions of names are for clients with a token."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from conftest import MakeServer
from customergraph.settings import Settings
from factories import Tenant
from graphql_client import GraphQLClient

BAD_VALUE = "BAD_USER_INPUT"
INVALID = "GRAPHQL_VALIDATION_FAILED"
ENUM = (
    "CustomerSortKey has NAME, EMAIL, PHONE, COMPANY, CREATED_AT, SIGNED_UP_AT, ASKED_AT, MESSAGED_AT, REVIEWED_AT,"
    " UPDATED_AT, RELEVANCE."
)
CREATE = "mutation($v: CreateCustomerInput!) { createCustomer(input: $v) { userErrors { code } } }"


@dataclass(frozen=True, slots=True)
class Mistake:
    """A request, the code of its errors, and what the first of them says."""

    document: str
    code: str
    says: tuple[str, ...]
    column: int
    variables: dict[str, Any] | None = None


MISTAKES = {
    "a number for a text": Mistake(
        "{ customers(q: 5) { totalCount } }", BAD_VALUE, ("Argument 'q' of type 'String'", "non string value: 5"), 16
    ),
    "a number for a text, as a variable": Mistake(
        "query($v: String) { customers(q: $v) { totalCount } }",
        BAD_VALUE,
        ("Variable '$v' for the argument 'q'", "String cannot represent a non string value: 5"),
        7,
        {"v": 5},
    ),
    "an unknown enum value": Mistake(
        "{ customers(sortKey: CREATED_ON) { totalCount } }",
        BAD_VALUE,
        (
            "Argument 'sortKey' of type 'CustomerSortKey'",
            "'CREATED_ON'",
            "Did you mean the enum value 'CREATED_AT'",
            ENUM,
        ),
        22,
    ),
    "an unknown enum value, as a variable": Mistake(
        "query($v: CustomerSortKey) { customers(sortKey: $v) { totalCount } }",
        BAD_VALUE,
        ("Variable '$v' for the argument 'sortKey'", "'CREATED_ON'", "Did you mean the enum value 'CREATED_AT'", ENUM),
        7,
        {"v": "CREATED_ON"},
    ),
    "an enum value like no other": Mistake(
        "{ customers(sortKey: XYZQ) { totalCount } }", BAD_VALUE, ("Argument 'sortKey'", "'XYZQ'", ENUM), 22
    ),
    "a list for a text": Mistake(
        '{ customers(tagSlug: ["vip"]) { totalCount } }',
        BAD_VALUE,
        ("Argument 'tagSlug' of type 'String'", '["vip"]'),
        22,
    ),
    "a list for a text, as a variable": Mistake(
        "query($v: String) { customers(tagSlug: $v) { totalCount } }",
        BAD_VALUE,
        ("Variable '$v' for the argument 'tagSlug'", "String", "['vip']"),
        7,
        {"v": ["vip"]},
    ),
    "null where it may not be": Mistake(
        "{ customer(id: null) { id } }", BAD_VALUE, ("Argument 'id' of type 'ID!'", "not to be null."), 16
    ),
    "no day": Mistake(
        '{ customers(dateFrom: "tomorrow") { totalCount } }',
        BAD_VALUE,
        ("Argument 'dateFrom' of type 'Date'", "tomorrow", "YYYY-MM-DD"),
        23,
    ),
    "a default that does not fit": Mistake(
        'query($v: Int = "x") { customers(first: $v) { totalCount } }',
        BAD_VALUE,
        ("The default of variable '$v' of type 'Int'", '"x"'),
        17,
    ),
    "a field of an input": Mistake(
        "mutation { createCustomer(input: { firstName: 5 }) { userErrors { code } } }",
        BAD_VALUE,
        ("Argument 'input'", "at .firstName", "String cannot represent a non string value: 5"),
        47,
    ),
    "an unknown field of an input": Mistake(
        'mutation { createCustomer(input: { firstName: "A", emial: "x" }) { userErrors { code } } }',
        BAD_VALUE,
        ("Argument 'input'", "'emial'", "Did you mean 'email'"),
        52,
    ),
    "an unknown field of an input, as a variable": Mistake(
        CREATE,
        BAD_VALUE,
        ("Variable '$v' for the argument 'input'", "'emial'", "Did you mean 'email'"),
        10,
        {"v": {"firstName": "A", "emial": "x"}},
    ),
    "an unknown argument": Mistake(
        "{ customers(frst: 1) { totalCount } }", INVALID, ("'frst'", "'Query.customers'", "Did you mean 'first'"), 13
    ),
    "a missing argument": Mistake(
        "{ customer { id } }", INVALID, ("'Query.customer(id:)' of type 'ID!' is required",), 3
    ),
    "an unknown field": Mistake("{ custmers { totalCount } }", INVALID, ("'custmers'", "Did you mean 'customers'"), 3),
    "an unknown type": Mistake(
        '{ node(id: "x") { ... on Custmer { id } } }', INVALID, ("'Custmer'", "Did you mean 'Customer'"), 26
    ),
}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The URL of an embedded store alone: a refused request never reaches the store."""
    return sqlite_url


@pytest.mark.parametrize("name", MISTAKES)
def test_an_error_names_the_argument_the_value_and_the_accepted_values(client: GraphQLClient, name: str) -> None:
    mistake = MISTAKES[name]

    answer = client.answer(mistake.document, **(mistake.variables or {}))

    assert "data" not in answer
    error = answer["errors"][0]
    assert error["extensions"] == {"code": mistake.code}
    assert error["locations"] == [{"line": 1, "column": mistake.column}]
    assert [part for part in mistake.says if part not in error["message"]] == [], error["message"]


@pytest.fixture
def anonymous(serve: MakeServer, database_url: str) -> Iterator[GraphQLClient]:
    """A client without a token, of a gateway with open introspection."""
    client = GraphQLClient(serve(Settings(database_url=database_url, open_introspection=True)), None)
    yield client
    client.close()


WITH_SUGGESTIONS = [name for name, mistake in MISTAKES.items() if any("Did you mean" in part for part in mistake.says)]


@pytest.mark.parametrize("anonymous_comes_first", [True, False])
@pytest.mark.parametrize("name", WITH_SUGGESTIONS)
def test_a_client_without_a_token_gets_no_suggestions_whichever_client_comes_first(
    acme: Tenant, anonymous: GraphQLClient, name: str, *, anonymous_comes_first: bool
) -> None:
    token = acme.client.http.headers["authorization"]
    content = {"query": MISTAKES[name].document, "variables": MISTAKES[name].variables}
    headers: list[dict[str, str]] = [{}, {"authorization": token}]
    answers = [
        anonymous.http.post("/graphql", json=content, headers=header).text
        for header in (headers if anonymous_comes_first else headers[::-1])
    ]
    without_token, with_token = answers if anonymous_comes_first else answers[::-1]

    assert len(WITH_SUGGESTIONS) >= 7
    assert "Did you mean" in with_token
    assert "Did you mean" not in without_token
    assert ENUM not in without_token
    assert "errors" in without_token


def test_the_errors_of_many_unknown_names_stay_short(client: GraphQLClient) -> None:
    documents = (
        "{ " + " ".join(f"customer{'s' * n}x" for n in range(2, 180)) + " }",
        "{ customers(" + ", ".join(f"filte{'r' * n}: 1" for n in range(2, 180)) + ") { totalCount } }",
        "{ node(id: 1) { " + " ".join(f"... on Custome{'r' * n} {{ id }}" for n in range(2, 90)) + " } }",
    )
    for document in documents:
        response = client.post(document)

        errors = response.json()["errors"]
        assert {error["extensions"]["code"] for error in errors} == {INVALID}
        assert len(errors) <= 11
        # Each suggestion compares a name with all names of the schema.
        assert 1 <= sum("Did you mean" in error["message"] for error in errors) <= 3
        assert len(response.content) < 10_000
    response = client.post(CREATE, {"v": {f"firstNam{'e' * n}": "x" for n in range(2, 500)}})
    assert len(response.json()["errors"]) == 10
    assert len(response.content) < 10_000


def test_a_document_without_an_operation_says_so(client: GraphQLClient) -> None:
    for name in (None, "F"):
        answer = client.post("fragment F on Query { project { slug } }", operationName=name).json()

        assert "data" not in answer
        (error,) = answer["errors"]
        assert error["extensions"] == {"code": "OPERATION_RESOLUTION_FAILURE"}
        assert error["message"].startswith("The document holds no operation")
        assert "operationName" not in error["message"]


@pytest.mark.parametrize(
    ("authorization", "says"),
    [
        ("{}", "lacks the scheme `Bearer`"),
        ("Token {}", "is of another scheme"),
        ("Basic {}", "is of another scheme"),
        ("Bearer", "A token is needed"),
        ("", "A token is needed"),
    ],
)
def test_the_refusal_of_a_token_without_its_scheme_names_the_scheme(
    acme: Tenant, authorization: str, says: str
) -> None:
    secret = acme.client.http.headers["authorization"].removeprefix("Bearer ")

    response = httpx.post(
        f"{acme.base_url}/graphql",
        json={"query": "{ project { slug } }"},
        headers={"authorization": authorization.format(secret)},
    )

    (error,) = response.json()["errors"]
    assert (response.status_code, error["extensions"]) == (401, {"code": "UNAUTHENTICATED"})
    assert response.headers["www-authenticate"] == "Bearer"
    assert says in error["message"]
    assert "`Authorization: Bearer <token>`" in error["message"]
    assert secret not in response.text
