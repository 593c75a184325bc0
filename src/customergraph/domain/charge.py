"""Charges (contract, section 2)."""

import re

from customergraph.domain.paging import KeyType, Ordering
from customergraph.errors import MistakeCode, ValueRefused

CHARGES_NEWEST_FIRST = Ordering("charges", "charged_at", KeyType.MOMENT)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_AMOUNT = re.compile(r"[+-]?\d{1,19}", re.ASCII)


def currency(text: str) -> str:
    """Check the three letters of an ISO 4217 code; gives them in upper case."""
    code = text.upper()
    if not _CURRENCY.fullmatch(code):
        raise ValueRefused(MistakeCode.INVALID, f"{text[:20]!r} is not an ISO 4217 code like USD")
    return code


def amount(text: str | int) -> int:
    """Read an amount in the smallest unit of its currency, of 64 bits, negative for a refund."""
    if isinstance(text, int) or _AMOUNT.fullmatch(text):
        value = int(text)
        if -(2**63) <= value < 2**63:
            return value
    raise ValueRefused(
        MistakeCode.INVALID,
        f"{str(text)[:40]!r} is not an amount: give a whole number of the currency's smallest unit, of 64 bits",
    )
