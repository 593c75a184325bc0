"""The kinds of expected failure, each with its error code."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from pathlib import Path
from typing import Any, ClassVar

# The prefix of the names of settings in the environment.
SETTING_PREFIX = "CUSTOMERGRAPH_"


_REFUSED_KINDS = {
    "mutation": "Only queries can be sent by GET: send mutations by POST.",
    "subscription": "A subscription is answered by events: send it with `Accept: text/event-stream`, or by WebSocket.",
}


class CustomergraphError(Exception):
    """A failure whose message may be shown to the client or the operator."""


class RequestRefused(CustomergraphError):
    """A request that is answered with a GraphQL error; `code` becomes `extensions.code`."""

    code: ClassVar[str]

    def details(self) -> dict[str, Any]:
        """Return the other entries of `extensions`."""
        return {}


class Unauthenticated(RequestRefused):
    code = "UNAUTHENTICATED"


class Forbidden(RequestRefused):
    code = "FORBIDDEN"


class BadUserInput(RequestRefused):
    code = "BAD_USER_INPUT"


class CursorMalformed(BadUserInput):
    """A cursor that this gateway did not make, or made for another list."""


class CursorExpired(RequestRefused):
    """A cursor of a change that this project's feed does not have, or no longer."""

    code = "CURSOR_EXPIRED"

    def __init__(self) -> None:
        super().__init__(
            "The feed does not have the change of `after` any more: ask for `headCursor`, read all lists again, and"
            " follow the feed from there."
        )


class OperationUnresolved(RequestRefused):
    """A request that does not name one of the operations of its document."""

    code = "OPERATION_RESOLUTION_FAILURE"


class OperationKindRefused(RequestRefused):
    """An operation of a kind that its transport does not take: a mutation by GET, for example."""

    code = "BAD_REQUEST"

    def __init__(self, kind: str) -> None:
        super().__init__(_REFUSED_KINDS.get(kind, f"A {kind} cannot be sent this way."))
        self.kind = kind


class PersistedQueryNotFound(RequestRefused):
    """A hash whose document is not known here. Clients compare the message, and send the document."""

    code = "PERSISTED_QUERY_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("PersistedQueryNotFound")


class PersistedQueryNotSupported(RequestRefused):
    """A request of another protocol of persisted queries. Clients compare the message, and send no more hashes."""

    code = "PERSISTED_QUERY_NOT_SUPPORTED"

    def __init__(self) -> None:
        super().__init__("PersistedQueryNotSupported")


class PersistedQueryHashMismatch(RequestRefused):
    """A document with a hash that is not its own."""

    code = "PERSISTED_QUERY_HASH_MISMATCH"

    def __init__(self) -> None:
        super().__init__(
            "provided sha does not match query: `sha256Hash` must be the SHA-256 of `query` in hexadecimal digits."
        )


class PersistedQueryNotInList(RequestRefused):
    """A document that is none of the trusted ones, where no others are run."""

    code = "PERSISTED_QUERY_NOT_IN_LIST"

    def __init__(self) -> None:
        super().__init__("Only documents that the operator has listed are run here, and this is none of them.")


class LimitExceeded(RequestRefused):
    """An operation that is larger than allowed.

    `limit` is the name of the setting without its prefix; `subject` names what it counts; `asked` is None
    where the count stopped at the limit.
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


class SubscriptionsExceeded(LimitExceeded):
    """One subscription more than a token may have at once."""

    def __init__(self, allowed: int) -> None:
        super().__init__("TOKEN_SUBSCRIPTIONS", "subscriptions", allowed + 1, allowed)

    def __str__(self) -> str:
        return (
            f"This token has {self.details()['allowed']:,} subscriptions, and may have no more"
            f" (setting {SETTING_PREFIX}TOKEN_SUBSCRIPTIONS): end one of them."
        )


class ListTooLong(LimitExceeded):
    """A list in an argument that is longer than allowed; the contract has one code for all bad arguments."""

    code = BadUserInput.code


class Throttled(RequestRefused):
    """An operation that costs more than is left in the token's bucket; `seconds` later it does not."""

    code = "THROTTLED"

    def __init__(self, seconds: float, left: int, capacity: int, refill: int) -> None:
        self.retry_after = max(1, ceil(seconds))
        super().__init__(f"This token has asked for too much: try again in {self.retry_after} s.")
        self._bucket = {"left": left, "capacity": capacity, "refilledPerSecond": refill}

    def details(self) -> dict[str, Any]:
        return {"bucket": self._bucket, "retryAfter": self.retry_after}


