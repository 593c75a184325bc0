"""Documents: parsed, measured and validated once, and remembered by their text."""

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

from graphql import (
    GraphQLError,
    GraphQLSyntaxError,
    OverlappingFieldsCanBeMergedRule,
    ValuesOfCorrectTypeRule,
    parse,
    specified_rules,
    validate,
)

from customergraph.errors import BadUserInput, LimitExceeded
from customergraph.execution import limits
from customergraph.execution.limits import Limits
from customergraph.execution.merging import FieldsThatCanBeMerged
from customergraph.execution.operation import Document, Execution, InvalidDocument, UnreadableDocument

AnyDocument = Document | InvalidDocument | UnreadableDocument

REMEMBERED = 512
REMEMBERED_CHARACTERS = 20_000
# All that is remembered is walked by the garbage collector, while nobody is answered.
REMEMBERED_CHARACTERS_OF_ALL = 150_000
# Longer ones are read in a thread, while the event loop goes on.
READ_AT_ONCE_CHARACTERS = 1_000
# An answer that tells what is wrong stays short, whatever it is that is wrong.
MAX_ERRORS = 10
MAX_LOCATIONS = 5
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
            raise LimitExceeded("depth", None, self._limits.depth) from None
        schema = self._execution.schema
        errors = validate(schema, tree, _RULES, max_errors=MAX_ERRORS, hide_suggestions=True)
        # Its cost is bounded for documents that are valid otherwise.
        errors = errors or validate(schema, tree, (FieldsThatCanBeMerged,))
        if errors:
            return InvalidDocument(tree, tuple(map(_truncated, errors)))
        return Document(tree, self._execution)

    def _refuse_aborted(self, message: str) -> None:
        """Tell a limit that the parser met from a mistake of syntax; it has one kind of error for both."""
        if message.endswith("tokens. Parsing aborted."):
            raise LimitExceeded("tokens", None, self._limits.tokens)
        if message.endswith("nested too deeply. Parsing aborted."):
            raise LimitExceeded("depth", None, self._limits.depth)


def _truncated(error: GraphQLError) -> GraphQLError:
    """Shorten what an error repeats of the document, and where."""
    error.message = error.message[:LONGEST_MESSAGE]
    error.locations = error.locations and error.locations[:MAX_LOCATIONS]
    return error
