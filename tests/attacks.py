"""Hostile requests: each is refused briefly, or answered, and in neither case at the cost of others."""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

JSON = "application/json"
PROJECT = "{ project { slug } }"
# A body of a mebibyte is taken, with something around what it holds; a document of 100 kB is.
MEGABYTE = 1_000_000
WITHIN_A_DOCUMENT = 90_000


@dataclass(frozen=True, slots=True)
class Attack:
    """What is sent, and the code and status of its refusal; without a code it is answered."""

    body: bytes
    code: str | None
    status: int = 200
    content_type: str = JSON


def operation_attack(query: str, code: str | None, variables: dict[str, Any] | None = None, **more: Any) -> Attack:
    content = {"query": query, "variables": variables, **more}
    return Attack(json.dumps(content, separators=(",", ":")).encode(), code)


def raw(body: bytes, status: int = 400, content_type: str = JSON) -> Attack:
    return Attack(body, "BAD_REQUEST", status, content_type)


def repeated(count: int, text: Callable[[int], str], between: str = " ") -> str:
    return between.join(map(text, range(count)))


def fragment_chain(size: int) -> str:
    """Write fragments of 32 bytes, each of which spreads the next one twice."""
    count = (size - 7) // 32
    names = [f"{chr(ord('A') + number // 26)}{chr(ord('a') + number % 26)}" for number in range(count)]
    chain = [f"fragment {one} on Query{{...{next_}...{next_}}}" for one, next_ in pairwise(names)]
    document = f"{{...{names[0]}}}{''.join(chain)}fragment {names[-1]} on Query{{__typename}}"
    return document.ljust(size)


def nested(count: int, opened: str, closed: str, within: str = "") -> str:
    return opened * count + within + closed * count


SCHEMA_DEPTH = nested(18, "ofType { ", "} ", "name ")


