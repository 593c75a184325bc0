"""Documents: parsed, measured and validated once, and remembered by their text."""

import asyncio
import hashlib
import sys
from collections.abc import Callable, Hashable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from graphql import (
    SKIP,
    ArgumentNode,
    DocumentNode,
    GraphQLError,
    GraphQLInputType,
    GraphQLSyntaxError,
    OperationDefinitionNode,
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

from customergraph.byte_cache import ByteCache
from customergraph.errors import BadUserInput, LimitExceeded
from customergraph.execution import limits, repeated_fields
from customergraph.execution.arguments import in_graphql_terms, what_fits
from customergraph.execution.limits import SETTINGS, Limits
from customergraph.execution.merging import FieldsThatCanBeMerged
from customergraph.execution.operation import (
    MAX_ERRORS,
    Document,
    Execution,
    Kinds,
    Operation,
    RequestErrors,
    definition_of,
    operation_of,
    require_kind,
)
from customergraph.turns import Turns

# All of it is walked by the garbage collector, while nobody is answered.
CACHE_BYTES = 24 * 2**20
# What documents of every shape take at most, measured with tracemalloc: each with its errors (without and with
# suggestions), each token with its node, and each field with its cost. The text may stand in the tree once more.
_DOCUMENT_BYTES = 14_000
_TOKEN_BYTES = 700
_FIELD_BYTES = 300
MAX_LOCATIONS = 5
# Each suggestion compares a name with all names of the schema.
ERRORS_WITH_SUGGESTIONS = 3
LONGEST_MESSAGE = 500
# To find a line, the lines before it are counted, again for each error of an execution: in a
# document of more lines, only paths tell where an error is.
LINES_COUNTED = 500


@dataclass(frozen=True, slots=True)
class UnreadableDocument:
    """A text that is no GraphQL document."""

    sha256: str
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
    ) -> Operation:
        """Raise RequestErrors."""
        raise RequestErrors((self.error,), before_execution=True)

    def definition(self, _name: str | None) -> None:
        """Return None, as for an operation that the document lacks."""


@dataclass(frozen=True, slots=True)
class InvalidDocument:
    """A document that does not fit the schema."""

    sha256: str
    tree: DocumentNode
    # How much memory it takes at most.
    bytes: int
    errors: tuple[GraphQLError, ...]
    # The same errors for clients that may read the schema: the first of them suggest similar names.
    suggesting_errors: tuple[GraphQLError, ...] = ()

    def prepare(
        self, name: str | None, _variables: Mapping[str, Any] | None, kinds: Kinds, *, hide_suggestions: bool = True
    ) -> Operation:
        """Raise RequestErrors, unless the request is wrong already without regard to the schema."""
        require_kind(operation_of(self.tree, name), kinds)
        errors = self.errors if hide_suggestions else self.suggesting_errors or self.errors
        raise RequestErrors(errors, before_execution=True)

    def definition(self, name: str | None) -> OperationDefinitionNode | None:
        """Return an operation of the document, if it has it."""
        return definition_of(self.tree, name)