class Overloaded(RequestRefused):
    """A worker that runs as many operations as it can, while as many as allowed wait."""

    code = "OVERLOADED"
    retry_after = 1

    def __init__(self) -> None:
        super().__init__(f"Too many operations at once: try again in {self.retry_after} s.")


class WorkerFull(Overloaded):
    """A worker that has as many subscriptions as it may have."""

    def details(self) -> dict[str, Any]:
        return {"limit": "SUBSCRIPTION_LIMIT"}


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
    """The store is away, or busy for longer than a request may wait.

    `reason` is the message of the store's driver, for operators only. `done` says whether the change
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
    """The kind of a mistake: the contract's `UserErrorCode`."""

    BLANK = "BLANK"
    INVALID = "INVALID"
    TOO_LONG = "TOO_LONG"
    TOO_MANY = "TOO_MANY"
    TAKEN = "TAKEN"
    NOT_FOUND = "NOT_FOUND"


class ValueRefused(CustomergraphError):
    """A value that breaks a rule of the domain; code that knows the field turns it into a `Mistake`."""

    def __init__(self, code: UserErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code


# The path of a value in an input, by its names in snake_case: ("input", "tag_slugs", "1").
Field = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in the input, and the field that has it.

    `value` is the wrong one of several in the field, where a message does not tell it by its place.
    """

    field: Field
    reason: str
    code: UserErrorCode
    value: str | None = None


class InputRefused(CustomergraphError):
    """Wrong input of a mutation, with all its mistakes; nothing was changed."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("; ".join(f"{mistake.field[-1]} {mistake.reason}" for mistake in mistakes))
        self.mistakes = tuple(mistakes)


class CommandRefused(CustomergraphError):
    """A command that cannot do its work; the message is one line with the reason.

    The kinds below are raised by the store. The command line adds their remedies.
    """


class UnknownProject(CommandRefused):
    """No project has the slug."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"no project has the slug {slug!r}")


class SlugTaken(CommandRefused):
    """Another project has the slug."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"a project with the slug {slug!r} exists already")


class UnknownToken(CommandRefused):
    """No token has the visible prefix."""

    def __init__(self, prefix: str) -> None:
        super().__init__(f"no token has the prefix {prefix!r}")


class ProjectDeleted(CommandRefused):
    """The deletion of the project has begun."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"the project {slug!r} is being deleted")


class TokenNameTaken(CommandRefused):
    """Another token of the project has the name."""

    def __init__(self, name: str, prefix: str) -> None:
        super().__init__(f"the token {prefix} of this project has the name {name!r}")


class TokenUnusable(CommandRefused):
    """A token that cannot be rotated; `state` says why."""

    def __init__(self, prefix: str, state: str) -> None:
        super().__init__(f"the token {prefix} {state}, and cannot be rotated")


class StoreMissing(CommandRefused):
    """There is no embedded store at the path."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"there is no store at {path}")


class StoreOutdated(CommandRefused):
    """The store's schema, or its search keys, are of an older version."""


class StoreNewer(CommandRefused):
    """The store was made by a newer version of this package."""

    def __init__(self, version: str | None) -> None:
        super().__init__(f"the store was made by a newer customergraph (its version is {version})")


class BehindPgbouncer(CommandRefused):
    """An upgrade that would go through PgBouncer, where locks do not hold."""

    def __init__(self) -> None:
        super().__init__("an upgrade cannot go through PgBouncer")


class StoreOnServer(CommandRefused):
    """A backup of a store that is not a file; `address` is its URL without the password."""

    def __init__(self, address: str) -> None:
        super().__init__("a store on PostgreSQL is backed up by PostgreSQL's own program")
        self.address = address
