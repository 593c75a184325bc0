"""Trusted documents: an operator's own, read, validated and priced before anybody is served."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from customergraph.errors import (
    CommandRefused,
    LimitExceeded,
    RequestRefused,
)
from customergraph.execution.documents import Documents, InvalidDocument, UnreadableDocument
from customergraph.execution.graphql_core import Definitions
from customergraph.execution.operation import RequestErrors
from customergraph.execution.pricing import Price, price_of
from customergraph.gateway.document_files import ListedDocument, listed
from customergraph.gateway.explanation import located
from customergraph.gateway.limits import limits_of
from customergraph.schema.schema import execution
from customergraph.settings import PREFIX, Settings


@dataclass(frozen=True, slots=True)
class PricedOperation:
    """An operation of a trusted document, and what it costs."""

    name: str | None
    price: Price


class Judge:
    """Judges documents as requests with them would be, by the limits of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._execution = execution()
        self._documents = Documents(self._execution, limits_of(settings))
        self._longest_list = settings.list_limit
        self._cost_limit = settings.cost_limit

    def priced(self, listed_document: ListedDocument) -> list[PricedOperation]:
        """Price the operations of a document; raises CommandRefused for one that no request could have."""
        try:
            return list(self._priced(listed_document.text))
        except RequestErrors as errors:
            reason = "; ".join(map(located, errors.errors))
        except RequestRefused as refusal:
            reason = str(refusal)
        raise CommandRefused(f"{listed_document.source}: {reason}") from None

    def _priced(self, text: str) -> Iterator[PricedOperation]:
        document = self._documents.read_at_once(text)
        if isinstance(document, UnreadableDocument):
            raise RequestErrors((document.error,), before_execution=True)
        if isinstance(document, InvalidDocument):
            raise RequestErrors(document.suggesting_errors or document.errors, before_execution=True)
        for definitions in document.operations:
            yield self._price(definitions)

    def _price(self, definitions: Definitions) -> PricedOperation:
        operation = definitions.operation
        price = price_of(definitions, self._execution.native, self._longest_list)
        if price.usual > self._cost_limit:
            raise LimitExceeded("COST_LIMIT", "objects that it may return", price.usual, self._cost_limit)
        return PricedOperation(operation.name.value if operation.name else None, price)


class TrustedDocuments:
    """Trusted documents by their ids."""

    def __init__(self, documents: Sequence[ListedDocument] = ()) -> None:
        self._texts: dict[str, str] = {}
        for document in documents:
            for id_, text in document.texts.items():
                if self._texts.setdefault(id_, text) != text:
                    raise CommandRefused(f"{document.source}: another document has the id {id_}")
        self._all = frozenset(self._texts.values())

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Read the documents that the settings name; raises CommandRefused for one that no request could have."""
        if not settings.documents:
            return cls()
        judge = Judge(settings)
        try:
            documents = listed(Path(settings.documents))
            for document in documents:
                judge.priced(document)
            return cls(documents)
        except CommandRefused as refused:
            raise CommandRefused(f"setting {PREFIX}DOCUMENTS: {refused}") from None

    def __contains__(self, text: object) -> bool:
        return text in self._all

    def text(self, id_: str) -> str | None:
        """Return the text of an id, or None."""
        return self._texts.get(id_)


NO_TRUSTED_DOCUMENTS = TrustedDocuments()
