"""The few kinds of failure that are expected, each with the code a client acts on."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class CustomergraphError(Exception):
    """A failure whose message may be shown to whoever asked."""


class RequestRefused(CustomergraphError):
    """A request that is answered with a GraphQL error; `code` becomes `extensions.code`."""

    code: ClassVar[str]


class Unauthenticated(RequestRefused):
    code = "UNAUTHENTICATED"


class Forbidden(RequestRefused):
    code = "FORBIDDEN"


class BadUserInput(RequestRefused):
    code = "BAD_USER_INPUT"


class CursorMalformed(BadUserInput):
    """A cursor that no list of this gateway gave, or that another list gave."""


class OperationUnresolved(RequestRefused):
    """A request that does not tell which operation of its document it means."""

    code = "OPERATION_RESOLUTION_FAILURE"


class BadRequest(RequestRefused):
    """A request that is no GraphQL request over HTTP; `status` is the one to answer with."""

    code = "BAD_REQUEST"

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class StoreUnavailable(RequestRefused):
    """The store is away or busy for longer than a request may wait.

    `reason` is what the store's driver said, for operators alone.
    """

    code = "STORE_UNAVAILABLE"

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class MistakeCode(StrEnum):
    """What kind of mistake it is: the contract's `UserErrorCode`."""

    BLANK = "BLANK"
    INVALID = "INVALID"
    TOO_LONG = "TOO_LONG"
    TOO_MANY = "TOO_MANY"
    TAKEN = "TAKEN"
    NOT_FOUND = "NOT_FOUND"


class ValueRefused(CustomergraphError):
    """One value that breaks a rule of the domain; whoever knows its field makes a `Mistake` of it."""

    def __init__(self, code: MistakeCode, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing the caller did wrong, and in which part of the input."""

    field: tuple[str, ...]
    message: str
    code: MistakeCode


class InputRefused(CustomergraphError):
    """Input of a mutation that is wrong: every mistake at once, and nothing was changed."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("; ".join(mistake.message for mistake in mistakes))
        self.mistakes = tuple(mistakes)


class CommandRefused(CustomergraphError):
    """A command that cannot do its job, with the one line that says why and what mends it."""
