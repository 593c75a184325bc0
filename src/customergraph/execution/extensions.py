"""What happens to an operation between its text and its execution."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from graphql import GraphQLError, OperationDefinitionNode, ValuesOfCorrectTypeRule, specified_rules
from strawberry.extensions import ParserCache, SchemaExtension, ValidationCache
from strawberry.types.execution import ExecutionContext
from strawberry.types.graphql import OperationType

from customergraph.domain.principal import Scope
from customergraph.errors import BadUserInput, OperationUnresolved, RequestRefused

CACHED_DOCUMENTS = 512


class ValuesThatFitTheirType(ValuesOfCorrectTypeRule):
    """The specification's rule; a literal that does not fit gets the code of a variable that does not."""

    def report_error(self, error: GraphQLError) -> None:
        error.extensions = {**(error.extensions or {}), "code": BadUserInput.code}
        super().report_error(error)


RULES = tuple(ValuesThatFitTheirType if rule is ValuesOfCorrectTypeRule else rule for rule in specified_rules)


class Validation(ValidationCache):
    """Validates each document once."""

    def on_validate(self) -> Iterator[None]:
        self.execution_context.validation_rules = RULES
        yield from super().on_validate()


class Admission(SchemaExtension):
    """Refuses a valid operation before it runs: one that is not told apart, one without its scope."""

    def on_validate(self) -> Iterator[None]:
        execution = self.execution_context
        if not execution.pre_execution_errors:
            try:
                _admit(execution)
            except RequestRefused as refused:
                execution.pre_execution_errors = [GraphQLError(str(refused), original_error=refused)]
        yield


def _admit(execution: ExecutionContext) -> None:
    definitions = execution.graphql_document.definitions if execution.graphql_document else ()
    operations = [node for node in definitions if isinstance(node, OperationDefinitionNode)]
    if len(operations) > 1 and execution._provided_operation_name is None:  # noqa: SLF001 - shown nowhere else
        raise OperationUnresolved("The document holds several operations: name one in `operationName`.")
    # Mutations are their actions' to judge.
    if execution.operation_type is OperationType.QUERY:
        execution.context.principal.require(Scope.READ)


EXTENSIONS: tuple[Callable[[], Any], ...] = (
    partial(ParserCache, maxsize=CACHED_DOCUMENTS),
    partial(Validation, maxsize=CACHED_DOCUMENTS),
    Admission,
)
