"""The rules for charges (contract, section 2)."""

from iso4217 import Currency

from customergraph.domain.arguments import text_argument
from customergraph.domain.paging import KeyType, Ordering
from customergraph.domain.text import whole_number
from customergraph.errors import UserErrorCode, ValueRefused

CHARGES_NEWEST_FIRST = Ordering("charges", "charged_at", KeyType.TIMESTAMP)
CHARGES_BY_ID = Ordering.by_id("charges")
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


def currency_argument(value: str | None) -> str | None:
    """Return the code that an argument names in either case, whether it is a currency or not; raises BadUserInput."""
    code = text_argument("currency", value)
    # Other letters have no place in a code, and some turn into ASCII ones in upper case.
    return code.upper() if code is not None and code.isascii() else code


def amount(text: str | int) -> int:
    """Read an amount in the smallest unit of its currency: a whole number of 64 bits, negative for a refund."""
    value = whole_number(text)
    if value is None:
        raise ValueRefused(
            UserErrorCode.INVALID,
            f"{str(text)[:40]!r} is not an amount: give a whole number of the currency's smallest unit, of 64 bits",
        )
    return value