def large(size: int, size_text: str, *, fits: bool) -> dict[str, Attack]:
    """Write documents of so many bytes; where they do not fit, what they hold is not looked at."""

    def one(query: str, code: str) -> Attack:
        return operation_attack(query, code if fits else "LIMIT_EXCEEDED")

    return {
        f"a field's name of {size_text}": one(f"{{ {'a' * size} }}", "LIMIT_EXCEEDED"),
        f"an alias of {size_text}": one(f"{{ {'a' * size}: __typename }}", "LIMIT_EXCEEDED"),
        f"a variable's name of {size_text}": one(f"query(${'a' * size}: Int) {{ __typename }}", "LIMIT_EXCEEDED"),
        f"an enum value of {size_text}": one(
            f"{{ customers(filter: {'A' * size}) {{ totalCount }} }}", "BAD_USER_INPUT"
        ),
        f"a number of {size_text}": one(f"{{ customers(first: {'1' * size}) {{ totalCount }} }}", "BAD_USER_INPUT"),
        f"a text of {size_text} for an enum": one(
            f'{{ customers(filter: "{"a" * size}") {{ totalCount }} }}', "BAD_USER_INPUT"
        ),
        f"a text of {size_text} that does not end": one(f'{{ customers(q: "{"a" * size}', "GRAPHQL_PARSE_FAILED"),
        f"{size_text} of spaces": one(" " * size + "{ a }", "GRAPHQL_VALIDATION_FAILED"),
        f"{size_text} of commas": one("," * size + "{ a }", "GRAPHQL_VALIDATION_FAILED"),
        f"{size_text} of byte order marks": one("\ufeff" * (size // 6) + "{ a }", "GRAPHQL_VALIDATION_FAILED"),
        f"{size_text} of lines": one("\n" * (size // 2) + "{ a }", "GRAPHQL_VALIDATION_FAILED"),
        f"one comment of {size_text}": one(f"#{'a' * size}\n{{ a }}", "GRAPHQL_VALIDATION_FAILED"),
        f"{size_text} of comments": one("#\n" * (size // 3) + "{ a }", "LIMIT_EXCEEDED"),
    }


DOCUMENTS: dict[str, Attack] = {
    **large(MEGABYTE, "1 MB", fits=False),
    **large(WITHIN_A_DOCUMENT, "90 kB", fits=True),
    **{
        f"fragment chain, {size:,} B": operation_attack(fragment_chain(size), "LIMIT_EXCEEDED")
        for size in (824, 920, 1_016, 1_200)
    },
    "10,000 unused fragments": operation_attack(
        PROJECT + repeated(10_000, "fragment F{} on Project {{ slug }}".format), "LIMIT_EXCEEDED"
    ),
    "100,000 tokens": operation_attack(f"{{ {'a ' * 100_000} }}", "LIMIT_EXCEEDED"),
    "10,000 operations": operation_attack(repeated(10_000, "query Q{} {{ __typename }}".format), "LIMIT_EXCEEDED"),
    "2,000 overlapping fields": operation_attack(f"{{ {'__typename ' * 2_000} }}", "LIMIT_EXCEEDED"),
    "500 times the same field": operation_attack(f"{{ {'__typename ' * 500} }}", "LIMIT_EXCEEDED"),
    "3,900 times the same field": operation_attack(f"{{ {'__typename ' * 3_900} }}", "LIMIT_EXCEEDED"),
    "4,900 times the same field, by 70 of the same parent": operation_attack(
        f"{{ {'project { ...F } ' * 70} }} fragment F on Project {{ {'name ' * 101} }}", "LIMIT_EXCEEDED"
    ),
    "overlapping fields of two arguments": operation_attack(
        f"{{ {repeated(100, lambda number: f'node(id: {number % 2}) {{ id }}')} }}", "GRAPHQL_VALIDATION_FAILED"
    ),
    "10,000 variables": operation_attack(
        f"query({repeated(10_000, '$v{}: Int'.format)}) {PROJECT}",
        "LIMIT_EXCEEDED",
        {f"v{n}": n for n in range(10_000)},
    ),
    "5,000 directives": operation_attack(f"{{ project {{ slug {'@skip(if: false) ' * 5_000} }} }}", "LIMIT_EXCEEDED"),
    "5,000 unknown directives": operation_attack(f"{{ __typename {'@a ' * 5_000} }}", "LIMIT_EXCEEDED"),
    "10,000 aliases": operation_attack(f"{{ {repeated(10_000, 'a{}: __typename'.format)} }}", "LIMIT_EXCEEDED"),
    "a text of 1 MB as a variable": operation_attack(
        "query($day: Date) { customers(dateFrom: $day) { totalCount } }", "BAD_USER_INPUT", {"day": "1" * MEGABYTE}
    ),
    "a variable's value of 1 MB for an enum": operation_attack(
        "query($f: CustomerFilter) { customers(filter: $f) { totalCount } }", "BAD_USER_INPUT", {"f": "A" * MEGABYTE}
    ),
    "an operation's name of 1 MB": operation_attack(
        "query Q { __typename }", "OPERATION_RESOLUTION_FAILURE", operationName="Q" * MEGABYTE
    ),
    "a fragment named __schema": operation_attack(
        f"{{ ...__schema }} fragment __schema on Query {{ __schema {{ types {{ {SCHEMA_DEPTH} }} }} }}",
        "LIMIT_EXCEEDED",
    ),
    "a fragment that is deep where it is spread last": operation_attack(
        f"{{ __schema {{ queryType {{ ...F }} types {{ {nested(10, 'ofType { ', '} ', '...F')} }} }} }}"
        f" fragment F on __Type {{ {nested(9, 'ofType { ', '} ', 'name')} }}",
        "LIMIT_EXCEEDED",
    ),
    "a fragment that spreads itself": operation_attack(
        "{ ...F } fragment F on Query { ...F }", "GRAPHQL_VALIDATION_FAILED"
    ),
    "deep introspection": operation_attack(f"{{ __schema {{ types {{ {SCHEMA_DEPTH} }} }} }}", "LIMIT_EXCEEDED"),
    "introspection of fields of fields": operation_attack(
        f"{{ __schema {{ types {{ {nested(6, 'fields { type { ', '} } ', 'name')} }} }} }}", "GRAPHQL_VALIDATION_FAILED"
    ),
    "introspection of possible types of interfaces": operation_attack(
        f"{{ __schema {{ types {{ {nested(4, 'interfaces { possibleTypes { ', '} } ', 'name')} }} }} }}",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "a field that is almost known": operation_attack("{ custmers { nodes { id } } }", "GRAPHQL_VALIDATION_FAILED"),
    "an argument that is almost known": operation_attack(
        "{ customers(frst: 1) { totalCount } }", "GRAPHQL_VALIDATION_FAILED"
    ),
    "a type that is almost known": operation_attack(
        "{ node(id: 1) { ... on Custmer { id } } }", "GRAPHQL_VALIDATION_FAILED"
    ),
    "an enum value that is almost known": operation_attack(
        "{ customers(filter: ASKD) { totalCount } }", "BAD_USER_INPUT"
    ),
    "an input field that is almost known": operation_attack(
        "mutation($i: CreateCustomerInput!) { createCustomer(input: $i) { userErrors { code } } }",
        "BAD_USER_INPUT",
        {"i": {"firstNam": "Ada"}},
    ),
    "a directive that is almost known": operation_attack("{ __typename @skp(if: true) }", "GRAPHQL_VALIDATION_FAILED"),
    "braces 300,000 deep": operation_attack("{a" * 300_000, "LIMIT_EXCEEDED"),
    "lists 500,000 deep": operation_attack(f"{{ nodes(ids: {'[' * 500_000}", "LIMIT_EXCEEDED"),
    "a list of 100,000 entries": operation_attack(
        "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", "BAD_USER_INPUT", {"ids": [1] * 100_000}
    ),
    "variables of 290,000 lists": operation_attack(PROJECT, "LIMIT_EXCEEDED", {"a": [[[[]] * 40] * 80] * 90}),
}

BODIES: dict[str, Attack] = {
    "null": raw(b"null"),
    "a string": raw(b'"{ project { slug } }"'),
    "a number": raw(b"1"),
    "true": raw(b"true"),
    "an integer of 100,000 digits": raw(b'{"query": "{ a }", "variables": {"a": %b}}' % (b"1" * 100_000)),
    "JSON 100,000 deep": raw(b'{"query": "{ a }", "variables": {"a": %b}}' % (b"[" * 100_000 + b"]" * 100_000)),
    "invalid UTF-8": raw(b'{"query": "{ project { slug } } #\xff"}'),
    "gzip bytes": raw(gzip.compress(b'{"query": "{ project { slug } }"}', mtime=0)),
    "NaN": raw(b'{"query": "{ project { slug } }", "variables": {"a": NaN}}'),
    "UTF-16": raw('{"query": "{ project { slug } }"}'.encode("utf-16")),
    "a body over 1 MiB": raw(b'{"query": "{ a }%b"}' % (b" " * 1_048_576), 413),
    "application/jsonx": raw(b'{"query": "{ project { slug } }"}', 415, "application/jsonx"),
    "a batch": raw(b'[{"query": "{ project { slug } }"}, {"query": "{ project { slug } }"}]'),
    "multipart": raw(
        b'--x\r\nContent-Disposition: form-data; name="query"\r\n\r\n{ project { slug } }\r\n--x--\r\n',
        415,
        "multipart/form-data; boundary=x",
    ),
    "urlencoded": raw(b"query=%7Bproject%7Bslug%7D%7D", 415, "application/x-www-form-urlencoded"),
    "two operations without a name": operation_attack(
        f"query A {PROJECT} query B {PROJECT}", "OPERATION_RESOLUTION_FAILURE"
    ),
}

ATTACKS = {**DOCUMENTS, **BODIES}
