"""What the scalars take, where the schema has no argument yet to try it through."""

from typing import Any
from uuid import UUID

import pytest
from graphql import GraphQLScalarType
from hypothesis import given
from hypothesis import strategies as st

from customergraph.schema.schema import schema


def scalar(name: str) -> GraphQLScalarType:
    found = schema._schema.type_map[name]  # noqa: SLF001 - Strawberry shows it nowhere else
    assert isinstance(found, GraphQLScalarType)
    return found


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_big_int_is_a_number_or_its_digits(value: int) -> None:
    assert scalar("BigInt").parse_value(value) == value
    assert scalar("BigInt").parse_value(str(value)) == value
    assert scalar("BigInt").serialize(value) == value


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, str(2**63), "9" * 10_000, "", "-", "1.0", "٣", 1.0, True, None])
def test_a_big_int_is_nothing_else(value: Any) -> None:
    with pytest.raises(ValueError, match="64 bits"):
        scalar("BigInt").parse_value(value)


@given(st.uuids())
def test_a_uuid_is_its_hexadecimal_digits(value: UUID) -> None:
    assert scalar("UUID").parse_value(str(value)) == value


@pytest.mark.parametrize("value", ["", "x", "0" * 31, 7, None])
def test_a_uuid_is_nothing_else(value: Any) -> None:
    with pytest.raises(ValueError, match="32 hexadecimal digits"):
        scalar("UUID").parse_value(value)