AnyDocument = Document | InvalidDocument | UnreadableDocument


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
        self._cache: ByteCache[str, AnyDocument] = ByteCache(CACHE_BYTES, lambda document: document.bytes)
        # Returns the document of a text that was read before, if it is remembered.
        self.remembered: Callable[[str], AnyDocument | None] = self._cache.get
        # One thread, since the interpreter computes one thing at a time; the event loop goes on beside it.
        self._reader = ThreadPoolExecutor(1, "documents")
        self._turns = Turns(1)

    async def read(self, text: str, key: Hashable) -> AnyDocument:
        """Parse, measure and validate a document, in the turn of the key.

        Raises LimitExceeded before anything costly is done with it.
        """
        self._limits.require("document_bytes", _encoded_length(text))
        async with self._turns.of(key):
            # Another request may have read it meanwhile.
            return self.remembered(text) or await self._read_in_thread(text)

    def read_at_once(self, text: str) -> AnyDocument:
        """Read a document as `read` does, but without a turn: nobody may be served meanwhile."""
        self._limits.require("document_bytes", _encoded_length(text))
        return self._read(text)

    async def _read_in_thread(self, text: str) -> AnyDocument:
        reading = asyncio.get_running_loop().run_in_executor(self._reader, self._read, text)
        try:
            document = await asyncio.shield(reading)
        finally:
            # The turn lasts until the thread is free, even if the client has left.
            await asyncio.wait({reading})
        self._cache.put(text, document)
        return document

    def _read(self, text: str) -> AnyDocument:
        size = _DOCUMENT_BYTES + 2 * sys.getsizeof(text)
        sha256 = digest(text)
        tree = self._parsed(text)
        if isinstance(tree, GraphQLSyntaxError):
            self._refuse_aborted(tree.message)
            return UnreadableDocument(sha256, tree, size)
        size += _FIELD_BYTES * self._measured(tree) + _TOKEN_BYTES * tree.token_count
        schema = self._execution.schema
        errors = validate(schema, tree, _RULES, max_errors=MAX_ERRORS, hide_suggestions=True)
        if errors:
            return InvalidDocument(sha256, tree, size, _truncated(errors), _truncated(self._suggesting(tree, errors)))
        # Its cost is bounded for documents that are valid otherwise.
        errors = validate(schema, tree, (FieldsThatCanBeMerged,))
        if errors:
            return InvalidDocument(sha256, tree, size, _truncated(errors))
        return Document(sha256, tree, self._execution, size, self._cache.trim)

    def _suggesting(self, tree: DocumentNode, errors: list[GraphQLError]) -> list[GraphQLError]:
        """Return the same errors, the first of them with names that are near."""
        suggesting = validate(self._execution.schema, tree, _RULES, max_errors=ERRORS_WITH_SUGGESTIONS)
        return suggesting[:ERRORS_WITH_SUGGESTIONS] + errors[ERRORS_WITH_SUGGESTIONS:]

    def _parsed(self, text: str) -> DocumentNode | GraphQLSyntaxError:
        lines = text.count("\n") + text.count("\r")
        try:
            tree = parse(text, max_tokens=self._limits.tokens, no_location=lines > LINES_COUNTED)
        except GraphQLSyntaxError as error:
            # Its traceback holds all that was parsed.
            return error.with_traceback(None)
        _unlink_tokens(tree)
        return tree

    def _measured(self, tree: DocumentNode) -> int:
        """Return how many fields a document has; raises LimitExceeded for one that is larger than it may be."""
        try:
            fields = limits.check(tree, self._limits)
        except RecursionError:
            raise LimitExceeded(*SETTINGS["depth"], None, self._limits.depth) from None
        repeated_fields.check(tree, self._limits)
        return fields

    def _refuse_aborted(self, message: str) -> None:
        """Tell a limit that the parser met from a mistake of syntax; it has one kind of error for both."""
        if message.endswith("tokens. Parsing aborted."):
            raise LimitExceeded(*SETTINGS["tokens"], None, self._limits.tokens)
        if message.endswith("nested too deeply. Parsing aborted."):
            raise LimitExceeded(*SETTINGS["depth"], None, self._limits.depth)


def digest(text: str) -> str:
    """Return the id that logs and clients make of a document's text: its SHA-256 in hexadecimal digits."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _encoded_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))


def _unlink_tokens(tree: DocumentNode) -> None:
    """Part each token from the one before it: linked both ways, all would wait for the garbage collector."""
    token = tree.loc and tree.loc.start_token
    while token:
        token.prev = None
        token = token.next


def _truncated(errors: Iterable[GraphQLError]) -> tuple[GraphQLError, ...]:
    """Shorten what errors repeat of the document, and where."""
    truncated = tuple(errors)
    for error in truncated:
        error.message = error.message[:LONGEST_MESSAGE]
        error.locations = error.locations and error.locations[:MAX_LOCATIONS]
    return truncated
