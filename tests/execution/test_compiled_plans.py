"""Compiled plans: what enters the generated function, and what they are not sure of."""

import ast
import asyncio
import keyword

import pytest
from graphql import OperationType

from customergraph.execution.compiled import CompiledPlan
from customergraph.execution.compiler import NotCompiled
from customergraph.execution.operation import Document, Operation
from execution.executing import COMPILED, assert_same, compiled

# Response keys that mean something in Python, or in the generated function.
HOSTILE_KEYS = [
    *keyword.kwlist,
    *keyword.softkwlist,
    *("__class__", "__builtins__", "__import__", "__globals__", "__init__", "__name__", "__", "self", "eval", "exec"),
    *("answer", "objects", "where", "counts", "column", "count", "part", "parts", "present", "range", "zip", "at"),
    *("made_0", "made_1", "v0", "v1", "String", "Int", "Int_or_null", "Person_shouted", "map", "x" * 5_000),
]
# No parser lets these through.
NO_NAMES = [
    *("x': __import__('os').abort(), 'y", "x'", 'x"', "x\\", "x\n", "\nx", "x\0", "x y", "x}", "{x}", "x#", "x.y"),
    *("", "1x", "é", "x\u0301", "\uff58", "x\u200b", "x\ud800", "\u0661"),
]
KEYS_EVERYWHERE = """{ KEY: people { KEY: shouted name nick boss { KEY: name age }
                       KEY_: circle { KEY: size links { KEY: to { KEY: __typename } } } } }"""


def prepared(text: str) -> Operation:
    async def read() -> Operation:
        document = await COMPILED.read(text, None)
        assert isinstance(document, Document), document
        return document.prepare(None, None, {OperationType.QUERY})

    return asyncio.run(read())


def compiled_plan(text: str) -> CompiledPlan:
    plan = prepared(text).planned.compiled
    assert plan is not None
    return plan


class Renaming(ast.NodeTransformer):
    """Gives the texts that have a key in them another key."""

    def __init__(self, keys: dict[str, str]) -> None:
        self._keys = keys

    def visit_Dict(self, node: ast.Dict) -> ast.Dict:
        keys = [str(key.value) for key in node.keys if isinstance(key, ast.Constant)]
        assert len(keys) == len(node.keys)
        node.keys = [ast.Constant(self._keys.get(key, key)) for key in keys]
        return node


def code_of(source: str, keys: dict[str, str]) -> str:
    return ast.dump(Renaming(keys).visit(ast.parse(source)))


@pytest.mark.parametrize("key", HOSTILE_KEYS, ids=[key[:20] for key in HOSTILE_KEYS])
def test_a_response_key_is_a_key_of_the_answer_and_nothing_else_of_the_code(key: str) -> None:
    text = KEYS_EVERYWHERE.replace("KEY", key)
    harmless = compiled_plan(KEYS_EVERYWHERE.replace("KEY", "harmless"))

    executed = assert_same(text)

    assert executed.is_compiled
    assert executed.data[key][1][key] == "P2"
    renamed = {key: "harmless", f"{key}_": "harmless_"}
    assert code_of(compiled_plan(text).source, renamed) == code_of(harmless.source, {})


@pytest.mark.parametrize("key", NO_NAMES, ids=ascii)
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_key_that_is_no_name_is_not_compiled(key: str, depth: int) -> None:
    plan = prepared("{ people { boss { name } } }").plan
    selection = plan.root
    for _ in range(depth):
        (planned,) = selection.fields
        assert planned.object_type is not None
        selection = planned.below.of(planned.object_type)
    selection.fields[0].key = key

    with pytest.raises(NotCompiled):
        CompiledPlan(plan.root)


def test_no_value_of_a_client_is_in_the_code() -> None:
    plain = compiled_plan("{ person(id: 1) { name } people { circle { size } } }")
    others = compiled_plan(
        """query Q($v: Int = 4) { person(id: 5) { ...F } people { ... { circle(first: $v) { size } } } }
           fragment F on Person { name }"""
    )

    assert plain.source == others.source


# A text, and what is wrong in its world.
UNSURE: dict[str, tuple[str, tuple[tuple[str, int], ...]]] = {
    "null in a place that may not be null": ("{ people { name } }", (("name", 2),)),
    "null in one of many lists": ("{ people(first: 6) { friends { name } } }", (("name", 5),)),
    "null below an object that may be null": ("{ people { boss { name } } }", (("name", 1),)),
    "null for a stored value": ("{ people(first: 6) { seen } }", (("seen", 2),)),
    "a list for a text": ("{ people { nick } }", (("nick", 3),)),
    "a number of more than 32 bits": ("{ people { age } }", (("age", 1),)),
    **{f"a wrong number {id_}": ("{ people(first: 6) { height } }", (("height", id_),)) for id_ in range(1, 5)},
    "an unknown value of an enumeration": ("{ people { rank } }", (("rank", 1),)),
    "a stored text that is no day": ("{ people { born } }", (("born", 1),)),
    "a day that no calendar has": ("{ people { seen } }", (("seen", 3),)),
    "a value that cannot be computed with": ("{ people { shadows { birthday } } }", (("born", 1),)),
    "a function that raises": ("{ people { shouted } }", (("age", 2),)),
    "a function that cannot use null": ("{ people { shouted } }", (("name", 2),)),
    "a loader that fails for a key": ("{ people { nick boss { name } } }", (("person", 1),)),
    "a loader that fails": ("{ people { nick boss { name } friends { name } } }", (("friends", 0),)),
    "a loader of a later level that fails": ("{ people { boss { mates { name } } } }", (("friends", 0),)),
    "a count that fails for a key": ("{ people { circle { size } } }", (("sizes", 2),)),
    "a count that fails": ("{ people { circle { size members { name } } } }", (("sizes", 0),)),
    "a list of a circle that fails": ("{ people { camp { size } } }", (("circle2", 1),)),
    "null below what is held": ("{ people { circle { links { to { name } } } } }", (("name", 4),)),
    "a key that may not be null": ("{ people { chief { name } } }", ()),
    "arguments that are refused": ("{ people { circle(first: 0) { size } } }", ()),
    "rows that are not by column": ("{ people { rivals { name } } }", ()),
}  # fmt: skip


@pytest.mark.parametrize("name", UNSURE)
def test_what_is_not_sure_is_left_to_graphql_core(name: str) -> None:
    text, faults = UNSURE[name]

    executed = assert_same(text, faults=frozenset(faults))

    assert not executed.is_compiled


@pytest.mark.parametrize(("id_", "height"), [(5, 3), (6, 1)])
def test_a_value_of_another_type_is_completed_as_graphql_core_does(id_: int, height: int) -> None:
    executed = assert_same("{ people(first: 6) { height } }", faults=frozenset({("height", id_)}))

    assert executed.is_compiled
    assert executed.data["people"][id_ - 1] == {"height": height}


def test_what_is_not_selected_is_not_looked_at() -> None:
    faults = frozenset({("name", 1), ("age", 1), ("rank", 1), ("seen", 2), ("friends", 0), ("sizes", 0)})

    executed = compiled("{ people { id nick circle { members { nick } } } }", faults=faults)

    assert executed is not None


def test_a_value_beyond_those_of_the_answer_is_not_looked_at_by_graphql_core_either() -> None:
    # The third person is read to know that more follow, and is in no answer.
    faults = frozenset({("name", 3)})

    executed = assert_same("{ circle(first: 2) { members { name } links { to { name } } } }", faults=faults)

    assert executed.errors == []
