"""Plans are compiled of every field that a query can select, but of those that may give objects of several types."""

import asyncio
from typing import Any

import orjson
import pytest
from graphql import OperationType, get_named_type, is_composite_type, is_object_type, is_required_argument

from customergraph import demo
from customergraph.domain.principal import Principal, Scope
from customergraph.execution.cost import counted
from customergraph.execution.documents import Documents
from customergraph.execution.limits import Limits
from customergraph.execution.operation import Document, Operation
from customergraph.schema.context import Context
from customergraph.schema.scalars import JSON_OPTIONS
from customergraph.schema.schema import executable, execution
from customergraph.store import access
from customergraph.store.database import Database

NOT_COMPILED = {"node", "nodes"}
# Fields of other types than the root that may give objects of several types.
NOT_COMPILED_OF = {"Change": {"node"}}
ARGUMENTS = {"id": "1", "ids": '["1"]', "dateFrom": '"2024-01-01"', "dateTo": '"2026-12-31"'}


class EveryField:
    """Writes a query of every field of every type: below the first field of a type all its fields, elsewhere one."""

    def __init__(self) -> None:
        self.written: set[str] = set()

    def query(self, left_out: set[str]) -> str:
        assert executable.query_type is not None
        return "{ __typename " + self._fields(executable.query_type, left_out) + " }"

    def _fields(self, type_: Any, left_out: set[str]) -> str:
        self.written.add(type_.name)
        # In this order `customers` come before `customer`, and have objects of every type below them.
        fields = sorted(type_.fields.items(), reverse=True)
        left_out = left_out | NOT_COMPILED_OF.get(type_.name, set())
        return " ".join(self._field(name, field) for name, field in fields if name not in left_out)

    def _field(self, name: str, field: Any) -> str:
        required = [
            f"{one}: {ARGUMENTS[one]}" for one, argument in field.args.items() if is_required_argument(argument)
        ]
        arguments = f"({', '.join(required)})" if required else ""
        named: Any = get_named_type(field.type)
        if not is_composite_type(named):
            return f"{name}{arguments}"
        below = "__typename" if named.name in self.written else f"__typename {self._fields(named, set())}"
        return f"{name}{arguments} {{ {below} }}"


async def prepared(text: str, *, compiles: bool) -> Operation:
    document = await Documents(execution(compiles=compiles), Limits()).read(text, None)
    assert isinstance(document, Document), document
    return document.prepare(None, None, {OperationType.QUERY})


def object_types_of_queries() -> set[str]:
    """Return the names of the types that a query can have an object of."""
    root: Any = executable.query_type
    found = {root.name}
    waiting = [field for name, field in root.fields.items() if name not in NOT_COMPILED]
    while waiting:
        type_: Any = get_named_type(waiting.pop().type)
        if is_object_type(type_) and type_.name not in found:
            found.add(type_.name)
            waiting += type_.fields.values()
    return found


def test_every_field_of_every_type_is_executed_by_a_compiled_plan(database_url: str) -> None:
    everything = EveryField()
    text = everything.query(NOT_COMPILED)

    async def answers() -> tuple[bytes, int, bytes, int]:
        database = Database(database_url)
        await demo.fill(database, 30)
        project = await access.project_of_slug(database, demo.SLUG)
        principal = Principal(project.id, project.timezone, frozenset(Scope))
        operation, other = await prepared(text, compiles=True), await prepared(text, compiles=False)
        assert operation.planned.compiled is not None
        assert other.planned.compiled is None
        # Not the operation's `run`, which would leave what is not sure to graphql-core.
        context = Context(database, principal, 0)
        data, objects = await operation.planned.compiled.execute(executable, operation.variables, context)
        await context.close()
        context = Context(database, principal, 0)
        result = await other.run(context)
        await context.close()
        await database.close()
        cost = counted(objects) + operation.cost.prices.actual(data)
        assert result.errors == []
        return (
            orjson.dumps(data, option=JSON_OPTIONS),
            cost,
            orjson.dumps(result.data, option=JSON_OPTIONS),
            result.objects,
        )

    compiled_answer, compiled_cost, answer, cost = asyncio.run(answers())

    assert everything.written == object_types_of_queries()
    assert compiled_answer == answer
    assert compiled_cost == cost
    # There are objects of every type.
    assert [name for name in everything.written if f'"__typename":"{name}"'.encode() not in answer] == []


@pytest.mark.parametrize(
    "text",
    [
        '{ node(id: "x") { id } }',
        '{ nodes(ids: ["x"]) { id } }',
        "{ __schema { queryType { name } } }",
        '{ __type(name: "Tag") { name } }',
        '{ project { name } node(id: "x") { id } }',
        "{ project { name } __schema { queryType { name } } }",
    ],
)
def test_what_may_be_of_several_types_and_introspection_are_left_to_graphql_core(text: str) -> None:
    assert asyncio.run(prepared(text, compiles=True)).planned.compiled is None
