"""The few kinds of failure that are expected, each with the code a client acts on."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import Any, ClassVar

# What the names of settings begin with in the environment.
SETTING_PREFIX = "CUSTOMERGRAPH_"


_REFUSED_KINDS = {
    "mutation": "Only queries can be sent by GET: send mutations by POST.",
    "subscription": "There are no subscriptions here: send a query or a mutation.",
}


class CustomergraphError(Exception):
    """A failure whose message may be shown to whoever asked."""


class RequestRefused(CustomergraphError):
    """A request that is answered with a GraphQL error; `code` becomes `extensions.code`."""

    code: ClassVar[str]

    def details(self) -> dict[str, Any]:
        """Give what stands beside the code in `extensions`."""
        return {}


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


class OperationKindRefused(RequestRefused):
    """An operation of a kind that its transport does not take: a mutation by GET, for example."""

    code = "BAD_REQUEST"

    def __init__(self, kind: str) -> None:
        super().__init__(_REFUSED_KINDS.get(kind, f"A {kind} cannot be sent this way."))
        self.kind = kind


class LimitExceeded(RequestRefused):
    """An operation larger than it may be.

    `limit` is the name of the setting that allows more, without the prefix of all settings; `subject` is what it
    counts; `asked` is None where it was not counted to its end.
    """

    code = "LIMIT_EXCEEDED"

    def __init__(self, limit: str, subject: str, asked: int | None, allowed: int) -> None:
        count = f"more than {allowed:,}" if asked is None else f"{asked:,}"
        super().__init__(
            f"The operation is too large: {count} {subject}, where {allowed:,} at most are allowed"
            f" (setting {SETTING_PREFIX}{limit})."
        )
        self._details = {"limit": limit, "asked": asked, "allowed": allowed}

    def details(self) -> dict[str, Any]:
        return self._details


class ListTooLong(LimitExceeded):
    """A list that an argument is given; the contract has one code for all bad arguments."""

    code = BadUserInput.code


class Throttled(RequestRefused):
    """A token that asks for more than its bucket holds; it may ask again after so many seconds."""

    code = "THROTTLED"

    def __init__(self, seconds: float, left: int, capacity: int, refill: int) -> None:
        self.retry_after = max(1, ceil(seconds))
        super().__init__(f"This token has asked for too much: try again in {self.retry_after} s.")
        self._bucket = {"left": left, "capacity": capacity, "refilledPerSecond": refill}

    def details(self) -> dict[str, Any]:
        return {"bucket": self._bucket, "retryAfter": self.retry_after}


class Overloaded(RequestRefused):
    """A worker that has as many operations as it can run, and as many as may wait."""

    code = "OVERLOADED"
    retry_after = 1

    def __init__(self) -> None:
        super().__init__(f"Too many operations at once: try again in {self.retry_after} s.")


class TimedOut(RequestRefused):
    """An operation that did not end before its deadline."""

    code = "TIMEOUT"

    def __init__(self, seconds: float, *, done: bool | None) -> None:
        super().__init__(f"The operation took longer than {seconds:g} seconds and was stopped{_STOPPED[done]}")
        self.done = done

    def details(self) -> dict[str, Any]:
        return {"done": self.done}


_STOPPED: dict[bool | None, str] = {
    False: ". It is not done: ask for less.",
    None: " while a change was being committed. Look before repeating it.",
    True: ". The change is done, but it was not read back. Do not repeat it.",
}


class StoreUnavailable(RequestRefused):
    """The store is away or busy for longer than a request may wait.

    `reason` is what the store's driver said, for operators alone. `done` tells whether the change
    was made; None when nobody knows.
    """

    code = "STORE_UNAVAILABLE"

    def __init__(self, message: str, reason: str, done: bool | None = False) -> None:  # noqa: FBT001, FBT002
        super().__init__(message)
        self.reason = reason
        self.done = done

    def details(self) -> dict[str, Any]:
        return {"done": self.done}


class UserErrorCode(StrEnum):
    """What kind of mistake it is: the contract's `UserErrorCode`."""

    BLANK = "BLANK"
    INVALID = "INVALID"
    TOO_LONG = "TOO_LONG"
    TOO_MANY = "TOO_MANY"
    TAKEN = "TAKEN"
    NOT_FOUND = "NOT_FOUND"


class ValueRefused(CustomergraphError):
    """One value that breaks a rule of the domain; whoever knows its field makes a `Mistake` of it."""

    def __init__(self, code: UserErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing the caller did wrong, and in which part of the input."""

    field: tuple[str, ...]
    message: str
    code: UserErrorCode


class InputRefused(CustomergraphError):
    """Input of a mutation that is wrong: every mistake at once, and nothing was changed."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("; ".join(mistake.message for mistake in mistakes))
        self.mistakes = tuple(mistakes)


class CommandRefused(CustomergraphError):
    """A command that cannot do its job, with the one line that says why and what mends it."""
