"""Email addresses, phone numbers and postal addresses.

`email-validator` and `phonenumbers` decide which addresses and numbers are valid. Plain ones are recognised
here, many times faster; a property test checks that both agree.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumberDesc

from customergraph.domain import text
from customergraph.errors import UserErrorCode, ValueRefused

_LONGEST_EMAIL = 254
_ATOM = r"[\w!#$%&'*+\-/=?^`{|}~]+"
_PLAIN_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@([A-Za-z0-9.\-]+)", re.ASCII)
_NEVER = re.compile(r"(?!)")
_KINDS = (
    "premium_rate",
    "toll_free",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
    "fixed_line",
    "mobile",
)
_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)

ADDRESS_RULES: Mapping[str, Callable[[str | None], str | None]] = {
    "address1": text.up_to(255),
    "address2": text.up_to(255),
    "city": text.up_to(255),
    "state": text.up_to(255),
    "postal_code": text.up_to(20),
}


def email(value: str | None) -> str | None:
    """Check an email address, without the network; it keeps its case."""
    # A plain address has nothing to trim or to normalise.
    if value is not None and _is_plain_email(value):
        return value
    address = text.optional(value, 255)
    if address is None or _is_plain_email(address):
        return address
    try:
        validate_email(address, check_deliverability=False)
    except EmailNotValidError as error:
        raise ValueRefused(UserErrorCode.INVALID, f"is not an email address: {error}") from None
    return address


def _is_plain_email(address: str) -> bool:
    plain = _PLAIN_EMAIL.fullmatch(address)
    return plain is not None and len(address) <= _LONGEST_EMAIL and _is_plain_domain(plain[1])


# An entry takes 600 bytes at most.
@lru_cache(maxsize=4_096)
def _is_plain_domain(domain: str) -> bool:
    """Return whether this is a valid mail domain in normal form."""
    try:
        checked = validate_email(f"a@{domain}", check_deliverability=False)
    except EmailNotValidError:
        return False
    return checked.domain == domain.lower()


def mailbox(address: str) -> str:
    """Return the form in which two addresses of the same mailbox are equal.

    The local part is folded; the domain is written in ASCII as IDNA 2008 says, so that a domain is equal
    to its full-width form and to its `xn--` form, and `ß` differs from `ss`.
    """
    if address.isascii():
        return address.lower()
    local, at, domain = address.rpartition("@")
    return f"{text.fold(local)}{at}{_ascii_domain(domain)}"


@lru_cache(maxsize=4096)
def _ascii_domain(domain: str) -> str:
    """Return the ASCII form of a mail domain; folds a text that is not one."""
    try:
        return validate_email(f"a@{domain}", check_deliverability=False).ascii_domain.lower()
    except EmailNotValidError:
        return text.fold(domain)


def phone(value: str | None, region: str | None = None) -> str | None:
    """Check a phone number with its country code, or of a region; returns it as E.164."""
    number = text.optional(value, 32)
    if number is None or _is_plain_phone(number):
        return number
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        raise ValueRefused(
            UserErrorCode.INVALID, "must be a phone number with its country code, like +14155550123"
        ) from None
    if parsed.extension:
        raise ValueRefused(UserErrorCode.INVALID, "must be a phone number without an extension")
    if not phonenumbers.is_valid_number(parsed):
        raise ValueRefused(UserErrorCode.INVALID, "is not a phone number that can exist in its country")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _is_plain_phone(number: str) -> bool:
    """Return whether this is plainly a valid number in E.164; False where `phonenumbers` has to decide."""
    if not _E164.fullmatch(number):
        return False
    for end in (2, 3, 4):
        plan = _plan(number[1:end])
        if plan is not None:
            return plan.surely_has(number[end:])
    return False


@dataclass(frozen=True, slots=True)
class _Plan:
    """The numbers of the main region of a country code, as `phonenumbers` describes them."""

    valid: re.Pattern[str]
    rewritten: re.Pattern[str]

    def surely_has(self, national: str) -> bool:
        return self.valid.fullmatch(national) is not None and self.rewritten.match(national) is None


@cache
def _plan(country_code: str) -> _Plan | None:
    """Return the plan of a country code; None for digits that are not one."""
    regions = COUNTRY_CODE_TO_REGION_CODE.get(int(country_code))
    if regions is None:
        return None
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(int(country_code), regions[0])
    # A main region with leading digits of its own has other rules than the other regions of the code.
    if metadata is None or metadata.general_desc is None or metadata.leading_digits is not None:
        return _Plan(_NEVER, _NEVER)
    kinds = "|".join(_pattern(kind) for name in _KINDS if (kind := getattr(metadata, name)) is not None)
    # `phonenumbers` may rewrite a number that begins with zero or with a national prefix.
    prefix = metadata.national_prefix_for_parsing
    return _Plan(
        re.compile(rf"(?!0)(?={_pattern(metadata.general_desc)}\Z)(?:{kinds})"),
        re.compile(prefix) if prefix else _NEVER,
    )


def _pattern(kind: PhoneNumberDesc) -> str:
    lengths = "|".join(rf"\d{{{length}}}\Z" for length in kind.possible_length)
    return f"(?={lengths})(?:{kind.national_number_pattern})"
