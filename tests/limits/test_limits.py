"""What an operation may hold at most: allowed at each limit, refused above it before anything is run."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from conftest import MakeServer
from customergraph.settings import Settings
from factories import Tenant
from graphql_client import GraphQLClient, cost
from statements import recorded

LARGEST_ANSWER = 20_000

# A document that holds so many of what a limit counts, by the limit's name.
Document = Callable[[int], str]


def deep(levels: int) -> str:
    """Nest fields so deep that the leaf stands on that level; `ofType` may be nested as deep as one likes."""
    return "{ __schema { types { " + "ofType { " * (levels - 3) + "name" + " }" * (levels - 3) + " } } }"


def deep_by_fragments(levels: int) -> str:
    within = "".join(f" fragment F{level} on __Type {{ ofType {{ ...F{level + 1} }} }}" for level in range(3, levels))
    return f"{{ __schema {{ types {{ ...F3 }} }} }}{within} fragment F{levels} on __Type {{ name }}"


def many_fields(count: int) -> str:
    """Spread a fragment of 99 fields and a root field so often that there are that many fields, each level's too."""
    tens, ones = divmod(count, 100)
    names = " ".join("__typename" for _ in range(99))
    spread = " ".join("project { ...F }" for _ in range(tens))
    return f"{{ {spread} {'__typename ' * ones} }} fragment F on Project {{ {names} }}"


def aliases_of_one(count: int) -> str:
    return "{ project { " + " ".join(f"a{number}: name" for number in range(count)) + " } }"


