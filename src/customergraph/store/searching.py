"""The conditions of a search: the customer's search key contains each of its words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Text, bindparam, literal_column, or_
from sqlalchemy.sql import ColumnElement

from customergraph.domain.text import successor
from customergraph.store.paging import Range
from customergraph.store.tables import NAME_PREFIX_LENGTH, NAME_PREFIX_SQL, customer

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
    patterns = (f"%{_escaped(word)}%" for word in (*indexed, *others))
    return {_name(number): pattern for number, pattern in enumerate(patterns)}


def _escaped(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)


def relevance_ranges(*, is_ascii: bool) -> list[Range]:
    """Return the ranges of the order by relevance: names that begin with the phrase, then the others, each by name.

    Most names that begin with a phrase of ASCII have a sort key that begins with it: they are a range of the
    sort's index. The others of the first rank have a mark or a compatibility form there, which stands for a letter
    outside ASCII in the sort key, so they come after those.
    """
    begins = customer.c.search_key.like(_text("phrase_pattern"), escape="\\")
    beginning = literal_column(NAME_PREFIX_SQL, Text)
    by_prefix = begins, beginning >= _text("phrase_prefix"), beginning < _text("phrase_prefix_end")
    if not is_ascii:
        return [Range(0, by_prefix), Range(1, (~begins,))]
    key, start, end = customer.c.name_key, _text("phrase"), _text("phrase_end")
    by_key = begins, key >= start, key < end
    return [Range(0, by_key), Range(0, (*by_prefix, or_(key < start, key >= end))), Range(1, (~begins,))]


def relevance_parameters(phrase: str) -> dict[str, str]:
    """Return the parameters of the ranges by relevance."""
    prefix = phrase[:NAME_PREFIX_LENGTH]
    return {
        "phrase": phrase,
        "phrase_end": successor(phrase),
        "phrase_pattern": f"{_escaped(phrase)}%",
        "phrase_prefix": prefix,
        "phrase_prefix_end": successor(prefix),
    }


def _text(parameter: str) -> ColumnElement[str]:
    return bindparam(parameter, type_=Text)


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
