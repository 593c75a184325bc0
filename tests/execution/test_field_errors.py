"""The specification's "Handling field errors", rule by rule, where a compiled plan is not sure."""

from typing import Any

import pytest
from graphql import GraphQLError

from customergraph.execution.field_errors import reported_errors
from execution.executing import Executed, assert_same


def failing(text: str, *faults: tuple[str, int], **variables: Any) -> Executed:
    executed = assert_same(text, variables, frozenset(faults))
    assert executed.errors
    return executed


def paths(executed: Executed) -> list[list[str | int]]:
    return [error["path"] for error in executed.errors]


def test_a_nullable_field_that_fails_is_null_with_an_error_at_its_path() -> None:
    executed = failing("{\n  people {\n    name\n    ny: nick\n  }\n}", ("nick", 2))

    assert executed.data == {
        "people": [{"name": "P1", "ny": "N1"}, {"name": "P2", "ny": None}, {"name": "P3", "ny": None}]
    }
    assert executed.errors == [
        {
            "message": "String cannot represent value: ['not a string']",
            "locations": [{"line": 4, "column": 5}],
            "path": ["people", 1, "ny"],
        }
    ]


def test_a_null_where_none_may_be_makes_its_object_null_and_names_the_field() -> None:
    executed = failing("{ person(id: 2) { id boss { age name } } }", ("name", 1))

    assert executed.data == {"person": {"id": "2", "boss": None}}
    assert executed.errors[0]["message"] == "Cannot return null for non-nullable field Person.name."
    assert paths(executed) == [["person", "boss", "name"]]


def test_a_failed_item_of_a_list_of_non_null_items_makes_the_list_fail() -> None:
    executed = failing("{ person(id: 1) { id } selected(input: { ids: [1, 2, 3] }) { name } }", ("name", 2))

    assert executed.data == {"person": {"id": "1"}, "selected": None}
    assert paths(executed) == [["selected", 1, "name"]]


def test_a_failed_item_that_may_be_null_is_null_alone() -> None:
    executed = failing("{ person(id: 5) { rivals(upto: 4) { name } grid { name } } }", ("name", 2), ("name", 5))

    assert executed.data == {
        "person": {
            "rivals": [{"name": "P1"}, None, {"name": "P3"}],
            "grid": [[{"name": "P1"}, None], None, [None]],
        }
    }
    assert paths(executed) == [["person", "grid", 2, 0, "name"], ["person", "rivals", 1, "name"]]


def test_an_error_that_nothing_stops_nulls_the_whole_answer() -> None:
    executed = failing("{ oldest { name mentor { mentor { name } } } }", ("name", 6))

    assert executed.data is None
    assert len(executed.errors) == 1


def test_one_error_is_told_for_a_place_that_several_made_null() -> None:
    executed = failing("{ person(id: 3) { boss { age name } } }", ("name", 2), ("age", 2))

    assert executed.data == {"person": {"boss": None}}
    assert len(executed.errors) == 1


def test_errors_below_a_field_that_became_null_are_not_reported() -> None:
    executed = failing("{ person(id: 3) { boss { nick friends { nick } name } nick } }", ("nick", 2), ("name", 2))

    assert executed.data == {"person": {"boss": None, "nick": None}}
    assert paths(executed) == [["person", "boss", "name"]]


def test_errors_are_sorted_by_where_they_stand() -> None:
    executed = failing(
        "{ people { rank nick } b: person(id: 2) { rank } }", ("rank", 2), ("nick", 2), ("rank", 1), ("rank", 3)
    )

    assert paths(executed) == [
        ["b", "rank"],
        ["people", 0, "rank"],
        ["people", 1, "nick"],
        ["people", 1, "rank"],
        ["people", 2, "rank"],
    ]


def test_a_loader_fails_for_one_key_or_for_all() -> None:
    text = "{ people { pet { name } } }"

    one, all_ = failing(text, ("pet", 2)), failing(text, ("pet", 0))

    assert [person["pet"] for person in one.data["people"]] == [{"name": "R1"}, None, {"name": "R3"}]
    assert paths(one) == [["people", 1, "pet"]]
    assert all_.data == {"people": [{"pet": None}] * 3}
    assert paths(all_) == [["people", place, "pet"] for place in range(3)]


def test_a_loader_that_fails_leaves_null_what_has_no_key() -> None:
    executed = failing("{ people { boss { name } } }", ("person", 0))

    assert executed.data == {"people": [{"boss": None}] * 3}
    assert paths(executed) == [["people", 1, "boss"], ["people", 2, "boss"]]


