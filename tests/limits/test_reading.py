"""New documents are read one at a time, in turns of their tokens: nobody waits for another's queue."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from graphql import OperationType

from customergraph.domain.principal import Principal, Scope
from customergraph.errors import LimitExceeded
from customergraph.execution.documents import Documents
from customergraph.execution.limits import Limits
from customergraph.gateway.gateway import Gateway
from customergraph.gateway.operations import execute
from customergraph.gateway.record import Record
from customergraph.gateway.request import ClientDisconnected, GraphQLRequest
from customergraph.schema.schema import execution
from customergraph.settings import Settings
from customergraph.store.access import AuthenticatedToken
from graphql_client import GraphQLClient


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The URL of an embedded store alone: what is refused never reaches the store."""
    return sqlite_url


def large(number: int) -> str:
    """Write a document of 4,000 tokens."""
    fields = " ".join(f"a{number}_{one}" for one in range(3_900))
    return f"{{ {fields} }}"


async def settle(*reading: Coroutine[Any, Any, Any]) -> list[asyncio.Task[Any]]:
    """Begin to read, and let all come to where they wait."""
    tasks = [asyncio.ensure_future(one) for one in reading]
    await asyncio.sleep(0)
    return tasks


def test_a_document_waits_for_no_more_than_one_of_another_token() -> None:
    async def order() -> list[str]:
        documents = Documents(execution(), Limits())
        ended: list[str] = []

        async def read(text: str, key: str) -> None:
            await documents.read(text, key)
            ended.append(key)

        many = await settle(*(read(large(number), "many") for number in range(10)))
        one = await settle(read("{ __typename }", "one"))
        await asyncio.gather(*many, *one)
        return ended

    assert "one" in asyncio.run(order())[:2]


def test_a_document_is_read_once_for_all_that_ask_for_it_meanwhile() -> None:
    async def read() -> set[int]:
        documents = Documents(execution(), Limits())
        same_documents = await asyncio.gather(
            *(documents.read(large(0), key) for key in ("one", "one", "other", "third"))
        )
        return set(map(id, same_documents))

    assert len(asyncio.run(read())) == 1


def test_a_document_that_nobody_waits_for_any_more_is_not_read() -> None:
    async def remembered() -> list[bool]:
        documents = Documents(execution(), Limits())
        first, *others = await settle(*(documents.read(large(number), "many") for number in range(6)))
        for task in others:
            task.cancel()
        await first
        await documents.read("{ __typename }", "many")
        return [documents.remembered(large(number)) is not None for number in range(6)]

    assert asyncio.run(remembered()) == [True, False, False, False, False, False]


def test_a_turn_lasts_as_long_as_the_reading_of_a_client_that_left() -> None:
    async def order() -> list[bool]:
        documents = Documents(execution(), Limits())
        (first,) = await settle(documents.read(large(0), "left"))
        first.cancel()
        await documents.read("{ __typename }", "next")
        return [first.done(), first.cancelled(), documents.remembered("{ __typename }") is not None]

    assert asyncio.run(order()) == [True, True, True]


def test_a_client_that_left_is_not_read_for(sqlite_url: str) -> None:
    async def ask() -> bool:
        gateway = Gateway.of(Settings(database_url=sqlite_url))
        use = AuthenticatedToken(Principal(1, "UTC", frozenset({Scope.READ})), 1, must_record_use=False)

        async def disconnected() -> None:
            return

        try:
            request = GraphQLRequest(large(0), None, None, frozenset({OperationType.QUERY}))
            with pytest.raises(ClientDisconnected):
                await execute(gateway, request, use, disconnected, Record("mine"))
            return gateway.documents.remembered(large(0)) is None
        finally:
            await gateway.close()

    assert asyncio.run(ask())


def test_a_document_that_is_too_large_is_refused_before_its_turn() -> None:
    async def read() -> None:
        documents = Documents(execution(), Limits())
        many = await settle(*(documents.read(large(number), "many") for number in range(3)))
        with pytest.raises(LimitExceeded, match="DOCUMENT_LIMIT"):
            await documents.read(" " * 100_001, "many")
        assert not any(task.done() for task in many)
        await asyncio.gather(*many)

    asyncio.run(read())


@pytest.mark.parametrize("name", ["a{}", "a"])
def test_each_unknown_directive_has_an_error_of_its_own(client: GraphQLClient, name: str) -> None:
    directives = [name.format(number) for number in range(10)]

    errors = client.answer(f"{{ __typename {' '.join(f'@{one}' for one in directives)} }}")["errors"]

    assert [error["message"] for error in errors] == [f"Unknown directive '@{one}'." for one in directives]
    assert [error["locations"][0]["column"] for error in errors] == sorted(
        {error["locations"][0]["column"] for error in errors}
    )
    assert {error["extensions"]["code"] for error in errors} == {"GRAPHQL_VALIDATION_FAILED"}


def test_more_than_ten_unknown_directives_have_ten_errors_and_one_that_says_so(client: GraphQLClient) -> None:
    errors = client.answer(f"{{ __typename {' '.join(f'@a{number}' for number in range(50))} }}")["errors"]

    assert len(errors) == 11
    assert [error["message"] for error in errors[:10]] == [f"Unknown directive '@a{number}'." for number in range(10)]
    assert errors[10]["message"].startswith("Too many validation errors")
