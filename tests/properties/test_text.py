"""Text as the domain keeps and compares it (contract, sections 3 and 6)."""

from unicodedata import category, combining, normalize

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from customergraph.domain import text
from customergraph.domain.customer import search_argument, words_of
from customergraph.errors import UserErrorCode, ValueRefused

# Letters whose folding or composition is not that of each character alone, among plain ones.
TELLING = (
    "aAeEiI\u0130\u0131sS\u00df\u1e9e\u017fkK\u212a\u00c5\u212b\u03c3\u03c2\u03a3\u03b1\u1fb3\u1fbc\ufb01\u01f0\u0149"
)
MARKS = "\u0301\u0308\u030a\u0307\u030c\u0345\u0313\u0323"
texts = st.one_of(st.text(), st.text(st.sampled_from(TELLING + MARKS + " \n")))
lines = st.text(st.sampled_from("ab \t\r\n\u00e9e\u0301\u3000"))


@given(texts)
@example("\u0345\u0301\u03b1")
def test_folding_a_folded_text_changes_nothing(value: str) -> None:
    assert text.fold(text.fold(value)) == text.fold(value)


@given(texts)
def test_canonical_equivalents_fold_alike(value: str) -> None:
    assert text.fold(normalize("NFD", value)) == text.fold(normalize("NFC", value)) == text.fold(value)


@given(st.text(st.characters(max_codepoint=0x7F)))
def test_ascii_folds_as_any_text_does(value: str) -> None:
    assert text.fold(value) == normalize("NFC", value.casefold())
    assert text.fold(value.upper()) == text.fold(value.lower()) == text.fold(value)


@given(texts.filter(lambda value: not any(map(combining, value))))
def test_casing_twice_is_folded_away(value: str) -> None:
    assert text.fold(value.casefold()) == text.fold(value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\u00c9MILE", "e\u0301mile"),
        ("STRASSE", "Stra\u00dfe"),
        ("STRA\u1e9eE", "strasse"),
        ("\u03a3\u0399\u03a3\u03a5\u03a6\u039f\u03a3", "\u03c3\u03b9\u03c3\u03c5\u03c6\u03bf\u03c2"),
        ("\u212bngstr\u00f6m", "a\u030angstro\u0308m"),
        ("\ufb01n", "FIN"),
        ("\u212a", "k"),
    ],
)
def test_texts_that_differ_in_case_and_composition_alone_are_equal(one: str, other: str) -> None:
    assert text.fold(one) == text.fold(other)


@pytest.mark.parametrize(("one", "other"), [("\u00e9", "e"), ("\u0131", "i"), ("\uff21", "a"), ("\u00b2", "2")])
def test_texts_that_differ_in_more_stay_apart(one: str, other: str) -> None:
    assert text.fold(one) != text.fold(other)


@given(st.one_of(texts, lines))
def test_normalizing_twice_changes_nothing(value: str) -> None:
    once = text.normalized(value)
    assert text.normalized(once) == once
    assert once == normalize("NFC", once)
    assert "\r" not in once
    assert not once[:1].isspace() or once[0] in "\x1c\x1d\x1e\x1f\x85"


@given(lines)
def test_line_ends_are_one_whatever_they_were(value: str) -> None:
    plain = value.replace("\r", "")
    assert text.normalized(plain.replace("\n", "\r\n")) == text.normalized(plain)
    assert text.normalized(plain.replace("\n", "\r")) == text.normalized(plain)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])))
def test_text_without_controls_is_accepted(value: str) -> None:
    assert text.optional(value, 10_000) == (text.normalized(value) or None)


@given(st.text("ab"), st.characters(categories=["Cc", "Cs"]).filter(lambda c: c != "\r"), st.text("ab"))
def test_a_control_inside_is_refused_but_newline_and_tab_where_lines_are_kept(
    before: str, control: str, after: str
) -> None:
    value = f"x{before}{control}{after}x"
    with pytest.raises(ValueRefused) as refused:
        text.optional(value, 10_000)
    assert refused.value.code is UserErrorCode.INVALID
    if control in "\n\t":
        assert text.optional(value, 10_000, multiline=True) == value
    else:
        with pytest.raises(ValueRefused):
            text.optional(value, 10_000, multiline=True)


@given(st.integers(1, 300))
def test_text_may_be_as_long_as_its_limit(longest: int) -> None:
    assert text.optional(" " + "e\u0301" * longest, longest) == "\u00e9" * longest
    with pytest.raises(ValueRefused) as refused:
        text.optional("\u00e9" * (longest + 1), longest)
    assert refused.value.code is UserErrorCode.TOO_LONG


@given(st.text(" \t\r\n\u00a0\u2003\u3000"))
def test_blank_text_is_absent_or_refused_where_it_is_required(value: str) -> None:
    assert text.optional(value, 1) is None
    with pytest.raises(ValueRefused) as refused:
        text.slug(value)
    assert refused.value.code is UserErrorCode.BLANK


def test_every_character_is_searched_for_by_a_form_that_is_its_own() -> None:
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF]
    forms = [text.searchable(character) for character in characters]

    assert [text.searchable(form) for form in forms] == forms
    assert not [form for form in forms if any(category(character) == "Mn" for character in normalize("NFKD", form))]


@given(texts)
def test_what_is_searched_for_is_found_in_whatever_case_and_composition(value: str) -> None:
    form = text.searchable(value)
    others = (value.casefold(), *(normalize(name, value) for name in ("NFC", "NFD", "NFKC", "NFKD")))
    assert text.searchable(form) == form
    assert [text.searchable(other) for other in others] == [form] * len(others)


@given(st.text(st.characters(max_codepoint=0x7F)))
def test_ascii_is_searched_for_as_any_text_is(value: str) -> None:
    assert text.searchable(value) == normalize("NFKD", value.casefold())


@given(st.text(st.sampled_from("ab \u00e9\u0301\u00df\ufdfa\u00a8%\u3000"), max_size=100), texts)
def test_the_words_of_a_search_hold_no_space_and_say_all_that_is_sought(sought: str, value: str) -> None:
    words = words_of(search_argument(sought))

    assert not [word for word in words if not word or any(map(str.isspace, word))]
    form = text.searchable(value)
    parts = text.searchable(text.normalized(sought)).split()
    assert all(part in form for part in parts) == all(word in form for word in words)
