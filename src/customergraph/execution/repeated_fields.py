"""How often a field is repeated: the fields that an execution would merge into one key of an answer."""

from collections.abc import Iterable, Iterator

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from customergraph.execution.limits import Limits

_SelectionSets = list[SelectionSetNode]


def check(document: DocumentNode, limits: Limits) -> None:
    """Raise LimitExceeded when one key of an answer is selected more often than it may be.

    For documents within their limits of depth and fields: every field is visited once for each
    time that an execution would see it.
    """
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    for operation in document.definitions:
        if isinstance(operation, OperationDefinitionNode):
            _check_operation(operation, fragments, limits)


def _check_operation(
    operation: OperationDefinitionNode, fragments: dict[str, FragmentDefinitionNode], limits: Limits
) -> None:
    waiting: list[_SelectionSets] = [[operation.selection_set]]
    fields = 0
    while waiting:
        for same_key in _by_key(waiting.pop(), fragments):
            limits.require("repeated_fields", len(same_key))
            fields += len(same_key)
            below = [node.selection_set for node in same_key if node.selection_set]
            # Only a fragment that spreads itself has more fields than were counted: the validation refuses it.
            if below and fields <= limits.fields:
                waiting.append(below)


def _by_key(selection_sets: _SelectionSets, fragments: dict[str, FragmentDefinitionNode]) -> Iterable[list[FieldNode]]:
    groups: dict[str, list[FieldNode]] = {}
    for node in _fields(selection_sets, fragments):
        groups.setdefault((node.alias or node.name).value, []).append(node)
    return groups.values()


def _fields(selection_sets: _SelectionSets, fragments: dict[str, FragmentDefinitionNode]) -> Iterator[FieldNode]:
    """Yield the fields of selection sets that are merged, through their fragments, each of which is entered once."""
    waiting = list(selection_sets)
    spread: set[str] = set()
    while waiting:
        for selection in waiting.pop().selections:
            if isinstance(selection, FieldNode):
                yield selection
            elif isinstance(selection, InlineFragmentNode):
                waiting.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in spread:
                spread.add(selection.name.value)
                # One that is defined nowhere is the validation's to refuse.
                fragment = fragments.get(selection.name.value)
                waiting += [fragment.selection_set] if fragment else []
