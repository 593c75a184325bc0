"""Operations with several mutations: all scopes are checked first; each then runs in order, with its own result."""

from collections.abc import Iterator
from typing import Any

import pytest

import stores
from conftest import MakeServer
from customergraph.domain.principal import Scope
from customergraph.settings import Settings
from factories import Tenant
from statements import recorded

FORBIDDEN = [
    "mutation($a: ID!, $b: ID!) { a: archiveCustomer(id: $a) { __typename } b: deleteCustomer(id: $b) { __typename } }",
    """mutation($a: ID!, $b: ID!) { a: archiveCustomer(id: $a) { __typename } ...Rest }
    fragment Rest on Mutation { ... { b: deleteCustomer(id: $b) { __typename } } }""",
    """mutation($a: ID!, $b: ID!, $yes: Boolean = true) {
      a: archiveCustomer(id: $a) { __typename }
      ... @include(if: $yes) { b: deleteCustomer(id: $b) { __typename } }
    }""",
    """mutation($a: ID!, $b: ID!, $no: Boolean! = false) {
      a: archiveCustomer(id: $a) { __typename }
      b: deleteCustomer(id: $b) @skip(if: $no) { __typename }
    }""",
]
SKIPPED = """
mutation($a: ID!, $b: ID!, $yes: Boolean!) {
  a: archiveCustomer(id: $a) { customer { isArchived } }
  b: deleteCustomer(id: $b) @skip(if: $yes) { deletedCustomerId }
}
"""
BOTH = """
mutation($a: ID!, $b: ID!) {
  a: archiveCustomer(id: $a) { customer { isArchived } }
  b: deleteCustomer(id: $b) { userErrors { code } }
}
"""
THREE = """
mutation($one: ID!, $two: ID!, $three: ID!) {
  one: updateCustomerNotes(id: $one, notes: "one") { customer { notes } }
  two: updateCustomerNotes(id: $two, notes: "two") { customer { notes } }
  three: updateCustomerNotes(id: $three, notes: "three") { customer { notes } }
}
"""
# Makes changes of the customer with that id fail unexpectedly.
FAULT = {
    "sqlite": """CREATE TRIGGER fault BEFORE UPDATE ON customer WHEN NEW.id = {id}
        BEGIN SELECT RAISE(ABORT, 'a fault'); END""",
    "postgresql": "ALTER TABLE customer ADD CHECK (id <> {id} OR notes IS NULL)",
}


@pytest.fixture(params=[True, False], ids=["compiled plans", "graphql-core"])
def acme(request: pytest.FixtureRequest, serve: MakeServer, database_url: str) -> Iterator[Tenant]:
    """A project with all scopes, behind each way of executing in turn; a change does not wait long for a lock."""
    url = serve(Settings(database_url=database_url, compiled_plans=request.param, statement_timeout=0.5))
    tenant = Tenant(url, database_url, "acme")
    yield tenant
    tenant.close()


def notes(tenant: Tenant) -> list[Any]:
    return [row[0] for row in stores.rows(tenant.database_url, "SELECT notes FROM customer ORDER BY id")]


@pytest.mark.parametrize("document", FORBIDDEN)
def test_one_mutation_without_its_scope_forbids_all_before_the_first_begins(acme: Tenant, document: str) -> None:
    a, b = acme.add_customers({}, {})
    client = acme.client_with(Scope.READ, Scope.WRITE)
    before = acme.rows()

    with recorded() as statements:
        answer = client.answer(document, a=a, b=b)

    assert "data" not in answer
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
    assert "`delete`" in answer["errors"][0]["message"]
    assert statements == []
    assert acme.rows() == before


def test_a_mutation_that_is_skipped_needs_no_scope(acme: Tenant) -> None:
    a, b = acme.add_customers({}, {})
    client = acme.client_with(Scope.WRITE)

    assert client.data(SKIPPED, a=a, b=b, yes=True) == {"a": {"customer": {"isArchived": True}}}
    refused = client.answer(SKIPPED, a=b, b=a, yes=False)

    assert ("data" in refused, refused["errors"][0]["extensions"]["code"]) == (False, "FORBIDDEN")


def test_the_scopes_of_all_mutations_are_enough_for_them_together(acme: Tenant) -> None:
    a, b = acme.add_customers({}, {})

    answer = acme.client_with(Scope.WRITE, Scope.DELETE).data(BOTH, a=a, b=b)

    assert answer == {"a": {"customer": {"isArchived": True}}, "b": {"userErrors": []}}


