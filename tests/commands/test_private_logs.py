"""The log of `serve` in a busy minute, in which clients send and read all values of a demo: it has none of them."""

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLScalarType,
    build_schema,
    get_named_type,
    get_nullable_type,
    is_enum_type,
    is_leaf_type,
)

import stores
from commands.command import Command
from commands.serving import Serve, Serving
from customergraph.store.tables import metadata

pytestmark = pytest.mark.slow

SCHEMA = build_schema((Path(__file__).parents[2] / "schema.graphql").read_text("utf-8"))
TABLES = ("customer", "message", "review", "charge", "location", "tag")
# Columns and fields whose values are words of the schema, or cursors.
WORDS = {"color", "icon", "channel", "template", "status", "source", "currency", "__typename", "endCursor"}
FIND = "query Find($q: String) { customers(q: $q) { totalCount nodes { email } } }"
CREATE = "mutation Add($input: CreateCustomerInput!) { createCustomer(input: $input) { userErrors { code } } }"
CLIENTS = 4
# So many of the values are sent in every way, the others in one way each.
SENT_IN_EVERY_WAY = 20
Send = Callable[[Serving, str], object]


def stored_texts(command: Command) -> Iterator[str]:
    """Yield the values of a store's customers, their histories and the catalog, as they are stored."""
    for table in TABLES:
        names = ", ".join(column.name for column in metadata.tables[table].columns if column.name not in WORDS)
        for row in stores.rows(command.store_url, f"SELECT {names} FROM {table}"):  # noqa: S608 - ours
            yield from (str(value) for value in row if isinstance(value, str | UUID))


def read_texts(serving: Serving) -> Iterator[str]:
    """Yield the values of all customers, their histories and the catalog, as a client reads them."""
    for field in ("location", "tag"):
        yield from texts(serving.post(f"{{ {field}s {{ {leaves(field.title())} }} }}").json()["data"])
    for field in ("customer", "message", "review", "charge"):
        after, selection = None, f"nodes {{ {leaves(field.title())} }} pageInfo {{ hasNextPage endCursor }}"
        while True:
            query = f"query Page($after: String) {{ {field}s(first: 100, after: $after) {{ {selection} }} }}"
            page = serving.post(query, {"after": after}).json()["data"][f"{field}s"]
            yield from texts(page["nodes"])
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break


def leaves(type_name: str) -> str:
    """Select all fields of a type that have no arguments and no fields of their own."""
    type_ = SCHEMA.type_map[type_name]
    assert isinstance(type_, GraphQLObjectType)
    return " ".join(
        name for name, field in type_.fields.items() if not field.args and is_leaf_type(get_named_type(field.type))
    )


def texts(answer: Any) -> Iterator[str]:
    """Yield the texts of an answer."""
    match answer:
        case str():
            yield answer
        case list():
            for each in answer:
                yield from texts(each)
        case dict():
            for name, value in answer.items():
                if name not in WORDS:
                    yield from texts(value)


def filled(type_: GraphQLInputType, value: str) -> Any:
    """Return an input that has the value in every place that takes a text."""
    bare = get_nullable_type(type_)
    if isinstance(bare, GraphQLList):
        return [filled(bare.of_type, value)]
    if isinstance(bare, GraphQLInputObjectType):
        return {name: filled(field.type, value) for name, field in bare.fields.items()}
    if is_enum_type(bare):
        return next(iter(bare.values))
    assert isinstance(bare, GraphQLScalarType)
    return {"Int": 1, "Float": 1, "BigInt": 1, "Boolean": True}.get(bare.name, value)


def of_schema() -> Iterator[Send]:
    """Yield, for each field of the roots that takes arguments, what sends a value in all its texts."""
    roots = {"query": SCHEMA.query_type, "mutation": SCHEMA.mutation_type}
    for kind, root in roots.items():
        assert root
        for name, field in root.fields.items():
            if field.args:
                declared = ", ".join(f"${argument}: {each.type}" for argument, each in field.args.items())
                given = ", ".join(f"{argument}: ${argument}" for argument in field.args)
                document = f"{kind} Every({declared}) {{ {name}({given}) {{ __typename }} }}"
                yield partial(_send_filled, document, {one: each.type for one, each in field.args.items()})


