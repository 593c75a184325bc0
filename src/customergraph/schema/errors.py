"""The one place that turns errors into answers (contract, section 6)."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import strawberry
import structlog
from graphql import GraphQLError, GraphQLSyntaxError

from customergraph.errors import BadUserInput, RequestRefused, StoreUnavailable
from customergraph.schema.enums import UserErrorCode

# What a client sent may stand in it, and was long.
LONGEST_MESSAGE = 500

_log = structlog.get_logger()


@strawberry.type(description="One thing that was wrong with a mutation's input. Nothing was changed.")
class UserError:
    field: list[str] | None = strawberry.field(
        description='The path of the input that is wrong, like `["input", "tagSlugs", "1"]`.'
    )
    message: str = strawberry.field(description="What is wrong, and what would be accepted.")
    code: UserErrorCode = strawberry.field(description="What kind of mistake it is.")


@dataclass(frozen=True, slots=True)
class Change:
    """The change of a mutation field: whether it was made; None when nobody knows."""

    done: bool | None


class MutationFailed(Exception):
    """A fault of ours in a mutation, outside its fields."""

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
    """Write an error as it is sent: with a code, and without anything of ours in it.

    What was not expected is logged under an id, and answered with that id alone. An error of a
    mutation field says whether its `change` was made.
    """
    answer: dict[str, Any] = dict(error.formatted)
    answer["message"] = error.message[:LONGEST_MESSAGE]
    answer["extensions"] = {
        **(error.extensions or {}),
        **_extensions(error, before_execution=before_execution),
    }
    if answer["extensions"]["code"] == "INTERNAL_SERVER_ERROR":
        _tell_fault(answer, error, change)
    elif change and change.done and "done" not in answer["extensions"]:
        answer["message"] = f"The change is done. {answer['message']}"
        answer["extensions"]["done"] = True
    return answer


def _tell_fault(answer: dict[str, Any], error: GraphQLError, change: Change | None) -> None:
    cause = error.original_error
    if isinstance(cause, MutationFailed):
        change = cause.change
    fault_id = structlog.contextvars.get_contextvars().get("request_id") or uuid4().hex
    _log.error("fault", fault_id=fault_id, path=error.path, exc_info=cause or error)
    answer["message"] = _FAULT[change].format(fault_id)
    answer["extensions"]["id"] = fault_id
    if change:
        answer["extensions"]["done"] = change.done


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
    # A variable that does not fit its type is found when execution begins, at no path yet.
    is_variable = not before_execution and error.path is None and (error.nodes or cause is None)
    return {"code": BadUserInput.code if is_variable else "INTERNAL_SERVER_ERROR"}
