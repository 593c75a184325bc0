"""Documents and their operations, prepared: what is the same for all executions of one is worked out once."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLField,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
)

from customergraph.errors import OperationKindRefused, OperationUnresolved
from customergraph.execution.arguments import describe_variables, null_conditions
from customergraph.execution.compiled import Planned
from customergraph.execution.cost import Cost, counted, estimate, relevant_to_cost
from customergraph.execution.depth_first import DepthFirst
from customergraph.execution.graphql_core import Definitions, VariableValues
from customergraph.execution.leaves import Native, Unsure
from customergraph.execution.plan import Plan, Planner, deciding_variables
from customergraph.execution.variables import Variables

# Each set of values of the variables that decide what is skipped has a plan of its own.
CACHED_PLANS = 16
CACHED_COSTS = 4
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
    compiles: bool = True


class Document:
    """A valid document within its limits, of so many bytes; `grown` is called when its operations take more."""

    def __init__(
        self, sha256: str, tree: DocumentNode, execution: Execution, size: int, grown: Callable[[], None]
    ) -> None:
        # The hash of its text.
        self.sha256 = sha256
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

    @property
    def operations(self) -> list[Definitions]:
        """The definitions of each operation."""
        nodes = [node for node in self._tree.definitions if isinstance(node, OperationDefinitionNode)]
        return [Definitions.of(self._execution.schema, node, self._fragments) for node in nodes]

    def definition(self, name: str | None) -> OperationDefinitionNode | None:
        """Return an operation of the document, if it has it."""
        prepared = self._prepared.get(name)
        return prepared.definitions.operation if prepared else definition_of(self._tree, name)

    def prepare(
        self, name: str | None, variables: Mapping[str, Any] | None, kinds: Kinds, *, hide_suggestions: bool = True
    ) -> "Operation":
        """Prepare the operation of that name, or the only one, for these variables.

        Raises OperationUnresolved, OperationKindRefused for one that is none of the kinds, and
        RequestErrors for variables that do not fit.
        """
        prepared = self._prepared.get(name)
        if prepared is None:
            node = operation_of(self._tree, name)
            definitions = Definitions.of(self._execution.schema, node, self._fragments)
            prepared = self._prepared[name] = PreparedOperation(definitions, self._execution, self._grown)
        require_kind(prepared.definitions.operation, kinds)
        return prepared.with_variables(variables or {}, hide_suggestions=hide_suggestions)


def definition_of(tree: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    """Return the operation as `operation_of` does; None where that cannot be told."""
    try:
        return operation_of(tree, name)
    except OperationUnresolved:
        return None


def operation_of(tree: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """Return the operation of that name, or the only one; raises OperationUnresolved."""
    operations = [node for node in tree.definitions if isinstance(node, OperationDefinitionNode)]
    if not operations:
        raise OperationUnresolved("The document holds no operation: add one, like `query { project { name } }`.")
    if name is None and len(operations) > 1:
        raise OperationUnresolved("The document holds several operations: name one in `operationName`.")
    for operation in operations:
        if name is None or (operation.name and operation.name.value == name):
            return operation
    raise OperationUnresolved("`operationName` names no operation of the document.")


def require_kind(operation: OperationDefinitionNode, kinds: Kinds) -> None:
    """Raise OperationKindRefused for an operation of another kind."""
    if operation.operation not in kinds:
        raise OperationKindRefused(operation.operation.value)


class PreparedOperation:
    """One operation of a valid document, with the plans of its executions."""

    def __init__(self, definitions: Definitions, execution: Execution, grown: Callable[[], None]) -> None:
        self.definitions = definitions
        self._execution = execution
        self._grown = grown
        self._variables = Variables(definitions)
        self._deciding = deciding_variables(definitions)
        self._plans: OrderedDict[tuple[Any, ...], Planned] = OrderedDict()
        # By what of the variables can matter to it.
        self._costs: OrderedDict[tuple[Any, ...], Cost] = OrderedDict()

    @property
    def bytes(self) -> int:
        """How much memory the operation and its plans take at most."""
        own = _OPERATION_BYTES + _FRAGMENT_BYTES * len(self.definitions.fragments)
        return own + sum(planned.bytes for planned in self._plans.values())

    def with_variables(self, values: Mapping[str, Any], *, hide_suggestions: bool = True) -> "Operation":
        """Bind the operation to its variables; raises RequestErrors for those that do not fit."""
        variables = self._coerced(values, hide_suggestions=hide_suggestions)
        errors = null_conditions(self.definitions, variables)
        if errors:
            raise RequestErrors(errors[:MAX_ERRORS], before_execution=False)
        deciding = tuple([variables.coerced.get(name) for name in self._deciding]) if self._deciding else ()
        planned = self._planned(deciding, variables)
        return Operation(self.definitions, planned, variables, self._cost(deciding, planned.plan, variables))

    def _coerced(self, values: Mapping[str, Any], *, hide_suggestions: bool) -> VariableValues:
        variables = self._variables.coerced(values, max_errors=MAX_ERRORS, hide_suggestions=hide_suggestions)
        if isinstance(variables, VariableValues):
            return variables
        errors = variables[:MAX_ERRORS]
        describe_variables(errors, self.definitions, hide_suggestions=hide_suggestions)
        raise RequestErrors(errors, before_execution=False)

    def _cost(self, deciding: tuple[Any, ...], plan: Plan, variables: VariableValues) -> Cost:
        key = (*deciding, *[(name, relevant_to_cost(value)) for name, value in variables.coerced.items()])
        cost = self._costs.get(key)
        if cost is None:
            cost = self._costs[key] = estimate(plan, variables)
            if len(self._costs) > CACHED_COSTS:
                self._costs.popitem(last=False)
        return cost

    def _planned(self, key: tuple[Any, ...], variables: VariableValues) -> Planned:
        planned = self._plans.get(key)
        if planned is None:
            # No others: a client's variables may take more than its document.
            deciding = VariableValues(*(_only(self._deciding, values) for values in variables))
            plan = Plan(Planner(self.definitions, deciding, self._execution.native))
            planned = self._plans[key] = Planned(plan, self._grown, compiles=self._execution.compiles)
            if len(self._plans) > CACHED_PLANS:
                self._plans.popitem(last=False)
            self._grown()
        self._plans.move_to_end(key)
        return planned


def _only(names: Collection[str], values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in names if name in values}


class Result(NamedTuple):
    """What an execution gave, and how many objects."""

    data: dict[str, Any] | None
    errors: list[GraphQLError]
    objects: int


class Operation(NamedTuple):
    """An operation that is ready to run: what it selects, its variables, and what it may cost."""

    definitions: Definitions
    planned: Planned
    variables: VariableValues
    cost: Cost

    @property
    def kind(self) -> OperationType:
        return self.definitions.operation.operation

    @property
    def plan(self) -> Plan:
        return self.planned.plan

    @property
    def only_introspects(self) -> bool:
        """Whether the operation reads the schema alone."""
        return all(name.startswith("__") for name in self.definitions.root_names)

    @property
    def root_fields(self) -> list[GraphQLField]:
        """The definitions of the root's fields that are to run."""
        return [planned.definition for planned in self.plan.root.fields]

    async def run(self, context: Any) -> Result:
        """Execute the operation: by its compiled plan, or as graphql-core does, if that cannot be sure."""
        compiled = self.planned.compiled
        if compiled is not None:
            try:
                data, objects = await compiled.execute(self.definitions.schema, self.variables, context)
            except Unsure:
                pass
            else:
                return Result(data, [], counted(objects) + self.cost.prices.actual(data))
        result = await DepthFirst(self.definitions, self.variables, context).execute()
        return Result(result.data, result.errors or [], self.cost.actual(result.data))
