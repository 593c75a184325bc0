"""The rules for charges (contract, section 2)."""

from iso4217 import Currency

from customergraph.domain import text
from customergraph.domain.arguments import text_argument
from customergraph.domain.entry import EntryRules, by_rule, by_rules
from customergraph.domain.owner import OWNER_CHECKS
from customergraph.domain.paging import KeyType, Ordering
from customergraph.domain.text import whole_number
from customergraph.errors import UserErrorCode, ValueRefused

CHARGES_NEWEST_FIRST = Ordering("charges", "charged_at", KeyType.TIMESTAMP)
CHARGES_BY_ID = Ordering.by_id("charges")
_CURRENCIES = frozenset(currency.code for currency in Currency)


def currency(value: str) -> str:
    """Check an active currency code of ISO 4217, in either case; returns it in upper case.

    Raises ValueRefused for other codes, also for withdrawn ones such as DEM, and for a blank text.
    """
    code = text.required(value, 255)
    # Upper case turns some letters outside ASCII into ASCII ones: the ligature ff becomes FF.
    code = code.upper() if code.isascii() else ""
    if code not in _CURRENCIES:
        raise ValueRefused(UserErrorCode.INVALID, f"{value[:20]!r} is not an active ISO 4217 currency code like USD")
    return code


def currency_argument(value: str | None) -> str | None:
    """Return the code that an argument names in either case, whether it is a currency or not; raises BadUserInput."""
    code = text_argument("currency", value)
    # Other letters have no place in a code, and some turn into ASCII ones in upper case.
    return code.upper() if code is not None and code.isascii() else code


def amount(value: str | int) -> int:
    """Read an amount in the smallest unit of its currency: a whole number of 64 bits, negative for a refund."""
    number = whole_number(value)
    if number is None:
        raise ValueRefused(
            UserErrorCode.INVALID,
            f"{str(value)[:40]!r} is not an amount: give a whole number of the currency's smallest unit, of 64 bits",
        )
    return number


RULES = EntryRules(
    never_null=("amount", "currency", "charged_at"),
    checks={
        **OWNER_CHECKS,
        **by_rules({"amount": amount, "currency": currency}),
        "location_slug": by_rule(text.up_to(text.MAX_SLUG_LENGTH)),
    },
    now_when_new=frozenset({"charged_at"}),
)
