"""How large a document may be: counted before it is validated, so that nothing costly runs on a hostile one.

One walk over the parsed document counts everything. A fragment is counted once, and its
counts are used again wherever it is spread, so the walk is linear in the document's length
whatever its fragments do; what is counted is what an execution would see.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    ListValueNode,
    NameNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from customergraph.errors import LimitExceeded, ListTooLong
from customergraph.execution.nodes import nodes

_HOLDING = (dict, list)
# For each limit the setting that an operator raises, and what it counts.
SETTINGS = {
    "document_bytes": ("DOCUMENT_LIMIT", "bytes"),
    "repeated_fields": ("REPEATED_FIELD_LIMIT", "fields of one key"),
    "tokens": ("TOKEN_LIMIT", "tokens"),
    "depth": ("DEPTH_LIMIT", "levels of fields"),
    "fields": ("FIELD_LIMIT", "fields"),
    "aliases_of_a_field": ("FIELD_ALIAS_LIMIT", "aliases of one field"),
    "aliases": ("ALIAS_LIMIT", "aliases"),
    "directives": ("DIRECTIVE_LIMIT", "directives"),
    "definitions": ("DEFINITION_LIMIT", "operations and fragments"),
    "list_entries": ("LIST_LIMIT", "entries of a list"),
    "name_characters": ("NAME_LIMIT", "characters of a name"),
    "nested_values": ("NESTED_VALUE_LIMIT", "lists and objects in the variables"),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a document may have; root fields have the depth 1, and leaves count."""

    document_bytes: int = 100_000
    tokens: int = 4_000
    depth: int = 20
    fields: int = 5_000
    # Fields that stand for one key of the answer, and are merged.
    repeated_fields: int = 100
    aliases_of_a_field: int = 30
    aliases: int = 100
    directives: int = 50
    definitions: int = 30
    list_entries: int = 100
    # An alias is repeated in the answer by each object that has its field.
    name_characters: int = 200
    # Lists and objects in the variables; the schema's arguments have no use for a hundredth of them.
    nested_values: int = 10_000

    def require(self, name: str, count: int) -> None:
        """Raise LimitExceeded for a count above the limit of that name."""
        allowed = getattr(self, name)
        if count > allowed:
            raise LimitExceeded(*SETTINGS[name], count, allowed)


def check(document: DocumentNode, limits: Limits) -> int:
    """Return how many fields a document has, with its fragments spread.

    Raises LimitExceeded for a document that is larger than it may be; its variables are `check_values`' to judge.
    """
    limits.require("definitions", len(document.definitions))
    _require_nodes(document, limits)
    walk = _Walk(document, limits)
    fields = 0
    for operation in document.definitions:
        if isinstance(operation, OperationDefinitionNode):
            fields += walk.of(operation.selection_set, 1).fields
    # All operations together, since all of them are validated.
    limits.require("fields", fields)
    return fields


def check_values(variables: Mapping[str, Any] | None, limits: Limits) -> None:
    """Raise LimitExceeded when the variables hold a list of more entries than it may have, or too many of all."""
    waiting: list[Any] = [variables or {}]
    nested = 0
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            _require_list(sum(not isinstance(one, dict) for one in value), limits)
        within = value.values() if isinstance(value, dict) else value
        holding = [one for one in within if isinstance(one, _HOLDING)]
        # A body has room for some hundred thousand of them.
        nested += len(holding)
        limits.require("nested_values", nested)
        waiting += holding


@dataclass(slots=True)
class _Counts:
    """What is in a selection set, fragments and all; `depth` counts from where it stands."""

    depth: int = 0
    fields: int = 0
    directives: int = 0
    aliases: Counter[str] = field(default_factory=Counter)

    def add(self, other: "_Counts") -> None:
        self.depth = max(self.depth, other.depth)
        self.fields += other.fields
        self.directives += other.directives
        if other.aliases:
            self.aliases.update(other.aliases)


class _Walk:
    """Counts the selection sets of one document, each fragment once."""

    def __init__(self, document: DocumentNode, limits: Limits) -> None:
        self._limits = limits
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._known: dict[str, _Counts] = {}

    def of(self, selections: SelectionSetNode | None, level: int) -> _Counts:
        """Count a selection set at that level of its operation or fragment."""
        counts = _Counts()
        for selection in selections.selections if selections else ():
            counts.directives += len(selection.directives or ())
            if isinstance(selection, FieldNode):
                counts.add(self._field(selection, level))
            elif isinstance(selection, InlineFragmentNode):
                counts.add(self.of(selection.selection_set, level))
            elif isinstance(selection, FragmentSpreadNode):
                counts.add(self._fragment(selection.name.value))
            # At once, since the counts of fragments that spread each other double with each.
            self._require(counts)
        return counts

    def _field(self, node: FieldNode, level: int) -> _Counts:
        # Before going deeper, and not only on the way back.
        self._limits.require("depth", level)
        counts = self.of(node.selection_set, level + 1)
        counts.depth += 1
        counts.fields += 1
        if node.alias:
            counts.aliases[node.name.value] += 1
        return counts

    def _fragment(self, name: str) -> _Counts:
        if name not in self._known:
            # One that is spread within itself, or defined nowhere, is the validation's to refuse.
            self._known[name] = _Counts()
            fragment = self._fragments.get(name)
            if fragment is not None:
                self._known[name] = self.of(fragment.selection_set, 1)
        return self._known[name]

    def _require(self, counts: _Counts) -> None:
        self._limits.require("depth", counts.depth)
        self._limits.require("fields", counts.fields)
        self._limits.require("directives", counts.directives)
        if counts.aliases:
            self._limits.require("aliases", counts.aliases.total())
            self._limits.require("aliases_of_a_field", max(counts.aliases.values()))


def _require_list(entries: int, limits: Limits) -> None:
    """Raise ListTooLong for a list of so many entries besides objects.

    What takes a list of objects says itself how many it takes; `nested_values` and `tokens` bound them.
    """
    if entries > limits.list_entries:
        raise ListTooLong(*SETTINGS["list_entries"], entries, limits.list_entries)


def _require_nodes(document: DocumentNode, limits: Limits) -> None:
    """Judge what may stand anywhere, in what is never executed too."""
    directives = 0
    for node in nodes(document):
        if isinstance(node, NameNode):
            limits.require("name_characters", len(node.value))
        elif isinstance(node, ListValueNode):
            _require_list(sum(not isinstance(one, ObjectValueNode) for one in node.values), limits)
        directives += isinstance(node, DirectiveNode)
    limits.require("directives", directives)
