"""Amounts as people write them: in a currency's main unit, with its decimals and perhaps its sign."""

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache

from babel.numbers import NumberFormatError, get_currency_precision, get_currency_symbol, parse_decimal

from customergraph.domain import charge
from customergraph.errors import UserErrorCode, ValueRefused

# One of each way to group digits and to mark decimals.
_LOCALES = ("en", "de", "fr", "de_CH", "en_IN")
_LONGEST = 40
_BRACKETS = re.compile(r"\((.*)\)")
_SPACES = re.compile(r"[\s\u00a0\u202f]+")


@lru_cache(maxsize=65_536)
def minor_units(text: str, currency: str) -> int:
    """Read an amount in the main unit of its currency; returns it in the smallest one.

    Raises ValueRefused for what is no amount, and where a point or a comma can mean decimals as well as thousands.
    """
    number = _number(text.strip(), currency)
    digits = get_currency_precision(currency)
    values = {value for locale in _LOCALES if (value := _parsed(number, locale, digits)) is not None}
    if len(values) == 1:
        return charge.amount(str(int(values.pop().scaleb(digits))))
    if values:
        raise _refused(
            f"{text[:_LONGEST]!r} can be {' or '.join(sorted(map(str, values)))}: write it without thousands"
        )
    raise _refused(f"{text[:_LONGEST]!r} is not an amount of {currency}, which has {digits} decimals")


def _number(text: str, currency: str) -> str:
    """Return the amount without its currency's sign or code; brackets make it negative."""
    if len(text) > _LONGEST:
        return ""
    if bracketed := _BRACKETS.fullmatch(text):
        text = f"-{bracketed[1].strip().removeprefix('-')}"
    text = text.replace("\u2212", "-")
    for sign in (currency, *(letter for letter in text if unicodedata.category(letter) == "Sc")):
        if sign != currency and sign not in get_currency_symbol(currency, "en"):
            raise _refused(f"{text!r} has a sign that is not that of {currency}")
        text = text.replace(sign, "", 1)
    return re.sub(r"^([+-])\s+", r"\1", text.strip())


def _parsed(number: str, locale: str, digits: int) -> Decimal | None:
    """Return what a number means in a locale; None where it means none, or has more decimals than its currency."""
    if not number or not any(character.isdecimal() for character in number):
        return None
    sign, unsigned = ("-", number[1:]) if number[0] == "-" else ("", number.removeprefix("+"))
    group = "\u202f" if locale == "fr" else " "
    try:
        value = parse_decimal(sign + _SPACES.sub(group, unsigned), locale=locale, strict=True)
    except NumberFormatError:
        return None
    exponent = value.as_tuple().exponent
    decimals = -exponent if isinstance(exponent, int) else 0
    # A currency without decimals may be written with two zeros.
    if decimals > digits and not (decimals == 2 and value == value.to_integral_value()):  # noqa: PLR2004
        return None
    return value


def _refused(message: str) -> ValueRefused:
    return ValueRefused(UserErrorCode.INVALID, message)
