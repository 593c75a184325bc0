"""Emails and phone numbers are judged as the libraries judge them, whatever is answered without them."""

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumberFormat, PhoneNumberType

from customergraph.domain import contact, text
from customergraph.errors import ValueRefused

EXAMPLES = sorted(
    phonenumbers.format_number(example, PhoneNumberFormat.E164)
    for region in phonenumbers.SUPPORTED_REGIONS
    for kind in PhoneNumberType.values()
    if (example := phonenumbers.example_number_for_type(region, kind)) is not None
)
CODES = sorted(map(str, COUNTRY_CODE_TO_REGION_CODE))
# What national numbers begin with where a prefix is stripped or rewritten.
PREFIXES = sorted(
    {
        metadata.national_prefix or ""
        for region in phonenumbers.SUPPORTED_REGIONS
        if (metadata := PhoneMetadata.metadata_for_region(region)) is not None
    }
    | {"9", "15", "1"}
)

digits = st.text("0123456789", max_size=14)


@st.composite
def numbers_near_an_example(draw: st.DrawFn) -> str:
    """Numbers that can exist, with a digit or two changed, added or removed."""
    number = draw(st.sampled_from(EXAMPLES))
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(1, len(number)))
        number = number[:place] + draw(digits.map(lambda more: more[:2])) + number[place + 1 :]
    return number


numbers = st.one_of(
    numbers_near_an_example(),
    st.builds("+{}{}{}".format, st.sampled_from(CODES), st.sampled_from(PREFIXES), digits),
    st.builds("+{}".format, digits),
    st.text("+0123456789 ()-x;", max_size=20),
)

labels = st.text("abcXYZ019-_.", max_size=6) | st.sampled_from(["xn--bcher-kva", "xn--a", "ab--c", "bücher", "x" * 63])
domains = st.one_of(
    st.lists(labels, min_size=1, max_size=4).map(".".join),
    st.builds(
        "{}.{}".format, labels, st.sampled_from(["com", "de", "test", "local", "LOCALHOST", "c0m", "1", "xn--p1ai"])
    ),
    st.just(".".join(["long" * 12] * 5) + ".com"),
)
addresses = st.one_of(
    st.emails(),
    st.builds("{}@{}".format, st.text("aZ09._%+'-\"<> @é", max_size=12), domains),
    st.builds("{}@{}".format, st.integers(1, 80).map("a".__mul__), domains),
    st.text(max_size=12),
)


def judged_phone(number: str) -> str | None:
    """Return the E.164 that the library gives, or None for a number that it refuses."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return None
    valid = phonenumbers.is_valid_number(parsed)
    return phonenumbers.format_number(parsed, PhoneNumberFormat.E164) if valid else None


def in_project(number: str) -> str | None:
    try:
        return contact.phone(number)
    except ValueRefused:
        return None


@given(numbers)
def test_a_phone_number_is_what_the_library_makes_of_it(number: str) -> None:
    if number.strip():
        assert in_project(number) == judged_phone(number.strip())


def test_the_example_of_every_region_and_kind_is_what_the_library_makes_of_it() -> None:
    assert [in_project(number) for number in EXAMPLES] == [judged_phone(number) for number in EXAMPLES]


@pytest.mark.parametrize("number", ["+14155552671", "+442079460018", "+493012345678", "+33612345678"])
def test_plain_numbers_are_answered_without_the_library(number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    contact.phone(number)
    monkeypatch.setattr(contact, "phonenumbers", None)

    assert contact.phone(number) == number


@given(addresses)
def test_an_email_is_accepted_exactly_when_the_library_accepts_it(address: str) -> None:
    try:
        given_text = text.optional(address, 255)
    except ValueRefused:
        return
    try:
        validate_email(given_text or "", check_deliverability=False)
    except EmailNotValidError:
        accepted = None
    else:
        accepted = given_text
    assert _ours_of_email(address) == accepted


def _ours_of_email(address: str) -> str | None:
    try:
        return contact.email(address)
    except ValueRefused:
        return None


@given(addresses)
def test_addresses_of_ascii_are_of_one_mailbox_when_they_differ_in_case_alone(address: str) -> None:
    if address.isascii():
        assert contact.mailbox(address) == text.fold(address) == contact.mailbox(address.upper())


@given(addresses)
def test_a_mailbox_is_the_folded_local_part_and_the_domain_that_the_library_writes_in_ascii(address: str) -> None:
    try:
        checked = validate_email(text.normalized(address), check_deliverability=False)
    except EmailNotValidError:
        return
    local = text.normalized(address).rpartition("@")[0]
    assert contact.mailbox(text.normalized(address)) == f"{text.fold(local)}@{checked.ascii_domain.lower()}"


@given(st.text(), st.text())
def test_every_text_has_a_mailbox_and_its_own_mailbox_is_the_same(local: str, domain: str) -> None:
    mailbox = contact.mailbox(f"{local}@{domain}")
    assert contact.mailbox(mailbox) == mailbox


@pytest.mark.parametrize(
    ("domain", "other"),
    [
        ("b\u00fccher.example", "xn--bcher-kva.example"),
        ("b\u00fccher.example", "XN--BCHER-KVA.Example"),
        ("b\u00fccher.example", "\uff42\u00fc\uff43\uff48\uff45\uff52.example"),
        ("b\u00fccher.example", "B\u00dcCHER.EXAMPLE"),
        ("b\u00fccher.example", "bu\u0308cher\u3002example"),
        ("fa\u00df.example", "xn--fa-hia.example"),
        ("example.com", "\uff45\uff58\uff41\uff4d\uff50\uff4c\uff45.com"),
    ],
)
def test_domains_that_are_one_in_idna_have_one_mailbox(domain: str, other: str) -> None:
    assert contact.mailbox(f"Anna@{domain}") == contact.mailbox(f"anna@{other}")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a@fa\u00df.example", "a@fass.example"),
        ("\uff41@example.com", "a@example.com"),
        ("zo\u00eb@example.com", "zoe@example.com"),
        ("a@b\u00fccher.example", "a@bucher.example"),
    ],
)
def test_addresses_that_lead_to_two_mailboxes_stay_apart(one: str, other: str) -> None:
    assert contact.mailbox(one) != contact.mailbox(other)
