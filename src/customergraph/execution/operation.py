"""Documents and their operations, prepared: what is the same for all executions of one is worked out once."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLField,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    get_variable_values,
)

from customergraph.errors import OperationKindRefused, OperationUnresolved
from customergraph.execution.arguments import describe_variables, null_conditions
from customergraph.execution.breadth_first import BreadthFirst
from customergraph.execution.cost import Cost, counted, estimate
from customergraph.execution.depth_first import DepthFirst
from customergraph.execution.graphql_core import Definitions, VariableValues
from customergraph.execution.leaves import Native
from customergraph.execution.plan import Plan, Planner, deciding_variables

# Each set of values of the variables that decide what is skipped has a plan of its own.
CACHED_PLANS = 16
# An answer that tells what is wrong stays short, whatever it is that is wrong.
MAX_ERRORS = 10
# What an operation takes by itself at most, and for each fragment that it may spread.
_OPERATION_BYTES = 3_000
_FRAGMENT_BYTES = 200

Kinds = Collection[OperationType]


class RequestErrors(Exception):
    """Errors of GraphQL that keep an operation from being executed."""

    def __init__(self, errors: Collection[GraphQLError], *, before_execution: bool) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = tuple(errors)
        # Whether the document is to blame, and not the variables.
        self.before_execution = before_execution


@dataclass(frozen=True, slots=True)
class Execution:
    """How the operations of a schema are executed."""

    schema: GraphQLSchema
    # The scalars whose values are left to the JSON encoder.
    native: Native
    breadth_first: bool = True


@dataclass(frozen=True, slots=True)
class UnreadableDocument:
    """A text that is no GraphQL document."""

    error: GraphQLError
    # How much memory it takes at most.
    bytes: int

    def prepare(
        self,
        _name: str | None,
        _variables: Mapping[str, Any] | None,
        _kinds: Kinds,
        *,
        hide_suggestions: bool = True,  # noqa: ARG002 - as the others
    ) -> "Operation":
        """Raise RequestErrors."""
        raise RequestErrors((self.error,), before_execution=True)


@dataclass(frozen=True, slots=True)
class InvalidDocument:
    """A document that does not fit the schema."""

    tree: DocumentNode
    # How much memory it takes at most.
    bytes: int
    errors: tuple[GraphQLError, ...]
    # The same errors for clients that may read the schema: the first of them suggest similar names.
    suggesting_errors: tuple[GraphQLError, ...] = ()

    def prepare(
        self, name: str | None, _variables: Mapping[str, Any] | None, kinds: Kinds, *, hide_suggestions: bool = True
    ) -> "Operation":
        """Raise RequestErrors, unless the request is wrong already without regard to the schema."""
        _require_kind(_operation(self.tree, name), kinds)
        errors = self.errors if hide_suggestions else self.suggesting_errors or self.errors
        raise RequestErrors(errors, before_execution=True)


class Document:
    """A valid document within its limits, of so many bytes; `grown` is called when its operations take more."""

    def __init__(self, tree: DocumentNode, execution: Execution, size: int, grown: Callable[[], None]) -> None:
        self._tree = tree
        self._execution = execution
        self._size = size
        self._grown = grown
        self._fragments = {
            node.name.value: node for node in tree.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._prepared: dict[str | None, PreparedOperation] = {}

    @property
    def bytes(self) -> int:
        """How much memory the document and its plans take at most."""
        return self._size + sum(prepared.bytes for prepared in self._prepared.values())

    def prepare(
        self, name: str | None, variables: Mapping[str, Any] | None, kinds: Kinds, *, hide_suggestions: bool = True
    ) -> "Operation":
        """Prepare the operation of that name, or the only one, for these variables.

        Raises OperationUnresolved, OperationKindRefused for one that is none of the kinds, and
        RequestErrors for variables that do not fit.
        """
        prepared = self._prepared.get(name)
        if prepared is None:
            node = _operation(self._tree, name)
            definitions = Definitions.of(self._execution.schema, node, self._fragments)
            prepared = self._prepared[name] = PreparedOperation(definitions, self._execution, self._grown)
        _require_kind(prepared.definitions.operation, kinds)
        return prepared.with_variables(variables or {}, hide_suggestions=hide_suggestions)


def _operation(tree: DocumentNode, name: str | None) -> OperationDefinitionNode:
    operations = [node for node in tree.definitions if isinstance(node, OperationDefinitionNode)]
    if not operations:
        raise OperationUnresolved("The document holds no operation: add one, like `query { project { name } }`.")
    if name is None and len(operations) > 1:
        raise OperationUnresolved("The document holds several operations: name one in `operationName`.")
    for operation in operations:
        if name is None or (operation.name and operation.name.value == name):
            return operation
    raise OperationUnresolved("`operationName` names no operation of the document.")


def _require_kind(operation: OperationDefinitionNode, kinds: Kinds) -> None:
    if operation.operation not in kinds:
        raise OperationKindRefused(operation.operation.value)


class PreparedOperation:
    """One operation of a valid document, with the plans of its executions."""

    def __init__(self, definitions: Definitions, execution: Execution, grown: Callable[[], None]) -> None:
        self.definitions = definitions
        self._execution = execution
        self._grown = grown
        self._deciding = deciding_variables(definitions)
        self._plans: OrderedDict[tuple[Any, ...], Plan] = OrderedDict()
        # The cost of an operation without variables.
        self._fixed_cost: Cost | None = None

    @property
    def bytes(self) -> int:
        """How much memory the operation and its plans take at most."""
        own = _OPERATION_BYTES + _FRAGMENT_BYTES * len(self.definitions.fragments)
        return own + sum(plan.bytes for plan in self._plans.values())

    def with_variables(self, values: Mapping[str, Any], *, hide_suggestions: bool = True) -> "Operation":
        """Bind the operation to its variables; raises RequestErrors for those that do not fit."""
        variables = self._coerced(values, hide_suggestions=hide_suggestions)
        errors = null_conditions(self.definitions, variables)
        if errors:
            raise RequestErrors(errors[:MAX_ERRORS], before_execution=False)
        plan = self._plan(variables)
        return Operation(self.definitions, plan, variables, self._cost(plan, variables), self._execution.breadth_first)

    def _coerced(self, values: Mapping[str, Any], *, hide_suggestions: bool) -> VariableValues:
        variables = get_variable_values(
            self._execution.schema,
            self.definitions.operation.variable_definitions or (),
            dict(values),
            max_errors=MAX_ERRORS,
            hide_suggestions=hide_suggestions,
        )
        if isinstance(variables, VariableValues):
            return variables
        errors = variables[:MAX_ERRORS]
        describe_variables(errors, self.definitions, hide_suggestions=hide_suggestions)
        raise RequestErrors(errors, before_execution=False)

    def _cost(self, plan: Plan, variables: VariableValues) -> Cost:
        if self.definitions.operation.variable_definitions:
            return estimate(plan, variables)
        if self._fixed_cost is None:
            self._fixed_cost = estimate(plan, variables)
        return self._fixed_cost

    def _plan(self, variables: VariableValues) -> Plan:
        key = tuple(variables.coerced.get(name) for name in self._deciding)
        plan = self._plans.get(key)
        if plan is None:
            # No others: a client's variables may take more than its document.
            deciding = VariableValues(*(_only(self._deciding, values) for values in variables))
            plan = self._plans[key] = Plan(Planner(self.definitions, deciding, self._execution.native))
            if len(self._plans) > CACHED_PLANS:
                self._plans.popitem(last=False)
            self._grown()
        return plan


def _only(names: Collection[str], values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in names if name in values}


@dataclass(frozen=True, slots=True)
class Result:
    """What an execution gave, and how many objects."""

    data: dict[str, Any] | None
    errors: list[GraphQLError]
    objects: int


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation that is ready to run: what it selects, its variables, and what it may cost."""

    definitions: Definitions
    plan: Plan
    variables: VariableValues
    cost: Cost
    breadth_first: bool

    @property
    def kind(self) -> OperationType:
        return self.definitions.operation.operation

    @property
    def only_introspects(self) -> bool:
        """Whether the operation reads the schema alone."""
        return all(name.startswith("__") for name in self.definitions.root_names)

    @property
    def root_fields(self) -> list[GraphQLField]:
        """The definitions of the root's fields that are to run."""
        return [planned.definition for planned in self.plan.root.fields]

    def executor(self, context: Any) -> BreadthFirst | DepthFirst:
        """Return what executes the operation, once."""
        core = DepthFirst(self.definitions, self.variables, context)
        return BreadthFirst(core, self.plan) if self.breadth_first and self.plan.is_covered else core

    async def run(self, context: Any) -> Result:
        """Execute the operation."""
        executor = self.executor(context)
        result = await executor.execute()
        return Result(result.data, result.errors or [], self._objects(executor, result))

    def _objects(self, executor: BreadthFirst | DepthFirst, result: ExecutionResult) -> int:
        # What was resolved and then became null was counted, and is not in the answer.
        if isinstance(executor, BreadthFirst) and not result.errors and self.kind is OperationType.QUERY:
            return counted(executor.objects) + self.cost.leaves.actual(result.data)
        return self.cost.actual(result.data)
