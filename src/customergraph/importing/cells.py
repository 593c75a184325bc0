"""The rules for the cells of import files: how their text becomes a value of the domain (contract, `cli.md`)."""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson

from customergraph.domain import charge, contact, customer, text
from customergraph.errors import UserErrorCode, ValueRefused
from customergraph.importing import times
from customergraph.importing.reading import Reading, Unit

# A rule takes the cell, which is not blank, and how the file is read.
CellRule = Callable[[str, Reading], Any]

# Parts the addresses of a cell, of which the first valid one is taken.
CANDIDATES = "\x1f"

_UUID = re.compile(r"(urn:uuid:)?\{?[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\}?", re.ASCII | re.IGNORECASE)
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
_OPT_OUTS = {"yes": True, "no": False}
# A spreadsheet took the phone number for a number: its last digits are lost, or a decimal was added.
_POWER = re.compile(r"\d([.,]\d+)?E[+-]?\d+", re.ASCII | re.IGNORECASE)
_WHOLE = re.compile(r"(\+?\d{7,15})\.0", re.ASCII)
# Marks of the direction of writing, which address books copy with a number.
_DIRECTIONS = dict.fromkeys((*range(0x200E, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A)))

time = times.instant


def by(rule: Callable[[str], Any]) -> CellRule:
    """Return the rule of a cell that a rule of the domain checks."""
    return lambda cell, _reading: rule(cell)


def each_by(rules: Mapping[str, Callable[[str], Any]]) -> Mapping[str, CellRule]:
    """Return the rules of columns that rules of the domain check."""
    return {name: by(rule) for name, rule in rules.items()}


def trimmed(rule: Callable[[str], Any]) -> CellRule:
    return lambda cell, _reading: rule(cell.strip())


def one_of(names: type[StrEnum]) -> CellRule:
    def check(cell: str, _reading: Reading) -> StrEnum:
        # Upper case turns some letters outside ASCII into ASCII ones: a long s becomes S.
        name = cell.strip().upper() if cell.isascii() else cell
        try:
            return names(name)
        except ValueError:
            raise ValueRefused(UserErrorCode.INVALID, f"{cell[:40]!r} is none of {', '.join(names)}") from None

    return check


def first_valid(rule: CellRule) -> CellRule:
    """Return the rule of a cell that may have several addresses; where none is valid, the first is refused."""

    def check(cell: str, reading: Reading) -> Any:
        if CANDIDATES not in cell:
            return rule(cell, reading)
        candidates = cell.split(CANDIDATES)
        for candidate in candidates:
            try:
                return rule(candidate, reading)
            except ValueRefused:
                continue
        return rule(candidates[0], reading)

    return check


def phone(cell: str, reading: Reading) -> str | None:
    """Check a phone number; one without a country code is of the file's country."""
    if not cell.isascii():
        cell = cell.translate(_DIRECTIONS)
    if _POWER.search(cell):
        raise ValueRefused(
            UserErrorCode.INVALID, f"{cell[:40]!r} is a number of a spreadsheet, which lost digits: format it as a text"
        )
    if whole := _WHOLE.fullmatch(cell.strip()):
        cell = whole[1]
    try:
        return contact.phone(cell, reading.country)
    except ValueRefused as refused:
        hint = (
            ""
            if reading.country or cell.lstrip().startswith("+")
            else "; --country, like --country NL, names its country"
        )
        raise ValueRefused(refused.code, f"{refused}{hint}") from None


def amount(cell: str, reading: Reading) -> int | str:
    """Check an amount in the smallest unit; one in the main unit is read when its currency is known."""
    cell = cell.strip()
    if reading.amounts is Unit.MAJOR:
        return cell
    try:
        return charge.amount(cell)
    except ValueRefused as refused:
        raise ValueRefused(refused.code, f"{refused}; --amounts major reads decimals") from None


def uuid(cell: str, _reading: Reading) -> UUID:
    # UUID() alone accepts the digits of every script, signs and underscores.
    if not _UUID.fullmatch(cell.strip()):
        raise ValueRefused(UserErrorCode.INVALID, f"{cell[:40]!r} is not a uuid")
    return UUID(cell.strip())


def _one_of_words(cell: str, words: Mapping[str, bool]) -> bool:
    try:
        return words[cell.strip().lower()]
    except KeyError:
        raise ValueRefused(UserErrorCode.INVALID, f"{cell[:40]!r} is none of {', '.join(words)}") from None


def boolean(cell: str, _reading: Reading) -> bool:
    return _one_of_words(cell, _BOOLEANS)


def opt_out(cell: str, _reading: Reading) -> bool:
    return _one_of_words(cell, _OPT_OUTS)


def slugs(cell: str, reading: Reading) -> dict[str, str]:
    """Read slugs of tags between separators or in a JSON array, each with its place among them."""
    places = enumerate(_parted(cell, reading))
    slugs = {text.slug(slug): str(place) for place, slug in places if not text.is_blank(slug)}
    if len(slugs) > customer.MAX_TAGS:
        raise ValueRefused(UserErrorCode.TOO_MANY, f"must name at most {customer.MAX_TAGS} tags")
    return slugs


def _parted(cell: str, reading: Reading) -> list[str]:
    cell = cell.strip(text.WHITESPACE)
    if cell.startswith("[") and cell.endswith("]"):
        try:
            items = orjson.loads(cell)
        except orjson.JSONDecodeError:
            items = [None]
        if all(isinstance(item, str) for item in items):
            return list(items)
    return [_unquoted(slug) for slug in cell.split(reading.tag_separator)]


def _unquoted(slug: str) -> str:
    slug = slug.strip(text.WHITESPACE)
    return slug[1:-1] if len(slug) > 1 and slug[0] == slug[-1] == '"' else slug
