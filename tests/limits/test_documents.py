"""Documents are read once while they are remembered; how much is remembered is bounded in bytes."""

import asyncio
import gc
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from graphql import OperationType

from benchmarks.attacks import of_every_type, spread_everywhere
from customergraph.execution.documents import CACHE_BYTES, AnyDocument, Documents
from customergraph.execution.limits import Limits
from customergraph.execution.operation import Document
from customergraph.schema.schema import execution

pytestmark = pytest.mark.slow

KEY = "a token"
# What the event loop and its thread take, however many documents there are.
MADE_ONCE_BYTES = 64_000
EXECUTION = execution()
HISTORY = """{ customers(first: 50, filter: REVIEWED) { nodes { name email location { displayName } tags { slug }
  messages(first: 1) { nodes { template status } } charges(first: 1) { nodes { amount } } } } }"""
SHAPES: dict[str, Callable[[int], str]] = {
    "small": lambda number: f"{{ __typename a{number}: __typename }}",
    "of two thousand fields": lambda number: f"query Q{number} {spread_everywhere(5, 330)}",
    "of every type": lambda number: of_every_type(4).replace("query", f"query Q{number}"),
    "of a history": lambda number: f"query Q{number} {HISTORY}",
    "of long keys": lambda number: (
        f"query Q{number} {{ locations {{ "
        + " ".join(
            f"{f'{name}{one}'.ljust(200, '_')}: {name}" for name in ("id", "slug", "name", "city") for one in range(25)
        )
        + " } }"
    ),
    "of many places": lambda number: (
        f"query Q{number} {{ "
        + " ".join(f"{name}{one}: {name} {{ id }}" for name in ("project", "locations", "tags") for one in range(30))
        + " }"
    ),
    "of one comment": lambda number: f"{{ __typename }} # {number}".ljust(95_000, "a"),
    "of four thousand comments": lambda number: f"{{ __typename }} # {number}" + "\n#" * 3_900,
    "in letters of four bytes": lambda number: f"{{ __typename }} # {number}" + "\U0001f600" * 20_000,
    "of a text": lambda number: f'{{ node(id: "{"a" * 90_000}{number}") {{ id }} }}',
    "of lists": lambda number: (
        f"{{ n{number}: nodes(ids: [{'1 ' * 100}]) {{ id }} " + f"nodes(ids: [{'1 ' * 100}]) {{ id }} " * 30 + "}"
    ),
    "of unknown fields": lambda number: f"{{ {' '.join(f'f{number}_{one}' for one in range(1_300))} }}",
    "without an end": lambda number: f"query Q{number} {{ {'a ' * 3_900}",
    "of variables": lambda number: f"query Q{number}({' '.join(f'$v{one}: Int' for one in range(900))}) {{ a }}",
    "by variables that decide": lambda number: (
        f"query Q{number}($a: Boolean = true) {{ project {{ name @skip(if: $a) }} }}"
    ),
}


@contextmanager
def traced() -> Iterator[list[int]]:
    """Yield a list, which has the bytes that the block allocated and did not free when it has ended."""
    traced_bytes: list[int] = []
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    yield traced_bytes
    gc.collect()
    traced_bytes.append(tracemalloc.get_traced_memory()[0] - before)
    tracemalloc.stop()


def read(documents: Documents, *texts: str) -> list[AnyDocument]:
    """Read documents one after another, as requests do."""

    async def each() -> list[AnyDocument]:
        return [documents.remembered(text) or await documents.read(text, KEY) for text in texts]

    return asyncio.run(each())


def prepare(document: AnyDocument, variables: dict[str, Any] | None = None) -> None:
    """Prepare the operation of a document that is valid, so that it is planned."""
    if isinstance(document, Document):
        document.prepare(None, {"ids": ["x"], **(variables or {})}, {OperationType.QUERY})


def test_a_document_is_read_once_while_it_is_remembered() -> None:
    documents = Documents(EXECUTION, Limits())

    first, other, again = read(documents, HISTORY, "{ __typename }", HISTORY)

    assert first is again is not other


def test_the_document_that_was_not_used_for_longest_is_forgotten_first() -> None:
    documents = Documents(EXECUTION, Limits())
    large = SHAPES["of unknown fields"]
    (used, unused) = read(documents, large(0), large(1))
    most = CACHE_BYTES // used.bytes

    read(documents, *(text for number in range(2, most + 1) for text in (large(0), large(number))))

    assert documents.remembered(large(0)) is used
    assert documents.remembered(large(1)) is not unused
    assert documents.remembered(large(most)) is not None


@pytest.mark.parametrize("shape", SHAPES)
def test_documents_of_every_shape_take_no_more_bytes_than_they_are_counted_for(shape: str) -> None:
    async def traced_and_counted() -> tuple[int, int]:
        documents, text = Documents(EXECUTION, Limits()), SHAPES[shape]
        # What is made once for all documents.
        for number in range(2):
            prepare(await documents.read(text(number), KEY))
        with traced() as traced_bytes:
            cached = [await documents.read(text(number), KEY) for number in range(2, 7)]
            for document in cached:
                prepare(document)
        return traced_bytes[0], sum(document.bytes for document in cached)

    traced_bytes, counted = asyncio.run(traced_and_counted())

    assert 0 < traced_bytes <= counted + MADE_ONCE_BYTES


def test_plans_count_when_they_are_made() -> None:
    documents = Documents(EXECUTION, Limits())
    fields = " ".join(f"a{number}: name @skip(if: $v{number})" for number in range(6))
    variables = ", ".join(f"$v{number}: Boolean!" for number in range(6))
    (document,) = read(documents, f"query({variables}) {{ project {{ {fields} }} }}")
    unplanned = document.bytes

    for number in range(64):
        prepare(document, {f"v{bit}": bool(number >> bit & 1) for bit in range(6)})

    # Sixteen of them are remembered.
    assert 16 * 5_000 < document.bytes - unplanned < 16 * 20_000


def test_a_plan_keeps_no_other_variables_than_those_that_decide() -> None:
    documents = Documents(EXECUTION, Limits())
    (document,) = read(documents, "query($a: Boolean!, $ids: [ID!]!) { nodes(ids: $ids) { id @skip(if: $a) } }")

    with traced() as traced_bytes:
        for decides in (True, False):
            prepare(document, {"a": decides, "ids": [f"{number}".ljust(10_000) for number in range(100)]})

    assert traced_bytes[0] < 200_000


def test_what_is_forgotten_is_freed_without_the_garbage_collector() -> None:
    documents, others = Documents(EXECUTION, Limits()), SHAPES["of unknown fields"]
    (document,) = read(documents, SHAPES["of two thousand fields"](0))
    prepare(document)
    most = CACHE_BYTES // read(documents, others(0))[0].bytes
    read(documents, *(others(number) for number in range(1, most + 1)))
    gc.collect()

    gc.disable()
    del document
    unreachable = gc.collect()
    gc.enable()

    assert unreachable == 0
