"""Compiled plans: what an operation needs is read first, by column, and then one generated function makes its answer.

Whatever the function is not sure of, as a null where none may be, makes it Unsure, and graphql-core executes
the operation from the start: so errors have one source.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from graphql import GraphQLSchema

from customergraph.execution.compiler import Compiler, NotCompiled, links_of, parts, present
from customergraph.execution.graphql_core import VariableValues
from customergraph.execution.leaves import Unsure
from customergraph.execution.plan import Plan, Selection
from customergraph.execution.reading import Reading

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
        namespace: dict[str, Any] = {**compiler.functions, "parts": parts, "present": present}
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
        reading = self._reading(schema, variables, context)
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
        reading = self._reading(schema, variables, context)
        await reading.run()
        assembly = self.answer(reading.objects, reading.where, reading.counts)
        data: Any = None
        since = time.perf_counter()
        for data in assembly:
            if data is None and time.perf_counter() - since > TIME_SLICE_SECONDS:
                await asyncio.sleep(0)
                since = time.perf_counter()
        return data, reading.occurrences()

    def _reading(self, schema: GraphQLSchema, variables: VariableValues, context: Any) -> Reading:
        return Reading(self.places, self.links, self.counts, schema, variables, context)


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
