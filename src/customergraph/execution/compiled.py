"""Compiled plans: what an operation needs is read first, by column, and then one generated function makes its answer.

Whatever the function is not sure of, as a null where none may be, makes it Unsure, and graphql-core executes
the operation from the start: so errors have one source.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from graphql import GraphQLSchema

from customergraph.execution.by_level import LevelReading
from customergraph.execution.compiler import Compiler, NotCompiled, lists, parts, present
from customergraph.execution.fields import Columns, Loading
from customergraph.execution.graphql_core import VariableValues
from customergraph.execution.leaves import Unsure
from customergraph.execution.places import Link, Load, Placed, links_of
from customergraph.execution.plan import Plan, Selection
from customergraph.execution.strawberry_internals import context_info

# The keys that are read, or the number of the link whose rows have them with their column; and the columns of the rows.
LinkedRequest = tuple[Any, Columns]

# How long the function may go on before others have their turn; it can be left between places, and between
# the parts of a place whose objects hold no others.
TIME_SLICE_SECONDS = 0.005
# What a plan takes at most, measured with tracemalloc: for each place, and for each character of its function.
_PLACE_BYTES = 2_500
_CHARACTER_BYTES = 2


class CompiledPlan:
    """A plan whose answers one generated function makes."""

    def __init__(self, root: Selection) -> None:
        compiler = Compiler()
        compiler.place(root)
        self.places = compiler.places
        self.counts = compiler.counts
        self.links = links_of(self.places)
        self.source = compiler.source()
        namespace: dict[str, Any] = {**compiler.functions, "lists": lists, "parts": parts, "present": present}
        # Names of the schema and checked response keys alone are in it.
        exec(compile(self.source, "<plan>", "exec"), namespace)  # noqa: S102
        self.answer: Callable[..., Iterator[Any]] = namespace.pop("answer")

    @property
    def bytes(self) -> int:
        """How much memory the plan takes at most, besides the one that it was made of."""
        return _PLACE_BYTES * len(self.places) + _CHARACTER_BYTES * len(self.source)

    def statements(
        self, schema: GraphQLSchema, variables: VariableValues, context: Any
    ) -> list[tuple[str, Sequence[str]]]:
        """Return the statements that an execution runs, or that it may run, each list with a title."""
        reading = _Reading(self, schema, variables, context)
        requests = reading.requests()
        if requests:
            linked = context.loaders.linked_sql(requests)
            if linked is not None:
                return [("Read at once", linked)]
        return [
            (f"Read for {link.load.planned.name}", context.loaders.sql(loader, request))
            for link in self.links or ()
            for loader, request in [reading.request(link)]
            if loader is not None
        ]

    async def execute(
        self, schema: GraphQLSchema, variables: VariableValues, context: Any
    ) -> tuple[dict[str, Any], Mapping[str, int]]:
        """Return the answer, and how many objects of each type it has; raises Unsure."""
        try:
            return await self._execute(schema, variables, context)
        except Unsure:
            raise
        except Exception as error:
            # As of a computed field's function, or of a value that cannot be a cursor. graphql-core meets it
            # again, and tells which field it is an error of.
            raise Unsure from error

    async def _execute(
        self, schema: GraphQLSchema, variables: VariableValues, context: Any
    ) -> tuple[dict[str, Any], Mapping[str, int]]:
        reading = _Reading(self, schema, variables, context)
        await reading.run()
        placed = reading.placed
        assembly = self.answer(placed.objects, placed.where, placed.counts)
        data: Any = None
        since = time.perf_counter()
        for data in assembly:
            if data is None and time.perf_counter() - since > TIME_SLICE_SECONDS:
                await asyncio.sleep(0)
                since = time.perf_counter()
        return data, placed.occurrences()


class _Reading:
    """What one execution of a plan reads, and the objects that stand at its places then."""

    def __init__(self, plan: CompiledPlan, schema: GraphQLSchema, variables: VariableValues, context: Any) -> None:
        self.placed = Placed(plan.places, plan.counts)
        self._plan = plan
        self._links = plan.links or ()
        self._schema = schema
        self._variables = variables
        self._loaders = context.loaders
        self._info = context_info(context)
        self._loadings: dict[int, Loading | None] = {}
        for load in plan.places[0].made:
            self.placed.put_made(load.target, self._called(load))

    async def run(self) -> None:
        """Read all; raises Unsure when something could not be read."""
        if not await self._read_linked():
            await LevelReading(self._plan.places, self.placed, self._loading, self._loaders).run()

    async def _read_linked(self) -> bool:
        """Read all at once; returns False where one loader is needed for several places, or a place for nothing."""
        requests = self.requests()
        try:
            values = await self._loaders.read_linked(requests) if requests else None
        except Exception as error:
            raise Unsure from error
        if values is None:
            return False
        self.placed.put_held(0)
        for link, values_of in zip(self._links, values, strict=True):
            self._put_linked(link, values_of)
        return True

    def requests(self) -> dict[Any, LinkedRequest] | None:
        """Return what is read at once, by loader; None where that cannot be."""
        requests: dict[Any, LinkedRequest] = {}
        for link in self._links:
            loader, request = self.request(link)
            if loader is None or loader in requests:
                return None
            requests[loader] = request
        return requests

    def request(self, link: Link) -> tuple[Any, LinkedRequest]:
        """Return what a link reads, and its loader; None as the loader where it reads nothing."""
        loading = self._loading(link.load if link.counted is None else self._links[link.counted].load)
        if loading is None:
            return None, ((), link.load.columns)
        loader = loading.loader
        if link.counted is not None:
            loader = loading.counters[link.load.planned.declared.python_name]
        if link.parent is not None:
            return loader, ((link.parent, link.column), link.load.columns)
        keys = self.placed.objects[link.place].column(link.column) if link.column else [loading.key]
        return loader, (keys, link.load.columns)

    def _put_linked(self, link: Link, values_of: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
        load, objects = link.load, self.placed.objects[link.place]
        if not objects.count:
            return
        if link.counted is not None:
            self.placed.put_counts(load, values_of(objects.column("list_key")), range(objects.count))
            return
        loading: Any = self._loadings[load.target]
        column = objects.column(link.column) if link.column else [loading.key]
        keys = list(dict.fromkeys(column))
        if link.column and None in keys:
            keys = [key for key in keys if key is not None]
        sources = loading.sources(values_of(keys), keys)
        if len(keys) == len(column):
            positions: Sequence[int | None] = range(len(keys))
        else:
            places = {key: place for place, key in enumerate(keys)}
            positions = list(map(places.get, column))
        self.placed.put_sources(load, sources, positions)
        if self._plan.places[load.target].held:
            self.placed.put_held(load.target)

    def _loading(self, load: Load) -> Loading | None:
        """Return what loads a field; the same for all objects of its place."""
        loadings, target = self._loadings, load.target
        if target not in loadings:
            loadings[target] = self._called(load)
        return loadings[target]

    def _called(self, load: Load) -> Any:
        """Call the resolver of a field."""
        try:
            return load.planned.declared.called(self._info, load.planned.converted(self._schema, self._variables))
        except Exception as error:
            raise Unsure from error


class Planned:
    """A plan, which is compiled when it is first run: an operation that is refused for its cost never is."""

    def __init__(self, plan: Plan, grown: Callable[[], None], *, compiles: bool) -> None:
        self.plan = plan
        # Why it is not compiled, if it is not.
        self.not_compiled = "" if compiles else "compiled plans are off"
        self._grown = grown
        self._compiled: CompiledPlan | None = None

    @property
    def bytes(self) -> int:
        """How much memory the plan takes at most."""
        return self.plan.bytes + (self._compiled.bytes if self._compiled else 0)

    @property
    def compiled(self) -> CompiledPlan | None:
        """The compiled plan; None where graphql-core executes the operation."""
        if self._compiled is None and not self.not_compiled:
            self._compile()
        return self._compiled

    def _compile(self) -> None:
        if not self.plan.may_be_compiled:
            self.not_compiled = "only queries without `@defer` and `@stream` are compiled"
            return
        try:
            self._compiled = CompiledPlan(self.plan.root)
        except NotCompiled as reason:
            self.not_compiled = str(reason)
        else:
            self._grown()
