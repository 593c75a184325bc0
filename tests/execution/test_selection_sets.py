"""The specification's "Executing selection sets", rule by rule: by compiled plans, and as graphql-core does it."""

from typing import Any

import pytest

from execution.executing import WITHOUT_NATIVE_SCALARS, assert_same, compiled, execute


def data(text: str, **variables: Any) -> Any:
    executed = assert_same(text, variables)
    assert executed.errors == []
    return executed.data


def compiled_data(text: str, **variables: Any) -> Any:
    """Return the data of an operation that a compiled plan has to be sure of."""
    executed = assert_same(text, variables)
    assert executed.is_compiled, text
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

    assert compiled_data(text)["people"] == [{"shadows": days[at : at + 2]} for at in range(3)]
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
    executed = compiled("{ people { friends { nick mentor { shouted boss { id } } } boss { age } } }")

    assert executed is not None
    assert executed.world.batches == [
        ("people3", [None], frozenset({"id", "boss_id"})),
        ("friends", [1, 2, 3], frozenset({"nick", "id"})),
        ("person", [1, 2], frozenset({"age"})),
        ("person", [1, 2], frozenset({"name", "age", "boss_id"})),
        ("person", [1], frozenset({"id"})),
    ]
    # All of a level are read together, and the connection is given back with the last.
    assert executed.world.reads.lasts == [False, False, False, True]


def test_one_loader_reads_once_what_several_fields_of_a_level_need() -> None:
    text = """{ people { boss { name } a: mentor { nick } b: captain { age }
                         x: circle { members { name } } y: circle { size links { label } } } }"""
    executed = compiled(text)

    assert executed is not None
    assert executed.data == assert_same(text).data
    assert executed.world.batches == [
        ("people3", [None], frozenset({"boss_id", "id", "captain_id"})),
        ("person", [1, 2, 3], frozenset({"name", "nick", "age"})),
        ("circle2", [1, 2, 3], frozenset({"id", "label", "name"})),
        ("sizes", [1, 2, 3], frozenset()),
    ]


def test_nothing_is_loaded_where_no_object_has_a_key() -> None:
    executed = compiled("{ people(first: 1) { boss { boss { name } friends { name } } } }")

    assert executed is not None
    assert executed.data == {"people": [{"boss": None}]}
    assert [name for name, _, _ in executed.world.batches] == ["people1"]


def test_nothing_is_loaded_below_a_field_that_has_nothing() -> None:
    executed = compiled("{ person(id: 0) { name friends { name } circle { size members { name boss { id } } } } }")

    assert executed is not None
    assert executed.data == {"person": None}
    assert executed.world.batches == []


