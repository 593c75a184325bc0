"""Documents: parsed, measured and validated once, and remembered by their text."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    OverlappingFieldsCanBeMergedRule,
    SelectionSetNode,
    ValuesOfCorrectTypeRule,
    parse,
    specified_rules,
    validate,
)

from customergraph.errors import BadUserInput, LimitExceeded, OperationUnresolved
from customergraph.execution import limits
from customergraph.execution.cost import Cost
from customergraph.execution.limits import Limits
from customergraph.execution.merging import FieldsThatCanBeMerged
from customergraph.execution.plan import Plans

REMEMBERED = 512
REMEMBERED_CHARACTERS = 20_000
# All that is remembered is walked by the garbage collector, while nobody is answered.
REMEMBERED_CHARACTERS_OF_ALL = 150_000
# Longer ones are read in a thread, while the event loop goes on.
READ_AT_ONCE_CHARACTERS = 1_000
# An answer that tells what is wrong stays short, whatever it is that is wrong.
ERRORS_TOLD = 10
PLACES_TOLD = 5
LONGEST_MESSAGE = 300
# To find a line, the lines before it are counted, again for each error of an execution: in a
# document of more lines, only paths tell where an error is.
LINES_COUNTED = 500


class ValuesThatFitTheirType(ValuesOfCorrectTypeRule):
    """The specification's rule; a literal that does not fit gets the code of a variable that does not."""

    def report_error(self, error: GraphQLError) -> None:
        error.extensions = {**(error.extensions or {}), "code": BadUserInput.code}
        super().report_error(error)


_RULES = tuple(
    ValuesThatFitTheirType if rule is ValuesOfCorrectTypeRule else rule
    for rule in specified_rules
    if rule is not OverlappingFieldsCanBeMergedRule
)


@dataclass(frozen=True, slots=True)
class Document:
    """A document within its limits; with errors it is not to be executed, and without a tree it is no GraphQL."""

    tree: DocumentNode | None
    errors: tuple[GraphQLError, ...] = ()
    # What is worked out of it once, for all its executions; the costs are those of operations without variables.
    plans: Plans = field(init=False)
    costs: dict[str | None, Cost] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "plans", Plans(self.tree.definitions if self.tree else ()))

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """Give the operation of that name, or the only one; raises OperationUnresolved."""
        definitions = self.tree.definitions if self.tree else ()
        operations = [node for node in definitions if isinstance(node, OperationDefinitionNode)]
        if name is None and len(operations) > 1:
            raise OperationUnresolved("The document holds several operations: name one in `operationName`.")
        for operation in operations:
            if name is None or (operation.name and operation.name.value == name):
                return operation
        raise OperationUnresolved("`operationName` names no operation of the document.")

    def only_introspects(self, operation: OperationDefinitionNode) -> bool:
        """Tell whether an operation of a valid document asks for the schema alone."""
        return all(name.startswith("__") for name in self._root_fields(operation.selection_set))

    def _root_fields(self, selections: SelectionSetNode) -> Iterator[str]:
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                yield selection.name.value
            elif isinstance(selection, InlineFragmentNode):
                yield from self._root_fields(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode):
                yield from self._root_fields(self._fragment(selection.name.value).selection_set)

    def _fragment(self, name: str) -> FragmentDefinitionNode:
        definitions = self.tree.definitions if self.tree else ()
        return next(
            node for node in definitions if isinstance(node, FragmentDefinitionNode) and node.name.value == name
        )


class Documents:
    """Reads the documents of one schema."""

    def __init__(self, schema: GraphQLSchema, limits: Limits) -> None:
        self._schema = schema
        self._limits = limits
        self._known: OrderedDict[str, Document] = OrderedDict()
        self._characters = 0
        # One thread: the event loop waits behind all that compute.
        self._reader = ThreadPoolExecutor(1, "documents")

    async def read(self, text: str) -> Document:
        """Parse, measure and validate a document; raises LimitExceeded before anything costly is done with it."""
        known = self._known.get(text)
        if known is not None:
            self._known.move_to_end(text)
            return known
        if len(text) <= READ_AT_ONCE_CHARACTERS:
            document = self._read(text)
        else:
            document = await asyncio.get_running_loop().run_in_executor(self._reader, self._read, text)
        if len(text) <= REMEMBERED_CHARACTERS and text not in self._known:
            self._remember(text, document)
        return document

    def _remember(self, text: str, document: Document) -> None:
        self._known[text] = document
        self._characters += len(text)
        while len(self._known) > REMEMBERED or self._characters > REMEMBERED_CHARACTERS_OF_ALL:
            forgotten, _ = self._known.popitem(last=False)
            self._characters -= len(forgotten)

    def _read(self, text: str) -> Document:
        try:
            lines = text.count("\n") + text.count("\r")
            tree = parse(text, max_tokens=self._limits.tokens, no_location=lines > LINES_COUNTED)
            limits.check(tree, self._limits)
        except GraphQLSyntaxError as error:
            self._refuse_aborted(error.message)
            return Document(None, (error,))
        except RecursionError:
            raise LimitExceeded("depth", None, self._limits.depth) from None
        errors = validate(self._schema, tree, _RULES, max_errors=ERRORS_TOLD, hide_suggestions=True)
        # Its cost is bounded for documents that are valid otherwise.
        errors = errors or validate(self._schema, tree, (FieldsThatCanBeMerged,))
        return Document(tree, tuple(_told(error) for error in errors))

    def _refuse_aborted(self, message: str) -> None:
        """Tell a limit that the parser met from a mistake of syntax; it has one kind of error for both."""
        if message.endswith("tokens. Parsing aborted."):
            raise LimitExceeded("tokens", None, self._limits.tokens)
        if message.endswith("nested too deeply. Parsing aborted."):
            raise LimitExceeded("depth", None, self._limits.depth)


def _told(error: GraphQLError) -> GraphQLError:
    """Shorten what an error repeats of the document, and where."""
    error.message = error.message[:LONGEST_MESSAGE]
    error.locations = error.locations and error.locations[:PLACES_TOLD]
    return error