@pytest.mark.parametrize("fault", ["promise", "shouted"])
def test_a_resolver_that_raises_fails_for_its_object_alone(fault: str) -> None:
    executed = failing(f"{{ person(id: 4) {{ rivals {{ {fault} }} boss {{ {fault} }} }} }}", ("age", 2))

    assert executed.data["person"]["boss"] is not None
    assert [one and one[fault].lower()[:2] for one in executed.data["person"]["rivals"]] == ["p1", None]
    assert paths(executed) == [["person", "rivals", 1, fault]]


def test_arguments_that_are_refused_are_an_error_of_each_object() -> None:
    executed = failing("{ people { id greeting(times: -1) rivals(upto: 9) { id } } }")

    assert executed.data == {"people": [{"id": str(id_), "greeting": None, "rivals": None} for id_ in (1, 2, 3)]}
    assert len(executed.errors) == 6


def test_an_object_whose_type_cannot_be_told_fails() -> None:
    executed = failing("{ beings { name } person(id: 1) { company { name } } }", ("kind", 3), ("kind", 1))

    assert executed.data == {"beings": [None, None, None], "person": None}


def test_a_mutation_that_nulls_the_answer_is_the_last_to_run() -> None:
    text = """mutation { a: rename(id: 1, name: "x") { before } b: rename(id: 2, name: "") { before }
                         c: rename(id: 3, name: "z") { before } }"""

    executed = failing(text)

    assert executed.data is None
    assert executed.world.renamed == ["x"]


def test_a_mutation_that_fails_and_may_be_null_does_not_keep_others_from_running() -> None:
    executed = failing('mutation { forget rename(id: 1, name: "x") { person { name nick } } }', ("nick", 1))

    assert executed.data == {"forget": None, "rename": {"person": {"name": "x", "nick": None}}}
    assert paths(executed) == [["forget"], ["rename", "person", "nick"]]
    assert executed.world.renamed == ["x"]


def test_of_errors_for_nested_places_the_outer_ones_are_reported() -> None:
    def error(*path: str | int) -> GraphQLError:
        return GraphQLError("", path=path)

    errors = reported_errors(
        [
            (error("a", 1, "b", "c"), ("a", 1, "b")),
            (error("a", 1, "d"), ("a", 1)),
            (error("a", 0, "d"), ("a", 0, "d")),
            (error("a", 1, "e"), ("a", 1)),
        ]
    )

    assert [list(one.path or ()) for one in errors] == [["a", 0, "d"], ["a", 1, "d"]]


def test_a_value_that_what_is_stored_is_none_is_an_error_at_its_place_alone() -> None:
    executed = failing("{ people { shadows { born birthday name } } }", ("born", 3))

    assert [error["path"] for error in executed.errors] == [
        ["people", 2, "shadows", 0, "birthday"],
        ["people", 2, "shadows", 0, "born"],
    ]
    assert executed.data["people"][0]["shadows"] == [{"born": "2000-01-01", "birthday": "2000-01-01", "name": "P1"}]
    assert executed.data["people"][2]["shadows"] == [{"born": None, "birthday": None, "name": "P3"}]


def test_rows_that_stand_in_two_lists_fail_in_both() -> None:
    # Three lists of two rows each lie over each other, and are as many as there are rows.
    executed = failing("{ people { shadows(more: 1) { name } } }", ("name", 2), ("name", 3))

    assert executed.data is None
    assert [error["path"] for error in executed.errors] == [["people", 0, "shadows", 1, "name"]]


def test_an_item_that_is_no_list_is_an_error_at_its_own_place() -> None:
    executed = failing("{ person(id: 1) { scores } }", ("scores", 1))

    assert executed.data == {"person": {"scores": [None, None, None]}}
    assert paths(executed) == [["person", "scores", 0], ["person", "scores", 1]]
    assert executed.errors[0]["message"] == "Expected Iterable, but did not find one for field 'Person.scores'."


def test_an_argument_that_is_null_by_way_of_a_variable_is_an_error_of_its_field() -> None:
    executed = failing("query($v: Int = 1) { person(id: $v) { id } oldest { id } }", v=None)

    assert executed.data == {"person": None, "oldest": {"id": "6"}}
    assert paths(executed) == [["person"]]
    assert executed.errors[0]["message"].startswith("Argument 'id' has invalid value: ")
    assert executed.errors[0]["extensions"] == {"code": "BAD_USER_INPUT"}
