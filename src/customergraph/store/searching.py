"""The conditions of a search: the customer's search key contains each of its words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Text, bindparam
from sqlalchemy.sql import ColumnElement

from customergraph.store.tables import customer

# A trigram index reads a list for each trigram of each word: a few long words narrow the search enough.
MAX_INDEXED_WORDS = 3
_TRIGRAM = re.compile(r"[^\W_]{3}")


@dataclass(frozen=True, slots=True)
class SearchShape:
    """How many words of a search are looked up in a trigram index, and how many more have to match."""

    indexed: int
    others: int

    @classmethod
    def of(cls, words: Sequence[str]) -> "SearchShape":
        indexed, others = _split(words)
        return cls(len(indexed), len(others))

    def conditions(self) -> list[ColumnElement[bool]]:
        # For a word without a trigram PostgreSQL would read the whole index: adding "" keeps it from using the index.
        indexed, hidden = customer.c.search_key, customer.c.search_key + ""
        columns = [indexed] * self.indexed + [hidden] * self.others
        return [column.like(bindparam(_name(number), type_=Text), escape="\\") for number, column in enumerate(columns)]


def parameters(words: Sequence[str]) -> dict[str, str]:
    """Return the pattern of each word by its parameter; `%` and `_` in a word stand for themselves."""
    indexed, others = _split(words)
    patterns = ("%" + re.sub(r"([\\%_])", r"\\\1", word) + "%" for word in (*indexed, *others))
    return {_name(number): pattern for number, pattern in enumerate(patterns)}


def _name(number: int) -> str:
    return f"word_{number}"


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split words into those to look up in the index, the longest first, and the others."""
    if not words:
        return [], []
    by_length = sorted(words, key=len, reverse=True)
    indexed = [word for word in by_length if _TRIGRAM.search(word)][:MAX_INDEXED_WORDS]
    others = [word for word in by_length if word not in indexed]
    return indexed, others + others[-1:] * (_rounded(len(others)) - len(others))


def _rounded(count: int) -> int:
    """Round up to a power of two, so that searches of many words share a few statements."""
    return 1 << (count - 1).bit_length() if count else 0