def test_a_forbidden_mutation_has_the_status_of_a_forbidden_query(acme: Tenant) -> None:
    (a,) = acme.add_customers({})
    for accept, status in (("application/json", 200), ("application/graphql-response+json", 400)):
        of_both = []
        for scope, document in ((Scope.WRITE, "{ project { slug } }"), (Scope.READ, BOTH)):
            client = acme.client_with(scope)
            client.http.headers["accept"] = accept
            of_both.append(client.post(document, {"a": a, "b": a}))

        assert [response.status_code for response in of_both] == [status, status]
        assert [response.json().keys() for response in of_both] == [{"errors", "extensions"}] * 2


def test_a_fault_in_one_mutation_leaves_the_answers_of_the_others(acme: Tenant) -> None:
    ids = acme.add_customers({}, {}, {})
    stores.execute(acme.database_url, FAULT[stores.engine_of(acme.database_url)].format(id=ids[1]))

    answer = acme.client.answer(THREE, one=ids[0], two=ids[1], three=ids[2])

    assert answer["data"] == {
        "one": {"customer": {"notes": "one"}},
        "two": None,
        "three": {"customer": {"notes": "three"}},
    }
    (error,) = answer["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["two"], "INTERNAL_SERVER_ERROR")
    assert notes(acme) == ["one", None, "three"]


def test_mistakes_in_one_mutation_leave_the_others(acme: Tenant) -> None:
    ids = acme.add_customers({}, {})

    answer = acme.client.data(THREE, one=ids[0], two="x", three=ids[1])

    assert answer["one"] == {"customer": {"notes": "one"}}
    assert answer["two"] == {"customer": None}
    assert answer["three"] == {"customer": {"notes": "three"}}
    assert notes(acme) == ["one", "three"]


def test_mutations_of_one_customer_run_in_order(acme: Tenant) -> None:
    id_ = acme.add_customer()

    answer = acme.client.data(THREE, one=id_, two=id_, three=id_)

    assert answer == {name: {"customer": {"notes": name}} for name in ("one", "two", "three")}
    assert list(answer) == ["one", "two", "three"]
    assert notes(acme) == ["three"]


class TestOnPostgreSQL:
    """Where one row can be locked, and the others not."""

    @pytest.fixture
    def database_url(self, postgresql_url: str) -> str:
        return postgresql_url

    def test_a_store_that_is_busy_for_one_mutation_carries_out_the_others(self, acme: Tenant) -> None:
        ids = acme.add_customers({}, {}, {})

        with stores.holding(acme.database_url, f"SELECT id FROM customer WHERE id = {ids[1]} FOR UPDATE"):  # noqa: S608
            answer = acme.client.answer(THREE, one=ids[0], two=ids[1], three=ids[2])

        assert answer["data"] == {
            "one": {"customer": {"notes": "one"}},
            "two": None,
            "three": {"customer": {"notes": "three"}},
        }
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["STORE_UNAVAILABLE"]
        assert notes(acme) == ["one", None, "three"]


def test_a_null_argument_prevents_only_its_own_mutation(acme: Tenant) -> None:
    document = """mutation($none: ID = 1, $name: String = "Ada") {
      one: archiveCustomer(id: $none) { customer { id } }
      two: createCustomer(input: { firstName: $name }) { customer { id } }
      three: createCustomer(input: { firstName: "Grace" }) { customer { firstName } }
    }"""

    answer = acme.client.answer(document, none=None, name=None)

    assert answer["data"] == {"one": None, "two": None, "three": {"customer": {"firstName": "Grace"}}}
    assert [(error["path"], error["extensions"]["code"]) for error in answer["errors"]] == [
        (["one"], "BAD_USER_INPUT"),
        (["two"], "BAD_USER_INPUT"),
    ]
    assert "'id'" in answer["errors"][0]["message"]
    assert "'input'" in answer["errors"][1]["message"]
    assert "firstName" in answer["errors"][1]["message"]
    assert stores.rows(acme.database_url, "SELECT first_name FROM customer") == [("Grace",)]


def test_a_null_condition_below_a_mutation_refuses_it_before_it_runs(acme: Tenant) -> None:
    document = """mutation($b: Boolean = true) {
      createCustomer(input: { firstName: "Ada" }) { customer { name @include(if: $b) } }
    }"""

    answer = acme.client.answer(document, b=None)

    assert "data" not in answer
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert acme.rows()["customer"] == []
    assert acme.client.data(document) == {"createCustomer": {"customer": {"name": "Ada"}}}
