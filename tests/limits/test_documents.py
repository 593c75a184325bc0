"""Documents are read once while they are remembered; how much is remembered is bounded."""

import asyncio

from customergraph.execution.documents import (
    REMEMBERED,
    REMEMBERED_CHARACTERS,
    REMEMBERED_CHARACTERS_OF_ALL,
    Documents,
)
from customergraph.execution.limits import Limits
from customergraph.schema.queries import execution


def document(number: int, characters: int = 100) -> str:
    return f"query Q{number} {{ __typename }} ".ljust(characters, "#")


def is_remembered_after(first: str, *others: str) -> bool:
    """Tell whether a document is still remembered when others have been read."""

    async def read() -> bool:
        documents = Documents(execution(), Limits())
        known = await documents.read(first)
        for other in others:
            await documents.read(other)
        return await documents.read(first) is known

    return asyncio.run(read())


def test_a_document_is_remembered_until_as_many_others_were_read() -> None:
    others = [document(number) for number in range(1, REMEMBERED + 1)]

    assert is_remembered_after(document(0), *others[:-1])
    assert not is_remembered_after(document(0), *others)


def test_large_documents_are_remembered_until_all_are_too_large_together() -> None:
    fitting = REMEMBERED_CHARACTERS_OF_ALL // REMEMBERED_CHARACTERS
    others = [document(number, REMEMBERED_CHARACTERS) for number in range(1, fitting + 1)]

    assert is_remembered_after(document(0, REMEMBERED_CHARACTERS), *others[:-1])
    assert not is_remembered_after(document(0, REMEMBERED_CHARACTERS), *others)


def test_a_document_that_is_too_large_by_itself_is_not_remembered() -> None:
    assert is_remembered_after(document(0, REMEMBERED_CHARACTERS))
    assert not is_remembered_after(document(0, REMEMBERED_CHARACTERS + 1))
