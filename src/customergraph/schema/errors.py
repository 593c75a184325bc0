"""Errors as clients see them (contract, section 6). No other module formats an error."""

from dataclasses import dataclass
from typing import Any, Self
from uuid import uuid4

import strawberry
import structlog
from graphql import GraphQLError, GraphQLSyntaxError

from customergraph.errors import BadUserInput, Mistake, RequestRefused, StoreUnavailable
from customergraph.schema.enums import UserErrorCode

# A message may quote what the client sent, which may be long.
MAX_MESSAGE_LENGTH = 500

_log = structlog.get_logger()


@strawberry.type(description="One mistake in the input of a mutation. The mutation changed nothing.")
class UserError:
    field: list[str] | None = strawberry.field(
        description='The path to the wrong value in the arguments, like `["input", "tagSlugs", "1"]`.'
    )
    message: str = strawberry.field(description="What is wrong, and what would be accepted.")
    code: UserErrorCode = strawberry.field(description="The kind of the mistake.")

    @classmethod
    def of(cls, mistake: Mistake) -> Self:
        """Return a mistake by the names of the schema."""
        path = list(map(_camel_case, mistake.field))
        name = f"{path[-2]}[{path[-1]}]" if path[-1].isdecimal() else path[-1]
        return cls(field=path, message=f"{name} {mistake.reason}", code=mistake.code)


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


@dataclass(frozen=True, slots=True)
class Change:
    """Whether the change of a mutation field was made; None when that is not known."""

    done: bool | None


class MutationFailed(Exception):
    """An unexpected error in a mutation, outside the resolvers of its fields."""

    def __init__(self, change: Change) -> None:
        super().__init__(change)
        self.change = change


_FAULT: dict[Change | None, str] = {
    None: "Something went wrong on our side. Tell us this id: {}",
    Change(done=False): "The change is not done: something went wrong on our side. Tell us this id: {}",
    Change(done=None): (
        "Something went wrong on our side while the change was being committed."
        " Look before repeating it, and tell us this id: {}"
    ),
    Change(done=True): (
        "The change is done, but something went wrong on our side. Do not repeat it. Tell us this id: {}"
    ),
}


def format_error(error: GraphQLError, *, before_execution: bool, change: Change | None = None) -> dict[str, Any]:
    """Return an error as the client sees it: with a code, and without internal details.

    An unexpected error is logged under an id, and the client sees only that id. An error of a
    mutation field says whether its `change` was made.
    """
    formatted: dict[str, Any] = dict(error.formatted)
    formatted["message"] = error.message[:MAX_MESSAGE_LENGTH]
    formatted["extensions"] = {
        **(error.extensions or {}),
        **_extensions(error, before_execution=before_execution),
    }
    if formatted["extensions"]["code"] == "INTERNAL_SERVER_ERROR":
        _mask(formatted, error, change)
    elif change and change.done and "done" not in formatted["extensions"]:
        formatted["message"] = f"The change is done. {formatted['message']}"
        formatted["extensions"]["done"] = True
    return formatted


def _mask(formatted: dict[str, Any], error: GraphQLError, change: Change | None) -> None:
    cause = error.original_error
    if isinstance(cause, MutationFailed):
        change = cause.change
    fault_id = structlog.contextvars.get_contextvars().get("request_id") or uuid4().hex
    _log.error("fault", fault_id=fault_id, path=error.path, exc_info=cause or error)
    formatted["message"] = _FAULT[change].format(fault_id)
    formatted["extensions"]["id"] = fault_id
    if change:
        formatted["extensions"]["done"] = change.done


def _extensions(error: GraphQLError, *, before_execution: bool) -> dict[str, Any]:
    cause = error.original_error
    if error.extensions and "code" in error.extensions:
        return {}
    if isinstance(cause, StoreUnavailable):
        _log.warning("store_unavailable", reason=cause.reason)
    if isinstance(cause, RequestRefused):
        return {"code": cause.code, **cause.details()}
    if isinstance(error, GraphQLSyntaxError):
        return {"code": "GRAPHQL_PARSE_FAILED"}
    if before_execution and cause is None:
        return {"code": "GRAPHQL_VALIDATION_FAILED"}
    # A variable of the wrong type is an error of execution that has no path.
    is_bad_variable = not before_execution and error.path is None and (error.nodes or cause is None)
    return {"code": BadUserInput.code if is_bad_variable else "INTERNAL_SERVER_ERROR"}
