"""The specification's "Executing selection sets", rule by rule: breadth-first, and as graphql-core does it."""

from typing import Any

import pytest

from customergraph.execution.breadth_first import CHUNK_SIZE
from execution.executing import WITHOUT_NATIVE_SCALARS, assert_same, breadth_first, execute


def data(text: str, **variables: Any) -> Any:
    executed = assert_same(text, variables)
    assert executed.errors == []
    return executed.data


def test_the_answer_has_its_keys_in_the_order_of_the_selection() -> None:
    result = data("{ person(id: 1) { name boss { id } id ... on Person { age } nick } oldest { id } }")

    assert list(result) == ["person", "oldest"]
    assert list(result["person"]) == ["name", "boss", "id", "age", "nick"]


def test_an_alias_is_the_key_of_its_field() -> None:
    assert data("{ a: person(id: 1) { b: name c: name name } }") == {"a": {"b": "P1", "c": "P1", "name": "P1"}}


def test_fields_of_one_key_are_merged_with_what_is_below_them() -> None:
    merged = "{ person(id: 2) { boss { id } name boss { name } ...F } } fragment F on Person { boss { age id } }"

    result = data(merged)["person"]

    assert list(result.items()) == [("boss", {"id": "1", "name": "P1", "age": 21}), ("name", "P2")]


def test_a_fragment_is_entered_once_in_a_selection_and_again_in_another() -> None:
    text = "{ person(id: 2) { ...F ...F boss { ...F } } } fragment F on Person { name }"

    assert data(text) == {"person": {"name": "P2", "boss": {"name": "P1"}}}


def test_a_fragment_applies_to_objects_of_its_type_and_of_its_interface() -> None:
    text = """{ beings { __typename name ... on Person { age } ... on Robot { maker { id } }
                         ... on Being { again: name } }
                owner { ... on Robot { name } ... on Being { name } } }"""

    assert data(text) == {
        "beings": [
            {"__typename": "Person", "name": "P1", "age": 21, "again": "P1"},
            {"__typename": "Robot", "name": "R1", "maker": {"id": "1"}, "again": "R1"},
            {"__typename": "Robot", "name": "R3", "maker": {"id": "3"}, "again": "R3"},
        ],
        "owner": {"name": "P2"},
    }


@pytest.mark.parametrize("yes", [True, False])
def test_skip_and_include_decide_by_the_variables_of_each_execution(*, yes: bool) -> None:
    text = """query($yes: Boolean!, $unless: Boolean = false) { person(id: 1) {
      a: name @include(if: $yes) b: name @skip(if: $yes) c: name @skip(if: $unless) @include(if: $yes)
      ... @include(if: $yes) { d: name } ...F @skip(if: $yes) } } fragment F on Person { e: name }"""

    result = data(text, yes=yes)["person"]

    assert list(result) == (["a", "c", "d"] if yes else ["b", "e"])


def test_a_selection_of_which_nothing_is_left_gives_empty_objects() -> None:
    assert data("{ people(first: 2) { name @skip(if: true) } }") == {"people": [{}, {}]}
    assert data("{ oldest @skip(if: true) { id } }") == {}


def test_type_names_are_told_at_every_level() -> None:
    result = data("{ __typename person(id: 1) { __typename } owner(robot: true) { __typename } }")

    assert result == {
        "__typename": "Query",
        "person": {"__typename": "Person"},
        "owner": {"__typename": "Robot"},
    }


def test_arguments_come_from_literals_variables_and_defaults() -> None:
    text = """query($whom: String, $rank: Rank = HIGH, $times: Int) { person(id: 1) {
      bare: greeting given: greeting(whom: $whom, rank: $rank) none: greeting(times: $times)
      null: greeting(times: null) literal: greeting(whom: "us", times: 2, rank: HIGH) } }"""

    assert data(text, whom="them")["person"] == {
        "bare": "P1 to you as low ",
        "given": "P1 to them as high ",
        "none": "P1 to you as low ",
        "null": "P1 to you as low ",
        "literal": "P1 to us as high P1 to us as high ",
    }
    assert data(text)["person"]["given"] == "P1 to you as high "


