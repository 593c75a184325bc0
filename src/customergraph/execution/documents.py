"""Documents: parsed, measured and validated once, and remembered by their text."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from graphql import (
    SKIP,
    ArgumentNode,
    DocumentNode,
    GraphQLError,
    GraphQLInputType,
    GraphQLSyntaxError,
    OverlappingFieldsCanBeMergedRule,
    ValueNode,
    ValuesOfCorrectTypeRule,
    VariableDefinitionNode,
    VisitorAction,
    parse,
    specified_rules,
    validate,
)
from graphql.pyutils import print_path_list
from graphql.utilities import validate_input_literal

from customergraph.errors import BadUserInput, LimitExceeded
from customergraph.execution import limits
from customergraph.execution.arguments import in_graphql_terms, what_fits
from customergraph.execution.limits import SETTINGS, Limits
from customergraph.execution.merging import FieldsThatCanBeMerged
from customergraph.execution.operation import MAX_ERRORS, Document, Execution, InvalidDocument, UnreadableDocument

AnyDocument = Document | InvalidDocument | UnreadableDocument

REMEMBERED = 512
REMEMBERED_CHARACTERS = 20_000
# All that is remembered is walked by the garbage collector, while nobody is answered.
REMEMBERED_CHARACTERS_OF_ALL = 150_000
# Longer ones are read in a thread, while the event loop goes on.
READ_AT_ONCE_CHARACTERS = 1_000
MAX_LOCATIONS = 5
# Each suggestion compares a name with all names of the schema.
ERRORS_WITH_SUGGESTIONS = 3
LONGEST_MESSAGE = 500
# To find a line, the lines before it are counted, again for each error of an execution: in a
# document of more lines, only paths tell where an error is.
LINES_COUNTED = 500


class ValuesThatFitTheirType(ValuesOfCorrectTypeRule):
    """The specification's rule, whose errors name the argument, what came and what would fit.

    A literal that does not fit gets the code of a variable that does not.
    """

    _owner = ""

    def enter_argument(self, node: ArgumentNode, *_args: object) -> None:
        self._owner = f"Argument '{node.name.value}'"

    def enter_variable_definition(self, node: VariableDefinitionNode, *_args: object) -> None:
        self._owner = f"The default of variable '${node.variable.name.value}'"

    def is_valid_value_node(self, node: ValueNode, input_type: GraphQLInputType | None) -> VisitorAction:
        if input_type:
            validate_input_literal(
                node,
                input_type,
                partial(self._report, node, input_type),
                hide_suggestions=self.context.hide_suggestions,
            )
        return SKIP

    def _report(self, node: ValueNode, type_: GraphQLInputType, error: GraphQLError, path: list[str | int]) -> None:
        message = f"{self._owner} of type '{type_}' has invalid value{print_path_list(path)}: {error.message}"
        fitting = what_fits(type_, hide_suggestions=self.context.hide_suggestions)
        # A list in place of a scalar is a copy of its node, which stands nowhere.
        nodes = error.nodes if error.locations else [node]
        self.report_error(
            GraphQLError(in_graphql_terms(message) + fitting, nodes, extensions={"code": BadUserInput.code})
        )


_RULES = tuple(
    ValuesThatFitTheirType if rule is ValuesOfCorrectTypeRule else rule
    for rule in specified_rules
    if rule is not OverlappingFieldsCanBeMergedRule
)


class Documents:
    """Reads the documents of one schema."""

    def __init__(self, execution: Execution, limits: Limits) -> None:
        self._execution = execution
        self._limits = limits
        self._known: OrderedDict[str, AnyDocument] = OrderedDict()
        self._characters = 0
        # One thread: the event loop waits behind all that compute.
        self._reader = ThreadPoolExecutor(1, "documents")

    async def read(self, text: str) -> AnyDocument:
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

    def _remember(self, text: str, document: AnyDocument) -> None:
        self._known[text] = document
        self._characters += len(text)
        while len(self._known) > REMEMBERED or self._characters > REMEMBERED_CHARACTERS_OF_ALL:
            forgotten, _ = self._known.popitem(last=False)
            self._characters -= len(forgotten)

    def _read(self, text: str) -> AnyDocument:
        try:
            lines = text.count("\n") + text.count("\r")
            tree = parse(text, max_tokens=self._limits.tokens, no_location=lines > LINES_COUNTED)
            limits.check(tree, self._limits)
        except GraphQLSyntaxError as error:
            self._refuse_aborted(error.message)
            return UnreadableDocument(error)
        except RecursionError:
            raise LimitExceeded(*SETTINGS["depth"], None, self._limits.depth) from None
        schema = self._execution.schema
        errors = validate(schema, tree, _RULES, max_errors=MAX_ERRORS, hide_suggestions=True)
        if errors:
            return InvalidDocument(tree, _truncated(errors), _truncated(self._suggesting(tree, errors)))
        # Its cost is bounded for documents that are valid otherwise.
        errors = validate(schema, tree, (FieldsThatCanBeMerged,))
        return InvalidDocument(tree, _truncated(errors)) if errors else Document(tree, self._execution)

    def _suggesting(self, tree: DocumentNode, errors: list[GraphQLError]) -> list[GraphQLError]:
        """Give the same errors, the first of them with names that are near."""
        suggesting = validate(self._execution.schema, tree, _RULES, max_errors=ERRORS_WITH_SUGGESTIONS)
        return suggesting[:ERRORS_WITH_SUGGESTIONS] + errors[ERRORS_WITH_SUGGESTIONS:]

    def _refuse_aborted(self, message: str) -> None:
        """Tell a limit that the parser met from a mistake of syntax; it has one kind of error for both."""
        if message.endswith("tokens. Parsing aborted."):
            raise LimitExceeded(*SETTINGS["tokens"], None, self._limits.tokens)
        if message.endswith("nested too deeply. Parsing aborted."):
            raise LimitExceeded(*SETTINGS["depth"], None, self._limits.depth)


def _truncated(errors: Iterable[GraphQLError]) -> tuple[GraphQLError, ...]:
    """Shorten what errors repeat of the document, and where."""
    truncated = tuple(errors)
    for error in truncated:
        error.message = error.message[:LONGEST_MESSAGE]
        error.locations = error.locations and error.locations[:MAX_LOCATIONS]
    return truncated