def _send_filled(document: str, types: dict[str, GraphQLInputType], serving: Serving, value: str) -> None:
    serving.post(document, {name: filled(type_, value) for name, type_ in types.items()})


def by_hand() -> list[Send]:
    """Return what sends a value as a variable and as a literal, in what is right and what is wrong."""

    def post(query: str) -> Send:
        return lambda serving, value: serving.post(query.replace("VALUE", json.dumps(value)))

    def http(method: str, **of: Callable[[str], Any]) -> Send:
        return lambda serving, value: serving.http.request(
            method, "/graphql", **{name: make(value) for name, make in of.items()}
        )

    def post_variable(document: str, name: str) -> Send:
        return lambda serving, value: serving.post(document, {name: value})

    def is_json(_value: str) -> dict[str, str]:
        return {"Content-Type": "application/json"}

    def bad_token(value: str) -> dict[bytes, bytes]:
        return {b"authorization": f"Bearer {json.dumps(value)}".encode()}

    return [
        post_variable(FIND, "q"),
        post_variable("query Wrong($first: Int) { customers(first: $first) { nodes { id } } }", "first"),
        post_variable("query Wrong($sort: CustomerSortKey) { customers(sortKey: $sort) { nodes { id } } }", "sort"),
        lambda serving, value: serving.post(FIND, {"q": value}, operationName=value),
        lambda serving, value: serving.post(CREATE, {"input": {"firstName": value, "notes": value}}),
        post("{ customers(q: VALUE, email: VALUE, tagSlug: VALUE) { nodes { name } } }"),
        post("{ customer(id: VALUE) { name } customers(after: VALUE) { nodes { id } } }"),
        post("mutation { updateCustomerNotes(id: 1, notes: VALUE) { userErrors { message } } }"),
        post("mutation { updateCustomerTags(id: VALUE, tagSlugs: [VALUE]) { customer { id } } }"),
        post("{ customers(filter: VALUE) { nodes { id } } } VALUE"),
        post("{ customers(filter: VALUE, first: VALUE) { nodes { id } } }"),
        http("GET", params=lambda value: {"query": FIND, "variables": json.dumps({"q": value}), "email": value}),
        http("GET", params=lambda value: {"query": FIND, "variables": json.dumps(value)}),
        http("POST", content=json.dumps, headers=is_json),
        http("POST", content=lambda value: f'{{"query": {json.dumps(value)}', headers=is_json),
        http("POST", json=lambda _value: {"query": FIND}, headers=bad_token),
    ]


def send_all(serving: Serving, values: list[str]) -> int:
    """Send each value in one way, and some values in every way; returns the number of requests."""
    every_way = [*by_hand(), *of_schema()]

    def send(place: int) -> int:
        is_chosen = place % max(1, len(values) // SENT_IN_EVERY_WAY) == 0
        ways = every_way if is_chosen else [every_way[place % len(every_way)]]
        for way in ways:
            way(serving, values[place])
        return len(ways)

    with ThreadPoolExecutor(CLIENTS) as pool:
        return sum(pool.map(send, range(len(values))))


@pytest.mark.parametrize("breaks", [False, True], ids=["a busy minute", "a broken store"])
def test_the_log_has_no_token_and_no_value_of_a_customer(command: Command, serve_demo: Serve, *, breaks: bool) -> None:
    serving = serve_demo(SLOW="0.000001", BUCKET_SIZE="100000000", BUCKET_REFILL="100000000")
    # Numbers, and what is shorter than a name, may stand in any log by chance.
    values = {
        value for value in (*stored_texts(command), *read_texts(serving)) if len(value) > 2 and not value.isdigit()
    }
    if breaks:
        # Every statement on it is a fault of ours.
        command.change("ALTER TABLE customer_tag RENAME TO elsewhere")
        command.change("UPDATE review SET reply = body")

    count = send_all(serving, sorted(values))

    log = serving.stopped()
    assert count > len(values) > 2_000
    assert log.count('"event":"operation"') > count
    assert ("fault" in log) is breaks
    assert serving.token not in log
    words = {*re.split(r"[\s\",:{}\[\]]+", log)}
    found = {
        value
        for value in values
        if (value in words or " " in value) and re.search(rf"(?<!\w){re.escape(value)}(?!\w)", log)
    }
    assert not found
