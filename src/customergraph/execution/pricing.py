"""What an operation costs whatever its variables are: for documents that are judged before anybody sends them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from graphql import (
    REMOVE,
    DirectiveNode,
    GraphQLBoolean,
    GraphQLInt,
    Visitor,
    VisitorAction,
    get_nullable_type,
    get_variable_values,
    is_list_type,
    is_non_null_type,
    visit,
)

from customergraph.domain.paging import LARGEST_PAGE
from customergraph.execution.arguments import CONDITIONS
from customergraph.execution.cost import estimate
from customergraph.execution.graphql_core import (
    Definitions,
    VariableSignature,
    VariableValues,
    VariableValueSource,
    signatures,
)
from customergraph.execution.leaves import Native
from customergraph.execution.plan import Plan, Planner, deciding_variables


@dataclass(frozen=True, slots=True)
class Price:
    """What an operation costs.

    `usual` is for the defaults of its variables; a variable that is required has the least value that can matter.
    No values cost more than `most`, which depends on `variables`.
    """

    usual: int
    most: int
    variables: tuple[str, ...]


def price_of(definitions: Definitions, native: Native, longest_list: int) -> Price:
    """Price a valid operation, whose lists in variables have so many entries at most."""
    usual, most = _usual_values(definitions), _most_values(definitions, longest_list)
    whole = _without_conditions(definitions)
    # Without its conditions, the plan is the same for all values.
    plan = Plan(Planner(whole, most, native))
    price = estimate(plan, most).requested
    deciding = deciding_variables(definitions)
    matters = [
        name
        for name in most.coerced
        if name in deciding or estimate(plan, _replaced(most, usual, name)).requested < price
    ]
    usual_price = estimate(Plan(Planner(definitions, usual, native)), usual).requested
    return Price(usual_price, max(price, usual_price), tuple(matters))


def _usual_values(definitions: Definitions) -> VariableValues:
    """Return the defaults of the variables, and for those that are required the least that can matter."""
    nodes = [node for node in definitions.operation.variable_definitions or () if node.default_value]
    defaults = get_variable_values(definitions.schema, nodes, {})
    assert isinstance(defaults, VariableValues)  # noqa: S101 - the document is valid
    required = [one for one in signatures(definitions) if one.default is None and is_non_null_type(one.type)]
    least = _values(required, number=1, entries=1)
    return VariableValues({**defaults.sources, **least.sources}, {**defaults.coerced, **least.coerced})


def _most_values(definitions: Definitions, longest_list: int) -> VariableValues:
    """Return the values of the variables that no others cost more than."""
    return _values(signatures(definitions), number=LARGEST_PAGE, entries=longest_list)


def _values(variables: Iterable[VariableSignature], *, number: int, entries: int) -> VariableValues:
    samples = [(one, _sample(one.type, number=number, entries=entries)) for one in variables]
    sources = {one.name: VariableValueSource(one, value) for one, value in samples}
    return VariableValues(sources, {one.name: value for one, value in samples})


def _sample(type_: Any, *, number: int, entries: int) -> Any:
    """Return a value that costs the most that one of the type can cost.

    Numbers, lengths, blank texts and enums alone matter; for an enum it is none of its values, as a text that is
    not blank.
    """
    nullable = get_nullable_type(type_)
    if is_list_type(nullable):
        return [_sample(nullable.of_type, number=number, entries=entries)] * entries
    return {GraphQLInt: number, GraphQLBoolean: False}.get(nullable, "x")


def _replaced(values: VariableValues, others: VariableValues, name: str) -> VariableValues:
    """Return the values, that of one variable replaced by its other value, which may be none."""
    replaced = [{key: value for key, value in part.items() if key != name} for part in values]
    for part, other in zip(replaced, others, strict=True):
        if name in other:
            part[name] = other[name]
    return VariableValues(*replaced)


class _Conditions(Visitor):
    """Removes the directives that decide what is skipped."""

    def enter_directive(self, node: DirectiveNode, *_args: object) -> VisitorAction:
        return REMOVE if node.name.value in CONDITIONS else None


def _without_conditions(definitions: Definitions) -> Definitions:
    fragments = {name: _stripped(node) for name, node in definitions.fragments.items()}
    return Definitions.of(definitions.schema, _stripped(definitions.operation), fragments)


def _stripped(node: Any) -> Any:
    return visit(node, _Conditions())
