"""Global ids, and the three ways to name one row (contract, section 6)."""

import base64
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customergraph.domain import identity
from customergraph.domain.identity import LARGEST_ID, GlobalId, Kind

kinds = st.sampled_from(Kind)
ids = st.integers(1, LARGEST_ID)


@given(kinds, ids)
def test_a_global_id_is_read_back_as_it_was_written(kind: Kind, id_: int) -> None:
    text = str(GlobalId(kind, id_))
    assert GlobalId.parsed(text) == GlobalId(kind, id_)
    assert identity.parsed(text, kind) == id_


@given(kinds, ids)
def test_a_global_id_is_base64url_without_punctuation(kind: Kind, id_: int) -> None:
    text = str(GlobalId(kind, id_))
    assert text.isascii()
    assert text.isalnum()
    assert base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode() == f"{kind}:{id_}"


@given(kinds, kinds, ids)
def test_a_global_id_of_another_type_names_nothing(kind: Kind, expected_kind: Kind, id_: int) -> None:
    id_or_none = identity.parsed(str(GlobalId(kind, id_)), expected_kind)
    assert id_or_none == (id_ if kind is expected_kind else None)


@given(ids, kinds)
def test_a_whole_number_names_the_row_of_that_id(id_: int, kind: Kind) -> None:
    assert identity.parsed(str(id_), kind) == id_
    assert GlobalId.parsed(str(id_)) is None


@given(st.uuids(), kinds)
def test_a_uuid_names_its_row_in_either_case(uuid: UUID, kind: Kind) -> None:
    assert identity.parsed(str(uuid), kind) == identity.parsed(str(uuid).upper(), kind) == uuid


encoded = st.one_of(st.text(), st.from_regex(r"(Customer|Tag|Custom):[-+0-9]{0,25}", fullmatch=True)).map(
    lambda text: base64.urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).decode().rstrip("=")
)


@given(
    st.one_of(st.text(), st.text("0123456789abcdefABCDEF-"), st.binary().map(lambda b: b.decode("latin-1")), encoded)
)
def test_any_text_names_one_row_in_one_form_or_nothing(text: str) -> None:
    parsed_id = identity.parsed(text, Kind.CUSTOMER)
    if isinstance(parsed_id, UUID):
        assert str(parsed_id) == text.lower()
    elif parsed_id is not None:
        assert 0 < parsed_id <= LARGEST_ID
        assert text in {str(parsed_id), str(GlobalId(Kind.CUSTOMER, parsed_id))}
    parsed = GlobalId.parsed(text)
    assert parsed is None or str(parsed) == text


@pytest.mark.parametrize(
    "text",
    ["", "0", "-1", "+1", "01", "1.0", "1e3", " 1", "1 ", "1\n", "\u0661", "\uff11", "0x1"]
    + [str(LARGEST_ID + 1), "9" * 5000]
    + [base64.urlsafe_b64encode(text).decode().rstrip("=") for text in (
        b"Customer:", b"Customer:0", b"Customer:01", b"Customer:-1", b"Customer: 1", b"customer:1", b"Customer:1:1",
        b"Customer:9223372036854775808", b":1", b"Customer", b"Nothing:1", b"Customer:1\n", b"\xff\xfe:1",
    )]
    + ["Q3VzdG9tZXI6MQ==", "Q3VzdG9tZXI6MR", "Q3VzdG9tZXI6M", "12345678123456781234567812345678"],
)  # fmt: skip
def test_what_cannot_be_an_id_names_nothing(text: str) -> None:
    assert identity.parsed(text, Kind.CUSTOMER) is None
    assert GlobalId.parsed(text) is None
