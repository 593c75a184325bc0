"""The documents that clients name by their hashes: an operator's own, and those that clients have sent before.

The protocol is Apollo's of automatic persisted queries. A client sends a hash; if it is unknown, the client sends
the hash once more with the text, which is kept for the next time.
"""

import sys
from collections import OrderedDict
from dataclasses import dataclass

from customergraph.errors import (
    PersistedQueryHashMismatch,
    PersistedQueryNotFound,
    PersistedQueryNotInList,
)
from customergraph.execution.documents import digest
from customergraph.gateway.request import GraphQLRequest
from customergraph.gateway.trusted import TrustedDocuments

CAPACITY_BYTES = 8 * 2**20
# The hash, and the places in the dictionaries.
_ENTRY_BYTES = 400


class SentDocuments:
    """The documents that clients of each project have sent with their hashes, as many as fit.

    When they do not fit, the project that takes the most loses its oldest ones: no project can push out another's.
    """

    def __init__(self, capacity: int = CAPACITY_BYTES) -> None:
        self._capacity = capacity
        self._projects: dict[int, _Sent] = {}
        self._bytes = 0

    def text(self, project_id: int, hash_: str) -> str | None:
        """Return the text of a hash, if a client of the same project has sent it."""
        sent = self._projects.get(project_id)
        return sent.text(hash_) if sent else None

    def keep(self, project_id: int, hash_: str, text: str) -> None:
        """Keep the text of a hash for the project."""
        sent = self._projects.setdefault(project_id, _Sent(OrderedDict()))
        self._bytes += sent.keep(hash_, text)
        while self._bytes > self._capacity:
            largest = max(self._projects, key=lambda id_: self._projects[id_].bytes)
            self._bytes -= self._projects[largest].drop_oldest()
            if not self._projects[largest].bytes:
                del self._projects[largest]


@dataclass(slots=True)
class _Sent:
    """The texts of one project by their hashes, the one that was used last at the end."""

    texts: OrderedDict[str, str]
    bytes: int = 0

    def text(self, hash_: str) -> str | None:
        text = self.texts.get(hash_)
        if text is not None:
            self.texts.move_to_end(hash_)
        return text

    def keep(self, hash_: str, text: str) -> int:
        """Keep a text; returns how many bytes more it takes."""
        if hash_ in self.texts:
            return 0
        self.texts[hash_] = text
        self.bytes += _size(text)
        return _size(text)

    def drop_oldest(self) -> int:
        """Drop the text that was not used for longest; returns how many bytes it took."""
        _, text = self.texts.popitem(last=False)
        self.bytes -= _size(text)
        return _size(text)


def _size(text: str) -> int:
    return _ENTRY_BYTES + sys.getsizeof(text)


class PersistedDocuments:
    """Finds the texts of requests."""

    def __init__(self, trusted: TrustedDocuments, *, only_trusted: bool) -> None:
        self._trusted = trusted
        self._only_trusted = only_trusted
        self._sent = SentDocuments()

    def text(self, request: GraphQLRequest, project_id: int) -> str:
        """Return the text of a request's document: its own, or that of its hash.

        Raises PersistedQueryNotFound, PersistedQueryHashMismatch, and where only trusted documents
        are run PersistedQueryNotInList.
        """
        text = request.query
        if text is None:
            return self._of_hash(request.document_id or "", project_id)
        if request.document_id is not None and digest(text) != request.document_id:
            raise PersistedQueryHashMismatch
        if self._only_trusted and text not in self._trusted:
            raise PersistedQueryNotInList
        return text

    def _of_hash(self, id_: str, project_id: int) -> str:
        text = self._trusted.text(id_)
        if text is None and self._only_trusted:
            raise PersistedQueryNotInList
        text = text or self._sent.text(project_id, id_)
        if text is None:
            raise PersistedQueryNotFound
        return text

    def keep(self, request: GraphQLRequest, project_id: int) -> None:
        """Keep the document of a request that may run, if it came with its hash."""
        if request.query is not None and request.document_id is not None and not self._only_trusted:
            self._sent.keep(project_id, request.document_id, request.query)
