"""The rules for charges (contract, section 2)."""

from iso4217 import Currency

from customergraph.domain.paging import KeyType, Ordering
from customergraph.domain.text import whole_number
from customergraph.errors import UserErrorCode, ValueRefused

CHARGES_NEWEST_FIRST = Ordering("charges", "charged_at", KeyType.TIMESTAMP)
_CURRENCIES = frozenset(currency.code for currency in Currency)


def currency(text: str) -> str:
    """Check an active currency code of ISO 4217, in either case; returns it in upper case.

    Raises ValueRefused for other codes, also for withdrawn ones such as DEM.
    """
    # Upper case turns some letters outside ASCII into ASCII ones: the ligature ff becomes FF.
    code = text.upper() if text.isascii() else ""
    if code not in _CURRENCIES:
        raise ValueRefused(UserErrorCode.INVALID, f"{text[:20]!r} is not an active ISO 4217 currency code like USD")
    return code


def amount(text: str | int) -> int:
    """Read an amount in the smallest unit of its currency: a whole number of 64 bits, negative for a refund."""
    value = whole_number(text)
    if value is None:
        raise ValueRefused(
            UserErrorCode.INVALID,
            f"{str(text)[:40]!r} is not an amount: give a whole number of the currency's smallest unit, of 64 bits",
        )
    return value