@pytest.mark.parametrize("count", [7, 8, 9, 40])
def test_a_place_of_more_objects_than_are_made_at_a_stretch_is_whole(
    monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr("customergraph.execution.compiler.PART_SIZE", 8)
    text = f"{{ people(first: {count}) {{ id nick seen boss {{ id }} }} }}"

    people = compiled_data(text)["people"]
    executed = assert_same(text, faults=frozenset({("nick", count - 1)}))

    assert [one["id"] for one in people] == [str(number) for number in range(1, count + 1)]
    assert [one["boss"]["id"] for one in people[1:]] == [one["id"] for one in people[:-1]]
    assert [one["id"] for one in executed.data["people"]] == [str(number) for number in range(1, count + 1)]
    assert [error["path"] for error in executed.errors] == [["people", count - 2, "nick"]]


def test_lists_of_which_there_is_one_for_several_parents_stand_at_each() -> None:
    found = compiled_data(
        """{ people(first: 5) { mates { id } captain { name friends { name boss { name } } camp { links { label } } }
                                camp(first: 1) { size members { id mates { name } } summary { length } } } }"""
    )["people"]

    assert [one["captain"]["name"] for one in found] == ["P2", "P1", "P2", "P1", "P2"]
    assert [len(one["captain"]["friends"]) for one in found] == [1, 0, 1, 0, 1]
    assert found[0] == found[2] == found[4]
    assert found[1] == found[3]


@pytest.mark.parametrize(
    "below",
    [
        "mates { circle { members { boss { name } } } }",
        "captain { circle { members { boss { name } } } }",
        "camp { members { boss { name } } }",
        "camp { links { to { boss { name } } } }",
        "camp { links { label to { name } } }",
        "camp { summary { people { boss { name } } } }",
        "camp { summary { people { name } } }",
        "camp(first: 1) { summary { people { circle(first: 1) { members { boss { name } } } } } }",
    ],
)
def test_objects_with_lists_are_made_anew_for_each_of_their_parents(below: str) -> None:
    # `assert_same` takes the answer apart, which empties its lists.
    found = compiled_data(f"{{ people(first: 4) {{ {below} }} }}")["people"]

    assert found[0] == found[2] != {}
    assert found[1] == found[3] != {}


def test_lists_that_lie_over_each_other_are_whole() -> None:
    text = "{ people { shadows(more: 1) { name of { id } again: shadows(more: 2) { name born } } } }"

    found = compiled_data(text)["people"]

    names = [[one["name"] for one in person["shadows"]] for person in found]
    assert names == [["P1", "P2"], ["P2", "P3"], ["P3", "P4"]]
    # Shadows have no `id`, which is what their shadows are loaded by: the row has one.
    assert [len(one["again"]) for person in found for one in person["shadows"]] == [3, 3, 3, 3, 3, 3]


def test_a_list_without_a_key_is_null_and_an_empty_list_is_empty() -> None:
    found = compiled_data("{ people { thoseOfTheBoss { name } friends { name } boss { name } } }")["people"]

    assert [one["thoseOfTheBoss"] for one in found] == [None, [], [{"name": "P1"}]]
    assert [len(one["friends"]) for one in found] == [0, 1, 2]
    assert [one["boss"] and one["boss"]["name"] for one in found] == [None, "P1", "P2"]


def test_counts_of_parts_stand_at_each_object_of_a_list() -> None:
    linked = assert_same("{ people(first: 6) { id circle { size tally { rank heads } } } }")
    by_level = assert_same("{ people { camp { tally { heads } } circle { tally { rank } } } people { age } }")
    alone = assert_same("{ circle { tally { heads rank } } era(first: 2, last: 4) { people { name } } }")

    assert [one.is_compiled for one in (linked, by_level, alone)] == [True] * 3
    assert [len(one["circle"]["tally"]) for one in linked.data["people"]] == [2, 2, 2, 2, 2, 0]
    assert [one["camp"]["tally"][0]["heads"] for one in by_level.data["people"]] == [2, 3, 2]
    # A circle, its tally with the price of it, what an era is, its people and the price of these.
    assert alone.objects == 1 + 2 + 4 + 1 + 3 + 5


def test_what_is_held_is_counted_as_often_as_it_is_in_the_answer() -> None:
    held = "links { label to { name } } members { name } summary { length } size"

    once = assert_same(f"{{ circle(first: 2) {{ {held} }} }}")
    shared = assert_same(f"{{ people(first: 4) {{ camp(first: 1) {{ {held} }} captain {{ name }} }} }}")
    alone = assert_same("{ people(first: 4) { camp { summary { length } } } }")

    assert [one.is_compiled for one in (once, shared, alone)] == [True] * 3
    # A circle, its links, what they lead to, its members, its summary, and three for its size.
    assert once.objects == 1 + 2 + 2 + 2 + 1 + 3
    assert shared.objects == 4 * (1 + 1 + (1 + 1 + 1 + 1 + 1 + 3))
    assert alone.objects == 4 * 3


@pytest.mark.parametrize(
    "text",
    [
        "{ person(id: 1) { name boss { id } id ... on Person { age } nick } circle { size } }",
        "{ a: person(id: 1) { b: name c: name name __typename } __typename }",
        "{ person(id: 2) { boss { id } name boss { name } ...F } } fragment F on Person { boss { age id } }",
        "{ person(id: 2) { ...F ...F boss { ...F } } } fragment F on Being { name ... on Person { rank born seen } }",
        "{ people { name @skip(if: true) ... @include(if: false) { age } } }",
        "{ __typename }",
        "query($yes: Boolean = true) { people { a: name @include(if: $yes) b: name @skip(if: $yes) friends { id } } }",
        "query($id: Int = 3, $first: Int! = 1) { person(id: $id) { circle(first: $first) { size members { id } } } }",
        "{ people @skip(if: true) { name } }",
        "{ people { height rank born seen shouted shadows { birthday of { name } } } }",
    ],
)
def test_what_plans_are_compiled_of_is_executed_by_them(text: str) -> None:
    compiled_data(text)


@pytest.mark.parametrize(
    "text",
    [
        "{ person(id: 1) { greeting } }",
        "{ person(id: 1) { scores } }",
        "{ person(id: 1) { grid { id } } }",
        "{ person(id: 1) { pet { name } } }",
        "{ people { rivals { name } } }",
        "{ beings { name } }",
        "{ owner { ... on Person { name } } }",
        "{ __schema { queryType { name } } person(id: 1) { name } }",
        '{ __type(name: "Rank") { name } }',
        'mutation { rename(id: 1, name: "x") { person { name } } }',
    ],
)
def test_all_else_is_left_to_graphql_core(text: str) -> None:
    executed = assert_same(text)

    assert executed.errors == []
    assert not executed.is_compiled


def test_a_plain_list_is_not_taken_for_a_list_of_lists() -> None:
    executed = assert_same("{ person(id: 1) { table { id } } }")

    assert executed.data == {"person": {"table": None}}
    assert [error["path"][:2] for error in executed.errors] == [["person", "table"]]
    assert not executed.is_compiled