def aliases_by_a_fragment(count: int) -> str:
    halves = " ".join(f"a{number}: name" for number in range(count - count // 2))
    more = " ".join(f"b{number}: name" for number in range(count // 2))
    return f"{{ project {{ {halves} ...F }} }} fragment F on Project {{ {more} }}"


def aliases_of_many(count: int) -> str:
    names = ("id", "databaseId", "uuid", "name", "slug", "timezone", "__typename")
    return "{ project { " + " ".join(f"a{number}: {names[number % 7]}" for number in range(count)) + " } }"


def directives(count: int) -> str:
    return "{ project { name " + " ".join("slug @skip(if: false)" for _ in range(count)) + " } }"


def directives_by_a_fragment(count: int) -> str:
    return f"{directives(count - 10)[:-4]} ...F }} }} fragment F on Project {{ {'id @skip(if: false) ' * 10} }}"


def definitions(count: int) -> str:
    fragments = "".join(f" fragment F{number} on Project {{ name }}" for number in range(count - 1))
    return "{ project { " + " ".join(f"...F{number}" for number in range(count - 1)) + " } }" + fragments


def alias_of(characters: int) -> str:
    return f"{{ project {{ {'a' * characters}: name }} }}"


def fragment_of(characters: int) -> str:
    return f"{{ ...{'F' * characters} }} fragment {'F' * characters} on Query {{ project {{ name }} }}"


def tokens(count: int) -> str:
    hundreds, ones = divmod(count - 2, 100)
    ids = '"x" ' * 90
    return "{ " + f"nodes(ids: [{ids}]) {{ id }} " * hundreds + "__typename " * ones + "}"


def document_bytes(count: int) -> str:
    return "{ project { name } } #".ljust(count, "a")


def document_bytes_of_other_letters(count: int) -> str:
    return "{ project { name } } #" + "é" * ((count - 22) // 2) + "a" * (count % 2)


def repeated(count: int) -> str:
    return "{ project { " + "name " * count + "} }"


def repeated_by_fragments(count: int) -> str:
    """Repeat a field in the operation, in an inline fragment, and in a fragment that counts once."""
    own, rest = "name " * (count - 60), "name " * 30
    return f"{{ project {{ {own} ... {{ {rest} }} ...F ...F }} }} fragment F on Project {{ {rest} }}"


def repeated_by_parents(count: int) -> str:
    """Repeat a field in several parents that are merged, at two levels."""
    parents = "project { name name } " * (count // 2)
    return f"{{ {parents} ... {{ project {{ {'name ' * (count % 2)} id }} }} }}"


LIMITS: dict[str, tuple[str, int, Document]] = {
    "depth": ("DEPTH_LIMIT", 20, deep),
    "depth by fragments": ("DEPTH_LIMIT", 20, deep_by_fragments),
    "fields": ("FIELD_LIMIT", 5_000, many_fields),
    "aliases of a field": ("FIELD_ALIAS_LIMIT", 30, aliases_of_one),
    "aliases of a field by a fragment": ("FIELD_ALIAS_LIMIT", 30, aliases_by_a_fragment),
    "aliases": ("ALIAS_LIMIT", 100, aliases_of_many),
    "directives": ("DIRECTIVE_LIMIT", 50, directives),
    "directives by a fragment": ("DIRECTIVE_LIMIT", 50, directives_by_a_fragment),
    "definitions": ("DEFINITION_LIMIT", 30, definitions),
    "tokens": ("TOKEN_LIMIT", 4_000, tokens),
    "characters of an alias": ("NAME_LIMIT", 200, alias_of),
    "characters of a fragment's name": ("NAME_LIMIT", 200, fragment_of),
    "bytes of a document": ("DOCUMENT_LIMIT", 100_000, document_bytes),
    "bytes of a document in other letters": ("DOCUMENT_LIMIT", 100_000, document_bytes_of_other_letters),
    "a repeated field": ("REPEATED_FIELD_LIMIT", 100, repeated),
    "a field repeated by fragments": ("REPEATED_FIELD_LIMIT", 100, repeated_by_fragments),
    "a field repeated by parents": ("REPEATED_FIELD_LIMIT", 100, repeated_by_parents),
}


OPERATING = (Path(__file__).parents[2] / "src/customergraph/operate/README.md").read_text("utf-8")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The URL of an embedded store alone: what is refused never reaches the store."""
    return sqlite_url


def limit_of(response: httpx.Response) -> str | None:
    """Return the limit that an answer names; None for an answer without errors."""
    answer = response.json()
    assert cost(answer).keys() == {"requested", "actual", "limit"}
    if "errors" not in answer:
        return None
    assert len(response.content) < LARGEST_ANSWER
    error = answer["errors"][0]
    assert error["extensions"]["code"] in {"LIMIT_EXCEEDED", "BAD_USER_INPUT"}, answer
    limit = str(error["extensions"]["limit"])
    # What an operator would raise, as the page for operators has it.
    setting = f"CUSTOMERGRAPH_{limit}"
    assert f"setting {setting})" in error["message"]
    assert f"| `{setting}` |" in OPERATING
    return limit


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_allows_what_it_says_and_not_one_more(client: GraphQLClient, name: str) -> None:
    limit, most, document = LIMITS[name]

    assert limit_of(client.post(document(most))) is None
    with recorded() as statements:
        refused = client.post(document(most + 1))

    assert limit_of(refused) == limit
    assert refused.json()["errors"][0]["extensions"]["allowed"] == most
    assert statements == []


def test_a_list_holds_a_hundred_entries_however_it_is_given(client: GraphQLClient) -> None:
    by_variable = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    for count, limit in ((100, None), (101, "LIST_LIMIT")):
        literal = "[" + ", ".join('"x"' for _ in range(count)) + "]"

        assert limit_of(client.post(f"{{ nodes(ids: {literal}) {{ id }} }}")) == limit
        assert limit_of(client.post(f"query($ids: [ID!]! = {literal}) {{ nodes(ids: $ids) {{ id }} }}")) == limit
        assert limit_of(client.post(by_variable, {"ids": ["x"] * count})) == limit


def test_variables_hold_so_many_lists_and_objects_and_not_one_more(client: GraphQLClient) -> None:
    # A list of 99 lists of 100 more.
    most: list[list[Any]] = [[[], {}] * 50 for _ in range(99)]
    query = "{ project { name } }"

    assert limit_of(client.post(query, {"a": most})) is None
    assert limit_of(client.post(query, {"a": most, "b": {}})) == "NESTED_VALUE_LIMIT"


def test_a_body_that_is_too_large_names_its_setting(acme: Tenant, serve: MakeServer, database_url: str) -> None:
    token = acme.client.http.headers["authorization"].removeprefix("Bearer ")
    narrow = GraphQLClient(serve(Settings(database_url=database_url, body_limit=100)), token)
    allowed = {"query": "{ project { slug } }".ljust(88)}

    assert narrow.http.post("/graphql", json=allowed).status_code == 200
    for content in (b"x" * 101, iter([b"x" * 60, b"x" * 41])):
        refused = narrow.http.post("/graphql", content=content, headers={"content-type": "application/json"})
        (error,) = refused.json()["errors"]

        assert refused.status_code == 413
        assert error["extensions"] == {"code": "BAD_REQUEST", "limit": "BODY_LIMIT", "allowed": 100}
        assert "setting CUSTOMERGRAPH_BODY_LIMIT)" in error["message"]

    narrow.close()


def test_an_operation_may_cost_its_limit_and_not_one_object_more(
    acme: Tenant, serve: MakeServer, database_url: str
) -> None:
    # 7 customers, each with 3 messages; and one more of either.
    query = "query($first: Int!) { customers(first: 7) { nodes { messages(first: $first) { nodes { id } } } } }"
    token = acme.client.http.headers["authorization"].removeprefix("Bearer ")
    narrow = GraphQLClient(serve(Settings(database_url=database_url, cost_limit=28)), token)

    allowed, refused = narrow.answer(query, first=3), narrow.answer(query, first=4)

    narrow.close()
    assert cost(allowed) == {"requested": 28, "actual": 0, "limit": 28}
    assert refused["errors"][0]["extensions"] == {
        "code": "LIMIT_EXCEEDED", "limit": "COST_LIMIT", "asked": 35, "allowed": 28,
    }  # fmt: skip
    assert cost(refused) == {"requested": 35, "actual": 0, "limit": 28}


def test_the_actual_cost_is_what_was_returned(acme: Tenant) -> None:
    acme.add_histories(2, each=3)

    answer = acme.client.answer(
        "{ customers(first: 10) { totalCount nodes { tags { id } messages(first: 5) { edges { node { id } } } } } }"
    )

    # A count, and 10 customers, each with 10 tags and 5 messages; there are 2, with 2 and 3.
    assert cost(answer) == {"requested": 260, "actual": 112, "limit": 50_000}


# What is asked for, what that costs at most, and what it costs where there are 2 customers.
COUNTS = {
    "all customers": ("{ customers { totalCount } }", 100, 100),
    "with an explicit null": ("{ customers(q: null) { totalCount } }", 100, 100),
    "with a blank search": ('{ customers(q: " ") { totalCount } }', 100, 100),
    "a search": ('{ customers(q: "an") { totalCount } }', 500, 500),
    "a search by a variable": ("query($q: String) { customers(q: $q) { totalCount } }", 500, 500),
    "a search by a default": ('query($p: String = "an") { customers(q: $p) { totalCount } }', 500, 500),
    "by two aliases": ('{ a: customers { n: totalCount } b: customers(q: "an") { totalCount } }', 600, 600),
    "two aliases of one list": ("{ customers { a: totalCount b: totalCount } }", 200, 200),
    "through fragments": (
        "{ ...F } fragment F on Query { customers { ...G } } fragment G on CustomerConnection { totalCount }",
        100,
        100,
    ),
    "not included": ("{ customers { totalCount @skip(if: true) nodes { id } } }", 25, 2),
    "of each parent": (
        "{ customers(first: 7) { nodes { messages { totalCount } reviews { n: totalCount } } } }", 7 + 14, 2 + 4,
    ),
    "of one parent": ("query($id: ID!) { customer(id: $id) { charges(first: 1) { totalCount } } }", 2, 2),
    "of none": ('{ customer(id: "0") { charges(first: 1) { totalCount } } }', 2, 0),
    "beside an error": ('{ customers { totalCount } b: customers(after: "x") { totalCount } }', 200, 0),
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("compiled_plans", [True, False])
def test_counting_has_its_price(
    acme: Tenant, serve: MakeServer, database_url: str, name: str, *, compiled_plans: bool
) -> None:
    query, requested, actual = COUNTS[name]
    id_, _ = acme.add_histories(2, each=1)
    token = acme.client.http.headers["authorization"].removeprefix("Bearer ")
    client = GraphQLClient(serve(Settings(database_url=database_url, compiled_plans=compiled_plans)), token)

    answer = client.answer(query, id=id_, q="an")

    client.close()
    assert cost(answer) == {"requested": requested, "actual": actual, "limit": 50_000}


def test_what_no_bucket_ever_holds_is_refused_for_good(acme: Tenant, serve: MakeServer, database_url: str) -> None:
    address = serve(Settings(database_url=database_url, bucket_size=99, bucket_refill=1))
    token = acme.client.http.headers["authorization"].removeprefix("Bearer ")
    with closing(GraphQLClient(address, token)) as client:
        refused = client.post("{ customers { totalCount } }")
        allowed = client.post("{ customers(first: 99) { nodes { id } } }")

    assert refused.status_code == 200
    assert refused.json()["errors"][0]["extensions"] == {
        "code": "LIMIT_EXCEEDED", "limit": "BUCKET_SIZE", "asked": 100, "allowed": 99,
    }  # fmt: skip
    assert "errors" not in allowed.json()


def test_the_actual_cost_counts_what_each_type_was_asked_for(acme: Tenant) -> None:
    acme.add_histories(1, each=3)
    (customer,) = acme.client.data("{ customers { nodes { messages { nodes { id } } charges { nodes { id } } } } }")[
        "customers"
    ]["nodes"]
    ids = [customer[name]["nodes"][0]["id"] for name in ("messages", "charges")]
    of_two_types = """query($ids: [ID!]!) { nodes(ids: $ids) {
      ... on Message { customer { messages { nodes { id } } } }
      ... on Charge { customer { id } }
    } }"""

    # Each with its customer, and one of these with 3 messages.
    assert acme.client.answer(of_two_types, ids=ids)["extensions"]["cost"]["actual"] == 7


def test_an_empty_bucket_sends_its_token_away_and_no_other(acme: Tenant, serve: MakeServer, database_url: str) -> None:
    address = serve(Settings(database_url=database_url, bucket_size=100, bucket_refill=1))
    token = acme.client.http.headers["authorization"].removeprefix("Bearer ")
    acme.add_customers(*({} for _ in range(90)))
    mine, other = (GraphQLClient(address, one) for one in (token, acme.token_with(*())))
    query = "{ customers(first: 90) { nodes { id } } }"

    first, second = mine.post(query), mine.post(query)

    assert first.status_code == 200
    assert second.status_code == 429
    assert int(second.headers["retry-after"]) > 60
    extensions = second.json()["errors"][0]["extensions"]
    assert extensions["code"] == "THROTTLED"
    assert extensions["bucket"] | {"left": 0} == {"left": 0, "capacity": 100, "refilledPerSecond": 1}
    assert other.post("{ __typename }").status_code != 429
    mine.close()
    other.close()
