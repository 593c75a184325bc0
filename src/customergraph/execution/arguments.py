"""Values of arguments. An error names the argument, the value, and what would fit.

A nullable variable that has a default may stand where null may not, and null may then be its value
(specification, "All Variable Usages Are Allowed"). For a field's argument that is an error of the field; for the
condition of `@skip` or `@include` it is an error of the request, which is refused before anything runs.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from graphql import (
    ArgumentNode,
    DirectiveNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    Node,
    VariableDefinitionNode,
    VariableNode,
    get_argument_values,
    get_named_type,
    type_from_ast,
)

from customergraph.errors import BadUserInput
from customergraph.execution.graphql_core import Definitions, VariableValues
from customergraph.execution.nodes import nodes

CONDITIONS = {"skip", "include"}
# An error of a variable names so many of the arguments that take it.
ARGUMENTS_NAMED = 3
_NOT_NONE = " not to be None."
_CODE = {"code": BadUserInput.code}


def argument_values(definition: GraphQLField, node: FieldNode, variables: VariableValues) -> dict[str, Any]:
    """Coerce the arguments of a field; raises GraphQLError with the code BAD_USER_INPUT, which names the argument."""
    try:
        return get_argument_values(definition, node, variables, None, hide_suggestions=True)
    except GraphQLError as error:
        raise GraphQLError(in_graphql_terms(error.message), error.nodes, extensions=_CODE) from None


def in_graphql_terms(message: str) -> str:
    """Write `null` where graphql-core writes Python's word for it."""
    return f"{message.removesuffix(_NOT_NONE)} not to be null." if message.endswith(_NOT_NONE) else message


def what_fits(type_: Any, *, hide_suggestions: bool) -> str:
    """Name the values of an enumeration; other types' errors say it themselves."""
    named = get_named_type(type_)
    if hide_suggestions or not isinstance(named, GraphQLEnumType):
        return ""
    return f" {named} has {', '.join(named.values)}."


def null_conditions(definitions: Definitions, variables: VariableValues) -> list[GraphQLError]:
    """Return an error for each condition of a directive that a variable makes null, wherever it stands."""
    null = set(_null_variables(definitions, variables)) if None in variables.coerced.values() else ()
    if not null:
        return []
    arguments = [
        (directive, argument)
        for directive in _reachable(definitions)
        if isinstance(directive, DirectiveNode) and directive.name.value in CONDITIONS
        for argument in directive.arguments or ()
        if isinstance(argument.value, VariableNode) and argument.value.name.value in null
    ]
    return [_null_condition(directive, argument) for directive, argument in sorted(arguments, key=_position)]


def _null_variables(definitions: Definitions, variables: VariableValues) -> Iterator[str]:
    """Name the variables that are null and have another default: no others may stand where null may not."""
    values = variables.coerced
    for definition in definitions.operation.variable_definitions or ():
        name = definition.variable.name.value
        if definition.default_value is not None and name in values and values[name] is None:
            yield name


def _reachable(definitions: Definitions) -> Iterator[Node]:
    """Yield the nodes of an operation and of the fragments that it spreads, in no order."""
    waiting: list[Node] = [definitions.operation]
    spread: set[str] = set()
    while waiting:
        for node in nodes(waiting.pop()):
            yield node
            if isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
                spread.add(node.name.value)
                waiting.append(definitions.fragments[node.name.value])


def _position(condition: tuple[DirectiveNode, ArgumentNode]) -> int:
    location = condition[1].loc
    return location.start if location else 0


def _null_condition(directive: DirectiveNode, argument: ArgumentNode) -> GraphQLError:
    variable: Any = argument.value
    return GraphQLError(
        f"Argument '{argument.name.value}' of '@{directive.name.value}' has invalid value:"
        f" Expected variable '${variable.name.value}' provided to non-null type 'Boolean!' not to be null.",
        [variable],
        extensions=_CODE,
    )


def describe_variables(errors: Iterable[GraphQLError], definitions: Definitions, *, hide_suggestions: bool) -> None:
    """Add to errors of variables the arguments that take the variable, and what would fit."""
    takers = _takers(definitions)
    for error in errors:
        definition = error.nodes[0] if error.nodes else None
        if isinstance(definition, VariableDefinitionNode):
            name = definition.variable.name.value
            arguments = ", ".join(f"'{one}'" for one in sorted(takers.get(name, ()))[:ARGUMENTS_NAMED])
            variable = f"Variable '${name}'"
            message = in_graphql_terms(error.message)
            if arguments:
                message = message.replace(variable, f"{variable} for the argument {arguments}", 1)
            error.message = message + what_fits(
                type_from_ast(definitions.schema, definition.type), hide_suggestions=hide_suggestions
            )


def _takers(definitions: Definitions) -> dict[str, set[str]]:
    """Name for each variable the arguments that have it in their value."""
    takers: dict[str, set[str]] = {}
    for argument in _reachable(definitions):
        if isinstance(argument, ArgumentNode):
            for node in nodes(argument.value):
                if isinstance(node, VariableNode):
                    takers.setdefault(node.name.value, set()).add(argument.name.value)
    return takers