def test_input_objects_and_their_lists_are_coerced() -> None:
    text = "query($input: PeopleInput) { selected(input: $input) { id } literal: selected(input: { ids: 3 }) { id } }"

    result = data(text, input={"ids": [2, 4], "rank": "LOW"})

    assert result == {"selected": [{"id": "2"}, {"id": "4"}], "literal": [{"id": "3"}]}


def test_lists_of_lists_keep_their_shape_and_their_nulls() -> None:
    result = data(
        """{ person(id: 3) { scores grid { id } rivals { id } }
             none: person(id: 2) { grid { id } rivals(upto: 0) { id } } }"""
    )

    assert result == {
        "person": {
            "scores": [[3, None], None, []],
            "grid": [[{"id": "1"}, None], None, [{"id": "3"}]],
            "rivals": [{"id": "1"}, {"id": "2"}],
        },
        "none": {"grid": None, "rivals": None},
    }


def test_enumerations_are_told_by_name_and_scalars_as_they_are_serialized() -> None:
    result = data("{ people { rank born } }")

    assert result["people"] == [
        {"rank": "LOW", "born": "2000-01-01"},
        {"rank": "HIGH", "born": None},
        {"rank": "LOW", "born": "2000-01-03"},
    ]


def test_a_column_that_is_kept_as_the_store_has_it_is_answered_and_computed_with_by_its_values() -> None:
    text = "{ people { shadows(more: 1) { born birthday } } }"
    days = [{"born": day, "birthday": day} for day in ("2000-01-01", None, "2000-01-03", "2000-01-04")]

    assert data(text)["people"] == [{"shadows": days[at : at + 2]} for at in range(3)]
    # Also where the scalar is not left to the JSON encoder.
    assert execute(WITHOUT_NATIVE_SCALARS, text).data == data(text)


def test_fields_of_a_mutation_run_one_after_the_other_each_to_its_end() -> None:
    text = """mutation { a: rename(id: 1, name: "x") { before person { name boss { name } mentor { id } } }
                         b: rename(id: 2, name: "y") { person { name boss { name } } before } }"""

    assert data(text) == {
        "a": {"before": [], "person": {"name": "x", "boss": None, "mentor": {"id": "1"}}},
        "b": {"person": {"name": "y", "boss": {"name": "P1"}}, "before": ["x"]},
    }


def test_introspection_is_answered_beside_other_fields() -> None:
    result = data('{ __schema { queryType { name } } __type(name: "Rank") { kind } person(id: 1) { name } }')

    assert result == {
        "__schema": {"queryType": {"name": "Query"}},
        "__type": {"kind": "ENUM"},
        "person": {"name": "P1"},
    }


def test_each_field_is_loaded_once_for_all_objects_of_its_level_with_the_columns_it_needs() -> None:
    executed = breadth_first("{ people { friends { nick mentor { shouted boss { id } } } boss { age } } }")

    assert executed.world.batches == [
        ("people3", [None], frozenset({"id", "boss_id"})),
        ("friends", [1, 2, 3], frozenset({"nick", "id"})),
        ("person", [1, 2], frozenset({"age"})),
        ("person", [1, 2], frozenset({"name", "age", "boss_id"})),
        ("person", [1], frozenset({"id"})),
    ]


def test_nothing_is_loaded_where_no_object_has_a_key() -> None:
    executed = breadth_first("{ person(id: 1) { boss { boss { name } } } }")

    assert executed.data == {"person": {"boss": None}}
    assert executed.world.batches == []


def test_a_level_of_more_objects_than_are_completed_at_a_stretch_is_whole() -> None:
    count = CHUNK_SIZE + 2

    executed = breadth_first(f"{{ people(first: {count}) {{ id nick }} }}", faults=frozenset({("nick", count - 1)}))

    assert [one["id"] for one in executed.data["people"]] == [str(number) for number in range(1, count + 1)]
    assert [error["path"] for error in executed.errors] == [["people", count - 2, "nick"]]
