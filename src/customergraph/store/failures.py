"""What went wrong with the store: an outage, a lost race, or our mistake.

An error is an outage when the engine says so, or when its connection no longer answers: when a connection
breaks, the driver raises many kinds of errors, and so does the clean-up of the libraries above it.
"""

from typing import Any

import structlog
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from customergraph.errors import CustomergraphError, StoreUnavailable
from customergraph.logs import LoggedInFull
from customergraph.store.backend import Backend, Failure

AGAIN = "The operation is not done: the store is busy or away. Try again in a few seconds."
LOOK_FIRST = "The store went away while the change was being committed. Look before repeating it."
DONE_UNREAD = "The change is done, but the store went away before it could be read back. Do not repeat it."
# The messages by whether the change was made; None when nobody knows.
MESSAGES: dict[bool | None, str] = {False: AGAIN, None: LOOK_FIRST, True: DONE_UNREAD}

# PostgreSQL's classes of errors that quote data: "data exception" and "integrity constraint violation".
_ABOUT_DATA = ("22", "23")

_log = structlog.get_logger()


class LostRace(StoreUnavailable):
    """Another transaction came between; nothing was changed, and the same work can be done from the start."""


class TransactionEnded(Exception):
    """A statement of an operation that has already ended."""


class StatementFailed(LoggedInFull):
    """A statement that was refused: our mistake. The message has no values, which are customers' contacts."""

    def __init__(self, error: Exception, sql: str) -> None:
        # The error of a driver that cannot send a value contains the value, and so do PostgreSQL's about data.
        state = getattr(error, "sqlstate", None) or ""
        has_values = isinstance(error, ValueError) or state.startswith(_ABOUT_DATA)
        reason = state if has_values else _reason(error)
        super().__init__(f"{type(error).__name__}: {reason}\n{sql}")


def unavailable(error: Exception, *, done: bool | None) -> StoreUnavailable:
    """Return the error for an outage; `done` says whether the change was made, None when nobody knows."""
    return StoreUnavailable(MESSAGES[done], _reason(error), done)


def raise_known(error: Exception, backend: Backend, *, done: bool | None, races: bool = False) -> None:
    """Raise StoreUnavailable or LostRace for an error that the engine knows as an outage or a race."""
    failure = Failure.OUTAGE if isinstance(error, PoolTimeoutError) else backend.failure(error)
    if failure is Failure.RACE and races:
        raise LostRace(AGAIN, _reason(error)) from error
    if failure is Failure.OUTAGE:
        raise unavailable(error, done=done) from error


async def raise_failure(
    error: Exception, backend: Backend, driver: Any, *, done: bool | None, races: bool = False
) -> None:
    """Raise StoreUnavailable or LostRace for an error of a connection; `driver` is None without a connection.

    Returns when the error is our mistake: the connection still answers.
    """
    if isinstance(error, CustomergraphError):
        return
    raise_known(error, backend, done=done, races=races)
    is_refused = backend.failure(error) is Failure.RACE
    if driver is None or not (is_refused or await backend.answers(driver)):
        raise unavailable(error, done=done) from error


def log_unclosed(error: Exception) -> None:
    """Log that a connection could not be returned to the pool; its operation succeeded all the same."""
    _log.warning("connection_not_given_back", reason=_reason(error))


def _reason(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).partition("\n")[0] or type(error).__name__
