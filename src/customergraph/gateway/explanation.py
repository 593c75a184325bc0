"""What an operation would do: its cost, its statements, and the function that makes its answer."""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import GraphQLError, OperationType

from customergraph.domain.principal import Principal
from customergraph.errors import CommandRefused, RequestRefused
from customergraph.execution.documents import Documents
from customergraph.execution.leaves import Unsure
from customergraph.execution.operation import Operation, RequestErrors
from customergraph.gateway.limits import limits_of
from customergraph.schema.context import Context
from customergraph.schema.schema import execution
from customergraph.settings import Settings
from customergraph.store.database import Database

_ALL_KINDS = frozenset(OperationType)


async def explain(settings: Settings, text: str, name: str | None, variables: Mapping[str, Any]) -> str:
    """Explain an operation of a document, without reading from the store.

    Raises CommandRefused for a document or variables that no request could have.
    """
    try:
        document = await Documents(execution(), limits_of(settings)).read(text, None)
        operation = document.prepare(name, variables, _ALL_KINDS, hide_suggestions=False)
    except RequestErrors as errors:
        raise CommandRefused("; ".join(map(located, errors.errors))) from None
    except RequestRefused as refusal:
        raise CommandRefused(str(refusal)) from None
    database = Database(settings.database_url)
    try:
        # The project of no token: nothing is read.
        context = Context(database, Principal(0, "UTC", frozenset()), 0)
        return "\n".join(_lines(settings, operation, context))
    except Unsure as error:
        raise CommandRefused(str(error.__cause__)) from None
    finally:
        await database.close()


def statements_of(operation: Operation, context: Context) -> int | None:
    """Return how many statements an operation takes at most; None where graphql-core executes it.

    Raises RequestRefused for an argument that the field would refuse.
    """
    compiled = operation.planned.compiled
    if compiled is None:
        return None
    try:
        lists = compiled.statements(operation.definitions.schema, operation.variables, context)
    except Unsure as error:
        if isinstance(error.__cause__, RequestRefused):
            raise error.__cause__ from None
        return None
    return sum(len(statements) for _, statements in lists)


def located(error: GraphQLError) -> str:
    """Return the message of an error, with the places in the document."""
    places = ", ".join(f"line {one.line}, column {one.column}" for one in error.locations or ())
    return f"{error.message} ({places})" if places else error.message


def _lines(settings: Settings, operation: Operation, context: Context) -> Iterator[str]:
    yield f"# Cost: {operation.cost.requested:,} objects at most; the limit is {settings.cost_limit:,}."
    compiled = operation.planned.compiled
    if compiled is None:
        yield f"# graphql-core executes it: {operation.planned.not_compiled}."
        return
    for title, statements in compiled.statements(operation.definitions.schema, operation.variables, context):
        yield ""
        yield f"# {title}"
        for statement in statements:
            yield f"{statement};"
    yield ""
    yield "# The function that makes the answer"
    yield compiled.source
