"""What went wrong with the store: an outage, a lost race, or a fault of ours.

An error is an outage when the engine says so, or when its connection does not answer any more: a driver
whose connection breaks raises many kinds of errors, and so does the clean-up of the libraries above it.
"""

from typing import Any

import structlog
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from customergraph.errors import CustomergraphError, StoreUnavailable
from customergraph.store.backend import Backend, Failure

AGAIN = "The operation is not done: the store is busy or away. Try again in a few seconds."
LOOK_FIRST = "The store went away while the change was being committed. Look before repeating it."
DONE_UNREAD = "The change is done, but the store went away before it could be read back. Do not repeat it."
# What to say, by whether the change was made; None when nobody knows.
MESSAGES: dict[bool | None, str] = {False: AGAIN, None: LOOK_FIRST, True: DONE_UNREAD}

_log = structlog.get_logger()


class LostRace(StoreUnavailable):
    """Another transaction came between; nothing was changed, and the same can be done from the start."""


class TransactionEnded(Exception):
    """A statement of an operation that was given up."""


class StatementFailed(Exception):
    """A statement that was refused: a fault of ours. It tells no parameters, which are customers' contacts."""

    def __init__(self, error: Exception, sql: str) -> None:
        # A driver that cannot send a value shows it.
        reason = "" if isinstance(error, ValueError) else error
        super().__init__(f"{type(error).__name__}: {reason}\n{sql}")


def unavailable(error: Exception, *, done: bool | None) -> StoreUnavailable:
    """Give the error for an outage; `done` says whether the change was made, None when nobody knows."""
    return StoreUnavailable(MESSAGES[done], _reason(error), done)


def raise_known(error: Exception, backend: Backend, *, done: bool | None, races: bool = False) -> None:
    """Raise StoreUnavailable or LostRace for what the engine knows as an outage or a race."""
    failure = Failure.OUTAGE if isinstance(error, PoolTimeoutError) else backend.failure(error)
    if failure is Failure.RACE and races:
        raise LostRace(AGAIN, _reason(error)) from error
    if failure is Failure.OUTAGE:
        raise unavailable(error, done=done) from error


async def raise_failure(
    error: Exception, backend: Backend, driver: Any, *, done: bool | None, races: bool = False
) -> None:
    """Raise StoreUnavailable or LostRace for an error of a connection; `driver` is None where there is none.

    Returns for a fault of ours: an error on a connection that answers.
    """
    if isinstance(error, CustomergraphError):
        return
    raise_known(error, backend, done=done, races=races)
    is_refused = backend.failure(error) is Failure.RACE
    if driver is None or not (is_refused or await backend.answers(driver)):
        raise unavailable(error, done=done) from error


def log_unclosed(error: Exception) -> None:
    """Log that a connection could not be given back; its operation has its answer without it."""
    _log.warning("connection_not_given_back", reason=_reason(error))


def _reason(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).partition("\n")[0] or type(error).__name__
