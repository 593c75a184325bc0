"""Text as it is stored and compared (contract, sections 3 and 6)."""

import re
import sys
import unicodedata
from collections.abc import Callable
from functools import lru_cache, partial

from customergraph.errors import UserErrorCode, ValueRefused

# str.strip() would also remove U+001C to U+001F and U+0085, which are control characters: they must be
# refused, not trimmed.
WHITESPACE = "".join(
    character
    for character in map(chr, range(0x3001))
    if character.isspace() and character not in "\x1c\x1d\x1e\x1f\x85"
)
_CONTROLS = frozenset(map(chr, [*range(0x20), *range(0x7F, 0xA0)]))
_BETWEEN_WORDS = re.compile(r"[\W_]+")
_WHOLE_NUMBER = re.compile(r"[+-]?\d{1,19}", re.ASCII)
LINES_AND_TABS = frozenset("\n\t")

MAX_SLUG_LENGTH = 100

# Code points from the first of these to the second are no characters.
_FIRST_SURROGATE, _AFTER_SURROGATES = 0xD800, 0xE000


def fold(text: str) -> str:
    """Return the form in which two texts are equal that differ only in case or composition."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


# Increase the number when you change how keys are made: then `customergraph db upgrade` rewrites them. A later
# version of Unicode adds characters with cases and marks.
KEYS_VERSION = f"2, Unicode {unicodedata.unidata_version}"


def searchable(text: str) -> str:
    """Return the form that searches compare: without case, marks and compatibility forms.

    It is empty for a text of marks alone.
    """
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    unmarked = "".join(character for character in folded if unicodedata.category(character) != "Mn")
    return unicodedata.normalize("NFC", unmarked)


def successor(text: str) -> str:
    """Return the least text, by code points, that is greater than all texts which begin with this one.

    Of a text of the last code points alone there is none; then it is a text greater than those that people write.
    """
    for place in range(len(text) - 1, -1, -1):
        code = ord(text[place])
        if code < sys.maxunicode:
            return text[:place] + chr(_AFTER_SURROGATES if code + 1 == _FIRST_SURROGATE else code + 1)
    return text + chr(sys.maxunicode)


def normalized(text: str) -> str:
    """Return the text in NFC, with newlines as line ends, trimmed."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return text.strip(WHITESPACE)


def is_blank(text: str) -> bool:
    """Return whether a text is empty when it is trimmed."""
    return not text or (text.isspace() and not text.strip(WHITESPACE))


def has_controls(text: str, allowed: frozenset[str] = frozenset()) -> bool:
    """Return whether a text has a control character or half of a surrogate pair."""
    if text.isascii() and text.isprintable():
        return False
    return any(
        (character in _CONTROLS and character not in allowed) or "\ud800" <= character <= "\udfff" for character in text
    )


def optional(text: str | None, longest: int, *, multiline: bool = False) -> str | None:
    """Normalise an optional text; None for a blank one.

    Raises ValueRefused for control characters, except newlines and tabs in a multiline text, and for more than
    `longest` characters.
    """
    if text is None:
        return None
    if text.isascii() and text.isprintable():
        # The usual text has nothing else to normalise, and no control character.
        text = text.strip()
    else:
        text = normalized(text)
        if has_controls(text, LINES_AND_TABS if multiline else frozenset()):
            raise ValueRefused(UserErrorCode.INVALID, "must not contain control characters")
    if len(text) > longest:
        raise ValueRefused(UserErrorCode.TOO_LONG, f"must have at most {longest} characters, and has {len(text)}")
    return text or None


def up_to(longest: int, *, multiline: bool = False) -> Callable[[str | None], str | None]:
    """Return the rule for an optional text of at most `longest` characters."""
    return partial(optional, longest=longest, multiline=multiline)


def required(text: str | None, longest: int) -> str:
    """Normalise a required text; raises ValueRefused as `optional` does, and for a blank text."""
    value = optional(text, longest)
    if value is None:
        raise ValueRefused(UserErrorCode.BLANK, "must not be blank")
    return value


def slug(text: str) -> str:
    """Normalise the slug of a location or a tag."""
    # A longer text, with white space around the slug, is not cached: that bounds the memory.
    return _cached_slug(text) if len(text) <= MAX_SLUG_LENGTH else required(text, MAX_SLUG_LENGTH)


def slug_of(name: str) -> str:
    """Return the slug that is made of a name: its letters and digits without case and marks, hyphens between words."""
    return _BETWEEN_WORDS.sub("-", searchable(name)).strip("-") or name


@lru_cache(maxsize=4096)
def _cached_slug(text: str) -> str:
    return required(text, MAX_SLUG_LENGTH)


def whole_number(text: str | int) -> int | None:
    """Read a whole number of 64 bits; None for another value."""
    value = int(text) if isinstance(text, int) or _WHOLE_NUMBER.fullmatch(text) else None
    return value if value is not None and -(2**63) <= value < 2**63 else None
