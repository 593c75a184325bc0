"""Breadth-first execution: each field is resolved once for all the objects of its level.

Values travel down the plan in lists, one value for each object, and completed values come
back up in lists of the same length. A value that could not be completed is a `Failed` in its
place; on its way up it becomes null, or makes what holds it fail. Where something stands in
the answer is worked out only for what failed.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Coroutine, Sequence
from inspect import isawaitable
from itertools import chain, islice
from typing import Any

from graphql import (
    ExecutionResult,
    GraphQLResolveInfo,
    OperationType,
    Undefined,
    get_nullable_type,
    is_abstract_type,
    is_list_type,
    is_non_null_type,
)
from graphql.pyutils import Path, gather_with_cancel

from customergraph.execution.depth_first import DepthFirst
from customergraph.execution.field_errors import (
    Failed,
    OfField,
    OfItems,
    OfRanges,
    OfSome,
    Places,
    Root,
    reported_errors,
)
from customergraph.execution.fields import BatchedField, Level
from customergraph.execution.graphql_core import Place, invalid_return_type_error, to_nodes
from customergraph.execution.plan import Plan, PlannedField, ResolverKind, Selection
from customergraph.execution.strawberry_internals import field_info
from customergraph.execution.values import dictionaries, listed, settled
from customergraph.rows import Part, Rows, joined

# Objects that wait for nothing are completed in chunks of this size. Others have their turn in between.
CHUNK_SIZE = 2_000

Values = Sequence[Any]
Info = GraphQLResolveInfo[Any]
# Completed values, and whether one of them is a `Failed`.
Completed = tuple[Values, bool]

_NOTHING = {type(None), type(Undefined)}
_LISTS = {list, tuple}


class BreadthFirst:
    """Executes one operation by its plan.

    graphql-core's executor stands beside it, for what the two have in common: the info that a
    resolver takes, and how the type of an object is found.
    """

    def __init__(self, core: DepthFirst, plan: Plan) -> None:
        self._core = core
        self._plan = plan
        # What became null, and where.
        self.failures: list[tuple[Failed, Place]] = []
        # How many objects of each type the answer has.
        self.objects: Counter[str] = Counter()

    async def execute(self) -> ExecutionResult:
        in_turn = self._core.operation.operation is OperationType.MUTATION
        execute = self._serially if in_turn else self._level
        (data,), failed = await execute(self._plan.root, [self._core.root_value], Root())
        if failed:
            self.failures.append((data, ()))
            data = None
        errors = reported_errors((failure.located(), place) for failure, place in self.failures)
        return ExecutionResult(data, errors or None)

    async def _serially(self, selection: Selection, objects: Values, places: Places) -> Completed:
        """Execute the fields one after another; after one that nulls the answer, none is begun."""
        level, columns = Level(objects), []
        for planned in selection.fields:
            column, failed = await self._field(planned, level, places)
            if failed:
                return column, True
            columns.append(column)
        return dictionaries(selection.keys, columns, 1), False

    async def _objects(self, selection: Selection, objects: Values | Rows, places: Places) -> Completed:
        """Execute a selection for objects of its type, each of which becomes a dictionary."""
        self.objects[selection.type.name] += len(objects)
        if not selection.is_immediate or len(objects) <= CHUNK_SIZE:
            return await self._level(selection, objects, places)
        done: list[Any] = []
        any_failed = False
        for start in range(0, len(objects), CHUNK_SIZE):
            chunk = range(start, min(start + CHUNK_SIZE, len(objects)))
            part, failed = await self._level(selection, objects[start : chunk.stop], OfSome(places, chunk))
            done += part
            any_failed = any_failed or failed
            await asyncio.sleep(0)
        return done, any_failed

    async def _level(self, selection: Selection, objects: Values | Rows, places: Places) -> Completed:
        level = Level(objects)
        completed = {
            planned.key: _leaves(planned, level) or await self._field(planned, level, places)
            for planned in selection.fields
            if planned.is_immediate
        }
        later = {
            planned.key: self._field(planned, level, places) for planned in selection.fields if not planned.is_immediate
        }
        completed.update(zip(later, await _together(later.values()), strict=True))
        columns = [completed[planned.key] for planned in selection.fields]
        done = dictionaries(selection.keys, [column for column, _ in columns], len(objects))
        if any(failed for _, failed in columns):
            return [Failed.first(one.values()) or one for one in done], True
        return done, False

    async def _field(self, planned: PlannedField, level: Level, places: Places) -> Completed:
        """Resolve a field for all objects of a level, and complete what came of it."""
        if not level.count:
            return (), False
        places = OfField(places, planned.key)
        values = await self._values(planned, level, places)
        return await self._completed(planned.definition.type, planned, values, places)

    async def _values(self, planned: PlannedField, level: Level, places: Places) -> Values:
        if planned.resolver is ResolverKind.TYPENAME:
            return [planned.parent.name] * level.count
        if planned.resolver is ResolverKind.ATTRIBUTE:
            return level.attribute(planned.declared.python_name)
        if planned.resolver is ResolverKind.COMPUTED:
            return level.computed(planned.declared)
        if planned.resolver is ResolverKind.BATCHED:
            return await self._batched(planned, level, places)
        return [self._called(planned, source, places.of(index)) for index, source in enumerate(level.objects)]

    async def _batched(self, planned: PlannedField, level: Level, places: Places) -> Values:
        field: BatchedField = planned.declared
        try:
            info = field_info(self._info(planned, places.of(0)), field)
            loading = field.loading(info, planned.converted(self._core.schema, self._core.variable_values))
            return await field.of_level(loading, level, planned.columns)
        except Exception as error:  # noqa: BLE001 - answered where the values would stand
            return [error] * level.count

    def _called(self, planned: PlannedField, source: Any, place: Place) -> Any:
        try:
            return self._resolved(planned, source, place)
        except Exception as error:  # noqa: BLE001 - answered where the value would stand
            return error

    def _resolved(self, planned: PlannedField, source: Any, place: Place) -> Any:
        resolve = planned.definition.resolve or self._core.field_resolver
        return resolve(source, self._info(planned, place), **planned.arguments(self._core.variable_values))

    def _info(self, planned: PlannedField, place: Place) -> Info:
        path: Any = None
        for key in place:
            path = Path(path, key, planned.parent.name)
        return self._core.build_resolve_info(planned.definition, to_nodes(planned.details), planned.parent, path)

    async def _completed(self, type_: Any, planned: PlannedField, values: Values, places: Places) -> Completed:
        """Complete values that stand each at a place of its own: a field's, or the items of lists."""
        if not is_non_null_type(type_):
            done, failed = await self._nullable(type_, planned, values, places)
            return (self._nulled(done, places) if failed else done), False
        done, failed = await self._nullable(type_.of_type, planned, values, places)
        if None not in done:
            return done, failed
        error = TypeError(f"Cannot return null for non-nullable field {planned.name}.")
        failures = [Failed(error, planned.details, places, at) if one is None else one for at, one in enumerate(done)]
        return failures, True

    def _nulled(self, done: Values, places: Places) -> Values:
        """Make null what failed and may be null, and remember why."""
        self.failures += [(one, places.of(at)) for at, one in enumerate(done) if isinstance(one, Failed)]
        return [None if isinstance(one, Failed) else one for one in done]

    async def _nullable(self, type_: Any, planned: PlannedField, values: Values, places: Places) -> Completed:
        kinds = set(map(type, values))
        if any(issubclass(kind, Awaitable) for kind in kinds):
            values = await settled(values)
            kinds = set(map(type, values))
        if planned.leaf and not is_list_type(type_):
            done = planned.leaf.completed(values)
            return (done, False) if done is values else _failing(done, planned, places)
        if kinds.isdisjoint(_NOTHING) and not any(issubclass(kind, Exception) for kind in kinds):
            return await self._present(type_, planned, values, places)
        return await self._where_present(
            lambda present, where: self._present(type_, planned, present, where), planned, values, places
        )

    async def _where_present(self, complete: Any, planned: PlannedField, values: Values, places: Places) -> Completed:
        """Complete the values that are there; null stays null, and an exception fails."""
        results = [None if value is Undefined else value for value in values]
        present = [at for at, value in enumerate(results) if value is not None and not isinstance(value, Exception)]
        done, failed = await complete([results[at] for at in present], OfSome(places, present))
        for at, value in zip(present, done, strict=True):
            results[at] = value
        completed, more_failed = _failing(results, planned, places)
        return completed, failed or more_failed

    async def _present(self, type_: Any, planned: PlannedField, values: Values, places: Places) -> Completed:
        """Complete lists or objects, none of which is null."""
        if not is_list_type(type_):
            return await self._typed(type_, planned, values, places)
        kinds = set(map(type, values))
        if kinds == {Part} and planned.accepts_any_source:
            return await self._parts(type_, planned, values, places)
        if kinds <= _LISTS:
            return await self._lists(type_, planned, values, places)
        lists = [await listed(one, planned.name) for one in values]
        return await self._where_present(
            lambda present, where: self._lists(type_, planned, present, where), planned, lists, places
        )

    async def _lists(self, type_: Any, planned: PlannedField, lists: Values, places: Places) -> Completed:
        lengths = list(map(len, lists))
        items = list(chain.from_iterable(lists))
        done, failed = await self._completed(type_.of_type, planned, items, OfItems(places, lengths))
        rest = iter(done)
        completed = [list(islice(rest, length)) for length in lengths]
        return ([Failed.first(items) or items for items in completed] if failed else completed), failed

    async def _parts(self, type_: Any, planned: PlannedField, parts: Sequence[Part], places: Places) -> Completed:
        """Complete lists of rows that stand together, which are read by column as they are."""
        rows, ranges = joined(parts)
        item_type = get_nullable_type(type_.of_type)
        where = OfRanges(places, ranges)
        done, failed = await self._objects(planned.below.of(item_type), rows, where)
        if failed and not is_non_null_type(type_.of_type):
            done, failed = self._nulled(done, where), False
        completed = [done[range_.start : range_.stop] for range_ in ranges]
        return ([Failed.first(items) or items for items in completed] if failed else completed), failed

    async def _typed(self, type_: Any, planned: PlannedField, values: Values, places: Places) -> Completed:
        """Complete objects by their types."""
        if not values:
            return [], False
        if planned.accepts_any_source:
            return await self._objects(planned.below.of(type_), values, places)
        info = self._info(planned, places.of(0))
        types = [await self._type(type_, one, planned, info) for one in values]
        groups: dict[Any, list[int]] = {}
        for at, object_type in enumerate(types):
            if not isinstance(object_type, Exception):
                groups.setdefault(object_type, []).append(at)
        parts = await _together(
            self._objects(planned.below.of(object_type), [values[at] for at in chosen], OfSome(places, chosen))
            for object_type, chosen in groups.items()
        )
        for chosen, (part, _) in zip(groups.values(), parts, strict=True):
            for at, one in zip(chosen, part, strict=True):
                types[at] = one
        done, failed = _failing(types, planned, places)
        return done, failed or any(part_failed for _, part_failed in parts)

    async def _type(self, type_: Any, value: Any, planned: PlannedField, info: Info) -> Any:
        """Return the object type of a value, or the error that it has none."""
        try:
            if is_abstract_type(type_):
                name = (type_.resolve_type or self._core.type_resolver)(value, info, type_)
                name = await name if isawaitable(name) else name
                type_ = self._core.ensure_valid_runtime_type(name, type_, planned.details, info, value)
            is_one = type_.is_type_of is None or type_.is_type_of(value, info)
            if not (await is_one if isawaitable(is_one) else is_one):
                return invalid_return_type_error(type_, value, planned.details)
        except Exception as error:  # noqa: BLE001 - answered where the value would stand
            return error
        return type_


def _leaves(planned: PlannedField, level: Level) -> Completed | None:
    """Complete scalars as they are, which most of them are; None for all else."""
    if planned.leaf is None or planned.resolver is ResolverKind.TYPENAME or planned.is_list:
        return None
    is_attribute = planned.resolver is ResolverKind.ATTRIBUTE
    values = level.attribute(planned.declared.python_name) if is_attribute else level.computed(planned.declared)
    done = planned.leaf.unchanged(values)
    return None if done is None or (planned.is_required and None in done) else (done, False)


def _failing(values: Values, planned: PlannedField, places: Places) -> Completed:
    """Put a failure into the place of each exception."""
    if not any(issubclass(kind, Exception) for kind in set(map(type, values))):
        return values, False
    failures = [
        Failed(one, planned.details, places, at) if isinstance(one, Exception) else one for at, one in enumerate(values)
    ]
    return failures, True


async def _together(work: Any) -> list[Completed]:
    """Await all at once, so that what they load becomes batches."""
    coroutines: list[Coroutine[Any, Any, Completed]] = list(work)
    if len(coroutines) <= 1:
        return [await one for one in coroutines]
    return await gather_with_cancel(*coroutines)
